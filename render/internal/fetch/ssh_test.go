package fetch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/skeema/knownhosts"
)

func TestSshFetchesWithAKeyInBothVersions(t *testing.T) {
	tree := newRepository(t)
	first := tree.onMain(files{"a": "first"})
	tree.point("refs/heads/main", tree.history(first, 100))
	server := serveSsh(t, tree)
	for _, server.onlyVersion0 = range []bool{false, true} {
		equal(t, "commit of the branch", fetched(t, server.request(t, Ref{Branch: "main"})).Commit, tree.git("rev-parse", "main"))
		answer := fetched(t, server.request(t, Ref{Commit: first, Branch: "main"}))
		equal(t, "content of a commit in the history", contentOf(t, answer, "a"), "first")
		refused(t, server.request(t, Ref{Branch: "none"}), RefNotFound)
		request := server.request(t, Ref{})
		request.RepositoryUrl += "-none"
		contains(t, refused(t, request, RepositoryNotFound), "does not appear to be a git repository")
	}
}

func TestSshPathIsQuotedForTheShell(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	odd := filepath.Join(tree.served, `a'b"c $(touch pwned) !x; ls`)
	check(t, os.Rename(tree.folder, odd))
	server := serveSsh(t, tree)
	request := server.request(t, Ref{})
	request.RepositoryUrl = "ssh://git@" + server.address + odd
	request.RepositoryUrl = "ssh://git@" + server.address + tree.served + `/a'b%22c%20$(touch%20pwned)%20!x;%20ls`
	equal(t, "content", contentOf(t, fetched(t, request), "a"), "1")
	if _, err := os.Stat(filepath.Join(tree.served, "pwned")); err == nil {
		t.Error("the path was run as a command")
	}
}

func TestSshHostKeyHasToBeKnown(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	server := serveSsh(t, tree)
	other, _ := newKey(t)
	cases := map[string]struct{ knownHosts, reason, says string }{
		"nothing is known":        {"", HostKeyUnknown, "ssh-keyscan -p " + server.port() + " 127.0.0.1"},
		"another host is known":   {knownhosts.Line([]string{"git.example.com"}, server.hostKey.PublicKey()), HostKeyUnknown, "SHA256:"},
		"another key is known":    {knownhosts.Line([]string{server.address}, other.PublicKey()), HostKeyChanged, "ask its owner"},
		"the key is revoked":      {"@revoked * " + knownhosts.Line([]string{server.address}, server.hostKey.PublicKey())[len("[127.0.0.1]:")+len(server.port())+1:], HostKeyChanged, ""},
		"the text is no such one": {"hello", CredentialsRefused, "ssh-keyscan"},
	}
	for name, one := range cases {
		t.Run(name, func(t *testing.T) {
			request := server.request(t, Ref{})
			request.Credentials.KnownHosts = one.knownHosts
			contains(t, refused(t, request, one.reason), one.says)
		})
	}
}

func TestSshKeyThatDoesNotOpenIsSaid(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	server := serveSsh(t, tree)
	_, other := newKey(t)
	request := server.request(t, Ref{})
	request.Credentials.SshPrivateKey = other
	contains(t, refused(t, request, AuthenticationFailed), "deploy keys")
	request.Credentials.SshPrivateKey = ""
	contains(t, refused(t, request, AuthenticationFailed), "sshPrivateKey")
	request.Credentials.SshPrivateKey = "no key"
	contains(t, refused(t, request, CredentialsRefused), "not a private key")
	request.Credentials.SshPrivateKey = server.clientKey
	request.Credentials.Host = "git.example.com"
	refused(t, request, CredentialsRefused)
}
