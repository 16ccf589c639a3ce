package fetch

import (
	"bytes"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// gitServer is git's own HTTP server, with what a test changes about it.
type gitServer struct {
	*httptest.Server
	tree *workTree

	// onlyVersion0 makes it a server that does not know version 2 of the protocol.
	onlyVersion0 bool
	// username and password are wanted unless they are empty.
	username, password string
	// intercept answers instead of git if it returns true.
	intercept func(http.ResponseWriter, *http.Request) bool

	lock     sync.Mutex
	requests int
	fetches  int
}

func serveHttp(t *testing.T, tree *workTree) *gitServer  { return serve(t, tree, false) }
func serveHttps(t *testing.T, tree *workTree) *gitServer { return serve(t, tree, true) }

func serve(t *testing.T, tree *workTree, withTls bool) *gitServer {
	t.Helper()
	server := &gitServer{tree: tree}
	git := &cgi.Handler{
		Path:   filepath.Join(tree.git("--exec-path"), "git-http-backend"),
		Env:    append(gitEnvironment(), "GIT_PROJECT_ROOT="+tree.served, "GIT_HTTP_EXPORT_ALL=1"),
		Stderr: io.Discard,
		Logger: log.New(io.Discard, "", 0),
	}
	if _, err := exec.LookPath(git.Path); err != nil {
		t.Fatalf("The tests of fetch need git-http-backend, a part of git: %v", err)
	}
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		server.note(request)
		if server.intercept != nil && server.intercept(writer, request) {
			return
		}
		if username, password, _ := request.BasicAuth(); username != server.username || password != server.password {
			writer.Header().Set("WWW-Authenticate", "Basic")
			writer.WriteHeader(http.StatusUnauthorized)
			return
		}
		if server.onlyVersion0 {
			request.Header.Del("Git-Protocol")
		}
		git.ServeHTTP(writer, request)
	})
	server.Server = httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if withTls {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server
}

// note keeps the request, and counts those that download objects.
func (server *gitServer) note(request *http.Request) {
	server.lock.Lock()
	defer server.lock.Unlock()
	server.requests++
	if isDownload(request) {
		server.fetches++
	}
}

// isDownload tells a request for objects from others. The request can still be read after it.
func isDownload(request *http.Request) bool {
	body, _ := io.ReadAll(request.Body)
	request.Body = io.NopCloser(bytes.NewReader(body))
	return bytes.Contains(body, []byte("want "))
}

func (server *gitServer) counts() (requests, fetches int) {
	server.lock.Lock()
	defer server.lock.Unlock()
	return server.requests, server.fetches
}

// authority is the server's certificate in PEM.
func (server *gitServer) authority() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func (server *gitServer) host() string {
	_, host, _ := strings.Cut(server.URL, "://")
	return host
}

// request is one for the server's repository, with a cache of its own.
func (server *gitServer) request(t *testing.T, ref Ref) Request {
	return Request{
		RepositoryUrl: server.URL + "/shop.git",
		Ref:           ref,
		CacheDir:      filepath.Join(t.TempDir(), "cache"),
		Network:       Network{AllowLoopback: true},
	}
}
