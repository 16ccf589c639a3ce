package fetch

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const token = "s3cret-token-of-a-tenant"

// privateRepository is served over TLS to whoever has the token.
func privateRepository(t *testing.T) (*gitServer, Request) {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	server := serveHttps(t, tree)
	server.username, server.password = "x-access-token", token
	request := server.request(t, Ref{Branch: "main"})
	request.Credentials = Credentials{Host: server.host(), Token: token + "\n", CaBundle: server.authority()}
	return server, request
}

func TestTokenOpensAPrivateRepository(t *testing.T) {
	server, request := privateRepository(t)
	equal(t, "content", contentOf(t, fetched(t, request), "a"), "1")
	server.username, server.password = "someone", "else"
	request.CacheDir = t.TempDir()
	request.Credentials.Username, request.Credentials.Password, request.Credentials.Token = "someone", "else", ""
	equal(t, "content", contentOf(t, fetched(t, request), "a"), "1")
}

func TestCredentialsThatDoNotOpenAreSaid(t *testing.T) {
	_, request := privateRepository(t)
	request.Credentials.Token = "wrong"
	contains(t, refused(t, request, AuthenticationFailed), "renew them")
	request.Credentials.Token = ""
	contains(t, refused(t, request, AuthenticationFailed), "name a Secret")
}

func TestCredentialsAreForTheirOwnHostOnly(t *testing.T) {
	server, request := privateRepository(t)
	port := server.host()[strings.LastIndex(server.host(), ":"):]
	for name, host := range map[string]string{
		"another host":                 "git.example.com",
		"another port":                 "127.0.0.1:1",
		"the port of the scheme":       "127.0.0.1",
		"another name of the host":     "localhost" + port,
		"a host that begins with it":   server.host() + "0",
		"no host":                      "",
		"a host that only contains it": "a." + server.host(),
	} {
		t.Run(name, func(t *testing.T) {
			request.Credentials.Host = host
			refused(t, request, CredentialsRefused)
		})
	}
	asked, _ := server.counts()
	equal(t, "requests to the server", asked, 0)
}

func TestCredentialsDoNotTravelUnencrypted(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	server := serveHttp(t, tree)
	server.username, server.password = "u", "p"
	request := server.request(t, Ref{})
	request.Credentials = Credentials{Host: server.host(), Username: "u", Password: "p"}
	contains(t, refused(t, request, CredentialsRefused), "use https")
	asked, _ := server.counts()
	equal(t, "requests to the server", asked, 0)
	request.Network.AllowPlainCredentials = true
	fetched(t, request)
}

func TestRedirectToAnotherHostIsRefusedAndCarriesNothing(t *testing.T) {
	server, request := privateRepository(t)
	other := serveHttps(t, server.tree)
	plain := serveHttp(t, server.tree)
	for name, to := range map[string]string{
		"another port":             other.URL,
		"another name of the host": strings.Replace(other.URL, "127.0.0.1", "localhost", 1),
		"without encryption":       plain.URL,
		"a file":                   "file:///etc",
	} {
		t.Run(name, func(t *testing.T) {
			server.intercept = func(writer http.ResponseWriter, request *http.Request) bool {
				http.Redirect(writer, request, to+request.URL.RequestURI(), http.StatusFound)
				return true
			}
			message := refused(t, request, RedirectRefused)
			contains(t, message, "repositoryUrl")
			free := request
			free.Credentials = Credentials{CaBundle: server.authority()}
			refused(t, free, RedirectRefused)
		})
	}
	for _, target := range []*gitServer{other, plain} {
		asked, _ := target.counts()
		equal(t, "requests to the other server", asked, 0)
	}
}

func TestRedirectWithinTheHostIsFollowed(t *testing.T) {
	server, request := privateRepository(t)
	server.intercept = func(writer http.ResponseWriter, request *http.Request) bool {
		if moved, is := strings.CutPrefix(request.URL.RequestURI(), "/old.git"); is {
			http.Redirect(writer, request, "/shop.git"+moved, http.StatusMovedPermanently)
			return true
		}
		return false
	}
	request.RepositoryUrl = server.URL + "/old.git"
	equal(t, "content", contentOf(t, fetched(t, request), "a"), "1")

	server.intercept = func(writer http.ResponseWriter, request *http.Request) bool {
		http.Redirect(writer, request, request.URL.RequestURI(), http.StatusFound)
		return true
	}
	request.CacheDir = t.TempDir()
	contains(t, refused(t, request, RedirectRefused), "more than 5 times")
}

