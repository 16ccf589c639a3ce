package fetch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"maquette.dev/render/internal/failure"
)

// sshWire runs git-upload-pack at the other end of an ssh connection. No agent, no configuration of a user.
type sshWire struct {
	repository repository
	client     *ssh.Client
	meter      *meter
	session    *ssh.Session
	input      io.WriteCloser
	output     *bufio.Reader
	complaints *complaint
	stopWatch  func() bool
}

// newSshWire connects. scratch is a folder for a moment's file.
func newSshWire(ctx context.Context, repo repository, request Request, meter *meter, scratch string) (*sshWire, error) {
	config, err := sshConfig(repo, request.Credentials, scratch)
	if err != nil {
		return nil, err
	}
	connection, err := request.Network.dial(ctx, "tcp", repo.address())
	if err != nil {
		return nil, err
	}
	wire := &sshWire{repository: repo, meter: meter}
	// ssh knows no contexts: the end of the context ends the connection.
	wire.stopWatch = context.AfterFunc(ctx, func() { _ = connection.Close() })
	_ = connection.SetDeadline(time.Now().Add(connectTime))
	transport, channels, requests, err := ssh.NewClientConn(connection, repo.address(), config)
	if err != nil {
		_ = connection.Close()
		return nil, explainHandshake(ctx, repo, request.Credentials, err)
	}
	_ = connection.SetDeadline(time.Time{})
	wire.client = ssh.NewClient(transport, channels, requests)
	return wire, nil
}

func sshConfig(repo repository, credentials Credentials, scratch string) (*ssh.ClientConfig, error) {
	known, err := readKnownHosts(credentials.KnownHosts, scratch)
	if err != nil {
		return nil, err
	}
	methods, err := sshMethods(credentials)
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		User:            firstSet(repo.user, credentials.Username, "git"),
		Auth:            methods,
		HostKeyCallback: checkHostKey(repo, known),
		// Without it the server may show a key of a kind that knownHosts has not got, though it has another.
		HostKeyAlgorithms: known.HostKeyAlgorithms(repo.address()),
		ClientVersion:     "SSH-2.0-maquette-render",
	}, nil
}

func firstSet(values ...string) string {
	return values[slices.IndexFunc(values, func(value string) bool { return value != "" })]
}

func sshMethods(credentials Credentials) ([]ssh.AuthMethod, error) {
	var methods []ssh.AuthMethod
	if credentials.SshPrivateKey != "" {
		signer, err := ssh.ParsePrivateKey([]byte(credentials.SshPrivateKey))
		if missing := (*ssh.PassphraseMissingError)(nil); errors.As(err, &missing) && credentials.Password != "" {
			signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(credentials.SshPrivateKey), []byte(credentials.Password))
		}
		if err != nil {
			return nil, failure.New(CredentialsRefused, "Field \"sshPrivateKey\" of the Secret is not a private key in PEM form, "+
				"or its passphrase is not in \"password\"")
		}
		return []ssh.AuthMethod{ssh.PublicKeys(signer)}, nil
	}
	if password := credentials.secret(); password != "" {
		methods = append(methods, ssh.Password(password))
	}
	return methods, nil
}

func explainHandshake(ctx context.Context, repo repository, credentials Credentials, err error) error {
	var known *failure.Failure
	switch {
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil:
		return ctx.Err()
	case strings.Contains(err.Error(), "unable to authenticate") && !credentials.areSecret():
		return failure.New(AuthenticationFailed, "Host %q asks for credentials: name a Secret with \"sshPrivateKey\" in the source's secretRef",
			repo.authority())
	case strings.Contains(err.Error(), "unable to authenticate"):
		return failure.New(AuthenticationFailed, "Host %q refuses the key or password of the Secret: "+
			"add its public key to the repository's deploy keys", repo.authority())
	default:
		return failure.New(HostUnreachable, "Host %q does not complete the ssh handshake: %v", repo.authority(), err)
	}
}

func (wire *sshWire) greet(ctx context.Context) (*bufio.Reader, error) {
	wire.endSession()
	session, err := wire.client.NewSession()
	if err != nil {
		return nil, broken(err, wire.repository.authority())
	}
	wire.session, wire.complaints = session, &complaint{}
	session.Stderr = wire.complaints
	// Many servers refuse it, and then speak version 0.
	_ = session.Setenv("GIT_PROTOCOL", "version=2")
	input, inputErr := session.StdinPipe()
	output, outputErr := session.StdoutPipe()
	err = errors.Join(inputErr, outputErr)
	if err == nil {
		err = session.Start("git-upload-pack " + quoted(wire.repository.path))
	}
	if err != nil {
		return nil, broken(err, wire.repository.authority())
	}
	wire.input = input
	wire.output = bufio.NewReader(wire.meter.reader(ctx, output))
	return wire.output, nil
}

// quoted quotes a word for the server's shell.
func quoted(word string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(word, "'", `'\''`), "!", `'\!'`) + "'"
}

func (wire *sshWire) ask(ctx context.Context, request []byte) (*bufio.Reader, error) {
	if _, err := io.Copy(wire.input, bytes.NewReader(request)); err != nil {
		return nil, wire.finish(firstError(ctx.Err(), err))
	}
	return wire.output, nil
}

func firstError(errs ...error) error {
	return errs[slices.IndexFunc(errs, func(err error) bool { return err != nil })]
}

func (wire *sshWire) finish(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		_ = wire.session.Wait() // until what it complains about has come
		if said := strings.TrimSpace(wire.complaints.text()); said != "" {
			return serverSaid(said)
		}
	}
	return broken(err, wire.repository.authority())
}

func (wire *sshWire) endSession() {
	if wire.session != nil {
		_ = wire.session.Close()
		wire.session = nil
	}
}

func (wire *sshWire) close() {
	wire.endSession()
	wire.stopWatch()
	_ = wire.client.Close()
}

// complaint keeps the beginning of what is written to it, and takes the rest without keeping it.
type complaint struct {
	lock sync.Mutex
	kept []byte
}

func (complaint *complaint) Write(data []byte) (int, error) {
	complaint.lock.Lock()
	defer complaint.lock.Unlock()
	complaint.kept = append(complaint.kept, data[:min(len(data), 4096-len(complaint.kept))]...)
	return len(data), nil
}

func (complaint *complaint) text() string {
	complaint.lock.Lock()
	defer complaint.lock.Unlock()
	return string(complaint.kept)
}
