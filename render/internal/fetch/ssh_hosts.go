package fetch

import (
	"net"
	"os"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"maquette.dev/render/internal/failure"
)

// readKnownHosts parses known_hosts. The parser only takes files, so it gets one for the moment.
func readKnownHosts(text, scratch string) (*knownhosts.HostKeyDB, error) {
	file, err := os.CreateTemp(scratch, "known-hosts-")
	if err != nil {
		return nil, failure.New(CacheFailed, "Cannot write to the cache: %v", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		return nil, failure.New(CacheFailed, "Cannot write to the cache: %v", err)
	}
	known, err := knownhosts.NewDB(file.Name())
	if err != nil {
		return nil, failure.New(CredentialsRefused, "Field \"knownHosts\" of the Secret is not in the form of ssh-keyscan: %s",
			strings.ReplaceAll(err.Error(), file.Name(), "knownHosts"))
	}
	return known, nil
}

func checkHostKey(repo repository, known *knownhosts.HostKeyDB) ssh.HostKeyCallback {
	return func(address string, remote net.Addr, key ssh.PublicKey) error {
		err := known.HostKeyCallback()(address, remote, key)
		shown := key.Type() + " " + ssh.FingerprintSHA256(key)
		switch {
		case err == nil:
			return nil
		case knownhosts.IsHostUnknown(err):
			return failure.New(HostKeyUnknown, "Host %q shows key %q, and \"knownHosts\" of the Secret has none of it: "+
				"add what \"ssh-keyscan -p %s %s\" prints, after comparing this fingerprint with the one its owner publishes",
				repo.authority(), shown, repo.port, repo.host)
		default:
			return failure.New(HostKeyChanged, "Host %q shows key %q, which is not the one in \"knownHosts\" of the Secret: "+
				"ask its owner whether the key changed, then replace it there", repo.authority(), shown)
		}
	}
}
