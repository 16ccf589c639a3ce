package main

import (
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strings"
)

// Repositories are `<root>/<name>.git`.
const root = "/srv"

// serveHttp answers as git's own CGI program does, to who has the login.
func serveHttp(username, password string) error {
	where, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return err
	}
	git := &cgi.Handler{
		Path:       filepath.Join(strings.TrimSpace(string(where)), "git-http-backend"),
		Env:        []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
		InheritEnv: []string{"HOME"},
	}
	return http.ListenAndServe(":8080", http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/healthz" {
			return
		}
		if asked, with, _ := request.BasicAuth(); asked != username || with != password {
			writer.Header().Set("WWW-Authenticate", `Basic realm="forge"`)
			writer.WriteHeader(http.StatusUnauthorized)
			return
		}
		git.ServeHTTP(writer, request)
	}))
}
