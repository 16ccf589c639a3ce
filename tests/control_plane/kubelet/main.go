// Command kubelet answers the one question of a kubelet that simulated nodes cannot: what did this container log?
//
// It serves /containerLogs/<namespace>/<pod>/<container> over TLS on a loopback port to the API server, which is told by its
// client certificate, and makes the text up from the Pod as the API server has it (see text.go).
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const pollInterval = 200 * time.Millisecond

type server struct {
	api    string
	client *http.Client
}

func main() {
	address := flag.String("address", "127.0.0.1:10250", "where to listen")
	api := flag.String("server", "", "URL of the API server")
	ca := flag.String("ca", "", "file with the certificate of the authority that everybody here trusts")
	cert := flag.String("cert", "", "file with the certificate used both to serve and to ask the API server")
	key := flag.String("key", "", "file with its key")
	flag.Parse()
	if err := serve(*address, *api, *ca, *cert, *key); err != nil {
		log.Fatal(err)
	}
}

func serve(address, api, ca, cert, key string) error {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("no certificate in %q", ca)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return err
	}
	outgoing := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}
	s := &server{api: api, client: &http.Client{Transport: &http.Transport{TLSClientConfig: outgoing}}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", s.containerLogs)
	incoming := &tls.Config{ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	return (&http.Server{Addr: address, Handler: mux, TLSConfig: incoming}).ListenAndServeTLS(cert, key)
}

func (s *server) containerLogs(w http.ResponseWriter, r *http.Request) {
	name, query := r.PathValue("container"), r.URL.Query()
	p, err := s.pod(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	text, err := p.log(name, query.Get("previous") == "true")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, cut(text, query, time.Now()))
	if query.Get("follow") == "true" {
		s.follow(w, r, name)
	}
}

// follow keeps the answer open while the container runs, as a log without news does.
func (s *server) follow(w http.ResponseWriter, r *http.Request, name string) {
	_ = http.NewResponseController(w).Flush()
	for {
		p, err := s.pod(r)
		if err != nil || p.status(name).State.Running == nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(pollInterval):
		}
	}
}

func (s *server) pod(r *http.Request) (*pod, error) {
	path := "/api/v1/namespaces/" + url.PathEscape(r.PathValue("namespace")) + "/pods/" + url.PathEscape(r.PathValue("pod"))
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, s.api+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	p := &pod{}
	return p, json.NewDecoder(response.Body).Decode(p)
}

// cut applies the options of a log request: tailLines, then timestamps, then limitBytes.
func cut(text string, query url.Values, now time.Time) string {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if n, err := strconv.Atoi(query.Get("tailLines")); err == nil && n < len(lines) {
		lines = lines[len(lines)-n:]
	}
	if query.Get("timestamps") == "true" {
		for i := range lines {
			lines[i] = now.UTC().Format(time.RFC3339Nano) + " " + lines[i]
		}
	}
	out := strings.Join(lines, "")
	if n, err := strconv.Atoi(query.Get("limitBytes")); err == nil && n < len(out) {
		out = out[:n]
	}
	return out
}
