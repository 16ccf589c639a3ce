package main

import (
	"crypto/tls"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strings"
)

// Repositories are `<root>/<name>.git`.
const root = "/srv"

// serveHttps answers as git's own CGI program does, to who has the login.
func serveHttps(certificate, key, username, password string) error {
	where, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return err
	}
	git := &cgi.Handler{
		Path:       filepath.Join(strings.TrimSpace(string(where)), "git-http-backend"),
		Env:        []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
		InheritEnv: []string{"HOME"},
	}
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		return err
	}
	server := &http.Server{Addr: ":8443", TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}}
	server.Handler = http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/healthz" {
			return
		}
		if asked, with, _ := request.BasicAuth(); asked != username || with != password {
			writer.Header().Set("WWW-Authenticate", `Basic realm="forge"`)
			writer.WriteHeader(http.StatusUnauthorized)
			return
		}
		git.ServeHTTP(writer, request)
	})
	return server.ListenAndServeTLS("", "")
}
