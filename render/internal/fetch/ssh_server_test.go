package fetch

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
)

// sshServer runs git's own git-upload-pack for those who have its client's key.
type sshServer struct {
	tree    *workTree
	address string
	hostKey ssh.Signer
	// clientKey is the private key in PEM that the server lets in.
	clientKey string
	// onlyVersion0 makes it refuse environment variables, as many servers do.
	onlyVersion0 bool
}

func serveSsh(t *testing.T, tree *workTree) *sshServer {
	t.Helper()
	hostKey, _ := newKey(t)
	clientKey, text := newKey(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	server := &sshServer{tree: tree, address: listener.Addr().String(), hostKey: hostKey, clientKey: text}
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) != string(clientKey.PublicKey().Marshal()) {
				return nil, io.EOF
			}
			return nil, nil
		},
	}
	config.AddHostKey(hostKey)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go server.serve(connection, config)
		}
	}()
	return server
}

func newKey(t *testing.T) (signer ssh.Signer, text string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	signer, err = ssh.NewSignerFromKey(private)
	check(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	check(t, err)
	return signer, string(pem.EncodeToMemory(block))
}

func (server *sshServer) serve(connection net.Conn, config *ssh.ServerConfig) {
	defer connection.Close()
	_, channels, requests, err := ssh.NewServerConn(connection, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for next := range channels {
		channel, requests, err := next.Accept()
		if err != nil {
			return
		}
		go server.session(channel, requests)
	}
}

func (server *sshServer) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	environment := gitEnvironment()
	for request := range requests {
		switch request.Type {
		case "env":
			var variable struct{ Name, Value string }
			_ = ssh.Unmarshal(request.Payload, &variable)
			if !server.onlyVersion0 {
				environment = append(environment, variable.Name+"="+variable.Value)
			}
			_ = request.Reply(!server.onlyVersion0, nil)
		case "exec":
			var line struct{ Text string }
			_ = ssh.Unmarshal(request.Payload, &line)
			_ = request.Reply(true, nil)
			status := server.run(channel, environment, line.Text)
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
			return
		}
	}
}

// run gives the line to a shell, as sshd does. Paths are below the folder that is served.
func (server *sshServer) run(channel ssh.Channel, environment []string, line string) uint32 {
	command := exec.Command("sh", "-c", line)
	command.Dir = server.tree.served
	command.Env = environment
	command.Stdout, command.Stderr = channel, channel.Stderr()
	input, err := command.StdinPipe()
	if err != nil || command.Start() != nil {
		return 1
	}
	go func() {
		_, _ = io.Copy(input, channel)
		_ = input.Close()
	}()
	if command.Wait() != nil {
		return 1
	}
	return 0
}

// knownHosts is what ssh-keyscan would print.
func (server *sshServer) knownHosts() string {
	return knownhosts.Line([]string{server.address}, server.hostKey.PublicKey()) + "\n"
}

func (server *sshServer) request(t *testing.T, ref Ref) Request {
	return Request{
		RepositoryUrl: "ssh://git@" + server.address + filepath.Join(server.tree.served, "shop.git"),
		Ref:           ref,
		CacheDir:      filepath.Join(t.TempDir(), "cache"),
		Network:       Network{AllowLoopback: true},
		Credentials: Credentials{
			Host: server.address, SshPrivateKey: server.clientKey, KnownHosts: server.knownHosts(),
		},
	}
}

// port of the server's address.
func (server *sshServer) port() string {
	return server.address[strings.LastIndex(server.address, ":")+1:]
}
