package fetch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"maquette.dev/render/internal/failure"
)

// httpWire speaks git's smart HTTP protocol (gitprotocol-http). It follows redirects within the host only.
type httpWire struct {
	client      *http.Client
	repository  repository
	base        string // the repository's URL, after redirects
	credentials Credentials
	meter       *meter
	body        io.ReadCloser // of the answer that is being read
}

const maxRedirects = 5

func newHttpWire(repo repository, request Request, meter *meter) (*httpWire, error) {
	authorities, err := authorities(request)
	if err != nil {
		return nil, err
	}
	wire := &httpWire{repository: repo, credentials: request.Credentials, meter: meter}
	wire.base = (&url.URL{Scheme: repo.scheme, Host: repo.authority(), Path: strings.TrimRight(repo.path, "/")}).String()
	wire.client = &http.Client{
		CheckRedirect: wire.checkRedirect,
		Transport: &http.Transport{
			// No Proxy: a proxy's address would be judged in place of the server's.
			DialContext:         request.Network.dial,
			TLSClientConfig:     &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: connectTime,
			ForceAttemptHTTP2:   true,
			DisableCompression:  true, // what is counted is what is read
			IdleConnTimeout:     10 * time.Second,
		},
	}
	return wire, nil
}

// authorities are the system's, those of the network, and those that come with the credentials; nil are the system's.
func authorities(request Request) (*x509.CertPool, error) {
	own, network := strings.TrimSpace(request.Credentials.CaBundle), strings.TrimSpace(request.Network.CaBundle)
	if own == "" && network == "" {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if network != "" && !pool.AppendCertsFromPEM([]byte(network)) {
		return nil, failure.New(failure.InvalidRequest, "The operator's authorities have no certificate in PEM form")
	}
	if own != "" && !pool.AppendCertsFromPEM([]byte(own)) {
		return nil, failure.New(CredentialsRefused, "Key \"ca.crt\" of the repository's Secret has no certificate in PEM form")
	}
	return pool, nil
}

// checkRedirect keeps the request, and with it the credentials, at its host. A step from http to https is allowed.
func (wire *httpWire) checkRedirect(next *http.Request, sofar []*http.Request) error {
	before := sofar[len(sofar)-1]
	if before.Method != http.MethodGet {
		return failure.New(RedirectRefused, "Server redirects in the middle of a fetch: use its final URL as repositoryUrl")
	}
	isSame := next.URL.Scheme == before.URL.Scheme && strings.EqualFold(next.URL.Host, before.URL.Host)
	isUpgrade := before.URL.Scheme == "http" && next.URL.Scheme == "https" &&
		strings.EqualFold(next.URL.Hostname(), before.URL.Hostname()) && before.URL.Port() == "" && next.URL.Port() == ""
	if !isSame && !isUpgrade {
		return failure.New(RedirectRefused, "Host %q redirects to %q, which was not asked and was sent no credentials: "+
			"use the final URL as repositoryUrl", before.URL.Host, next.URL.Scheme+"://"+next.URL.Host)
	}
	if len(sofar) > maxRedirects {
		return failure.New(RedirectRefused, "Host %q redirects more than %d times: use its final URL as repositoryUrl",
			before.URL.Host, maxRedirects)
	}
	return nil
}

func (wire *httpWire) greet(ctx context.Context) (*bufio.Reader, error) {
	const service = "/info/refs?service=git-upload-pack"
	response, err := wire.send(ctx, http.MethodGet, wire.base+service, nil)
	if err != nil {
		return nil, err
	}
	if kind := response.Header.Get("Content-Type"); kind != "application/x-git-upload-pack-advertisement" {
		return nil, failure.New(RepositoryNotFound, "Server answers with %q instead of git's protocol: "+
			"check that the repository's URL is the one to clone from, and whether it needs credentials", kind)
	}
	final, isRepository := strings.CutSuffix(response.Request.URL.String(), service)
	if !isRepository {
		return nil, failure.New(RedirectRefused, "Server redirects to something that is no repository: use its final URL as repositoryUrl")
	}
	wire.base = final
	return bufio.NewReader(wire.meter.reader(ctx, response.Body)), nil
}

func (wire *httpWire) ask(ctx context.Context, request []byte) (*bufio.Reader, error) {
	response, err := wire.send(ctx, http.MethodPost, wire.base+"/git-upload-pack", request)
	if err != nil {
		return nil, err
	}
	return bufio.NewReader(wire.meter.reader(ctx, response.Body)), nil
}

func (wire *httpWire) send(ctx context.Context, method, url string, body []byte) (*http.Response, error) {
	wire.close()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, failure.New(InvalidUrl, "Repository's URL cannot be asked")
	}
	request.Header.Set("Git-Protocol", "version=2")
	request.Header.Set("User-Agent", "git/2 maquette-render")
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		request.Header.Set("Accept", "application/x-git-upload-pack-result")
	}
	if username, password := wire.credentials.basic(); username != "" || password != "" {
		request.SetBasicAuth(username, password)
	}
	response, err := wire.client.Do(request)
	if err != nil {
		return nil, wire.explain(ctx, err)
	}
	wire.body = response.Body
	return response, wire.judge(response)
}

// judge turns a status into a failure.
func (wire *httpWire) judge(response *http.Response) error {
	host := wire.repository.authority()
	switch status := response.StatusCode; {
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized && !wire.credentials.areSecret():
		return failure.New(AuthenticationFailed, "Host %q asks for credentials: name a Secret in the source's secretRef, "+
			"or check the repository's URL", host)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return failure.New(AuthenticationFailed, "Host %q refuses the credentials with status %d: renew them in the Secret, "+
			"and check that they may read this repository", host, status)
	case status == http.StatusNotFound, status == http.StatusGone:
		return failure.New(RepositoryNotFound, "Host %q has no such repository, or does not show it to these credentials: "+
			"check the repository's URL", host)
	default:
		return failure.New(ServerFailed, "Host %q answers with status %d", host, status)
	}
}

// explain turns an error of a request into a failure. It leaves out the URL that net/http puts before it.
func (wire *httpWire) explain(ctx context.Context, err error) error {
	var known *failure.Failure
	var untrusted *tls.CertificateVerificationError
	var wrapped *url.Error
	switch {
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &untrusted):
		return failure.New(CertificateUntrusted, "Certificate of host %q is not trusted: put its authority into key \"ca.crt\" of the repository's Secret: %v",
			wire.repository.authority(), untrusted.Err)
	case errors.As(err, &wrapped):
		err = wrapped.Err
	}
	return failure.New(HostUnreachable, "Host %q cannot be asked: %v", wire.repository.authority(), err)
}

func (wire *httpWire) finish(err error) error {
	if err == nil && wire.body != nil {
		// An answer that was read to its end leaves the connection for the next one.
		_, _ = io.CopyN(io.Discard, wire.body, 512)
	}
	wire.close()
	return broken(err, wire.repository.authority())
}

func (wire *httpWire) close() {
	if wire.body != nil {
		_ = wire.body.Close()
		wire.body = nil
	}
}