func TestRedirectOfADownloadIsRefused(t *testing.T) {
	server, request := privateRepository(t)
	server.intercept = func(writer http.ResponseWriter, request *http.Request) bool {
		if request.Method == http.MethodPost {
			http.Redirect(writer, request, request.URL.RequestURI(), http.StatusTemporaryRedirect)
			return true
		}
		return false
	}
	contains(t, refused(t, request, RedirectRefused), "in the middle")
}

func TestCertificateOfAPrivateAuthorityNeedsItsBundle(t *testing.T) {
	server, request := privateRepository(t)
	request.Credentials.CaBundle = ""
	contains(t, refused(t, request, CertificateUntrusted), "ca.crt")
	request.Credentials.CaBundle = "not a certificate"
	refused(t, request, CredentialsRefused)
	request.Credentials.CaBundle = server.authority()
	fetched(t, request)
	request.RepositoryUrl = strings.Replace(request.RepositoryUrl, "127.0.0.1", "localhost", 1)
	request.Credentials.Host = strings.Replace(request.Credentials.Host, "127.0.0.1", "localhost", 1)
	contains(t, refused(t, request, CertificateUntrusted), "not localhost")
}

func TestServerThatRepeatsCredentialsDoesNotGetThemIntoTheMessage(t *testing.T) {
	server, request := privateRepository(t)
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token))
	long := strings.Repeat("x", 1990)
	for _, said := range []string{token, basic, long + token, long[10:] + basic, "\x1b[31m" + token + "\n" + basic} {
		server.intercept = func(writer http.ResponseWriter, _ *http.Request) bool {
			writer.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			line := "ERR " + said
			_, _ = writer.Write([]byte("001e# service=git-upload-pack\n0000" + fmt.Sprintf("%04x", len(line)+4) + line))
			return true
		}
		message := refused(t, request, ServerFailed)
		for start := range len(token) - 6 {
			if strings.Contains(message, token[start:start+6]) || strings.Contains(message, basic[start:start+8]) {
				t.Errorf("message holds a part of the credentials: %q", message)
			}
		}
	}
}

func TestUrlWithAPasswordIsRefusedWithoutShowingIt(t *testing.T) {
	for _, url := range []string{
		"https://user:" + token + "@git.example.com/a.git", "https://" + token + "@git.example.com/a.git",
		"https://user:" + token + "@git.example.com:99999999/%zz", "https://git.example.com/a.git?token=" + token,
	} {
		request := Request{RepositoryUrl: url, CacheDir: t.TempDir()}
		if message := refused(t, request, InvalidUrl); strings.Contains(message, token) {
			t.Errorf("message holds the password: %q", message)
		}
	}
}

func TestCredentialsAreNowhereInTheCacheNorInTheProcess(t *testing.T) {
	server, request := privateRepository(t)
	request.Credentials.SshPrivateKey = "-----BEGIN something"
	process := command(t, request)
	server.intercept = func(http.ResponseWriter, *http.Request) bool {
		for _, name := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(process.Process.Pid), name))
			if err == nil && strings.Contains(string(text), token) {
				t.Errorf("token is in the process's %s", name)
			}
		}
		return false
	}
	output, err := process.Output()
	check(t, err)
	var answer Answer
	check(t, json.Unmarshal(output, &answer))
	if strings.Contains(string(output), token) {
		t.Errorf("answer holds the token: %s", output)
	}
	check(t, filepath.WalkDir(request.CacheDir, func(path string, file fs.DirEntry, err error) error {
		if err != nil || !file.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), token) || strings.Contains(string(text), "BEGIN something") {
			t.Errorf("credentials are in %s", path)
		}
		return err
	}))
}

func TestCheckoutIsOnlyForWhoseCredentialsFetchedIt(t *testing.T) {
	server, request := privateRepository(t)
	commit := server.tree.git("rev-parse", "main")
	request.Ref = Ref{Commit: commit}
	first := fetched(t, request)
	for name, credentials := range map[string]Credentials{
		"nobody":           {CaBundle: server.authority()},
		"another token":    {CaBundle: server.authority(), Host: server.host(), Token: "other"},
		"another user":     {CaBundle: server.authority(), Host: server.host(), Token: token, Username: "other"},
		"the same, joined": {CaBundle: server.authority(), Host: server.host(), Username: "x-access-token:" + token},
	} {
		t.Run(name, func(t *testing.T) {
			other := request
			other.Credentials = credentials
			refused(t, other, AuthenticationFailed)
		})
	}
	same := request
	same.Credentials = Credentials{CaBundle: server.authority(), Host: server.host(), Password: token, Username: "x-access-token"}
	answer := fetched(t, same)
	equal(t, "cached for the same user and password", answer.Cached, true)
	equal(t, "path", answer.Path, first.Path)
}
