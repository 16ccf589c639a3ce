package fetch

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"maquette.dev/render/internal/failure"
)

// repository is a parsed URL. Host is in lower case, port is always filled in where the scheme has ports.
type repository struct {
	scheme, user, host, port, path string
}

var (
	shortSsh     = regexp.MustCompile(`^(?:([^@/:]+)@)?([^@/:]+):([^/:].*|/.+)$`)
	hostName     = regexp.MustCompile(`^[a-z0-9_]([a-z0-9._-]*[a-z0-9])?\.?$`)
	controlChars = regexp.MustCompile(`[\x00-\x1f\x7f]`)
	defaultPorts = map[string]string{"https": "443", "http": "80", "ssh": "22"}
)

// parseRepository reads a URL, or ssh's short form user@host:path. Its errors do not quote what may hold a password.
func parseRepository(text string, allowedSchemes []string) (repository, error) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > 2000 || controlChars.MatchString(text) {
		return repository{}, failure.New(InvalidUrl, "Repository's URL is empty, over 2000 bytes, or has control characters")
	}
	repo, err := parseForm(text)
	if err != nil {
		return repository{}, err
	}
	if !slices.Contains(allowedSchemes, repo.scheme) {
		return repository{}, failure.New(SchemeRefused, "Scheme %q of the repository's URL is not allowed: use one of %s",
			repo.scheme, strings.Join(allowedSchemes, ", "))
	}
	return repo, repo.check()
}

func parseForm(text string) (repository, error) {
	if short := shortSsh.FindStringSubmatch(text); short != nil && !strings.Contains(text, "://") {
		return repository{scheme: "ssh", user: short[1], host: strings.ToLower(short[2]), port: "22", path: short[3]}, nil
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme == "" || parsed.Opaque != "" {
		return repository{}, failure.New(InvalidUrl, "Repository's URL is neither scheme://host/path nor user@host:path")
	}
	if _, has := parsed.User.Password(); has {
		return repository{}, failure.New(InvalidUrl, "Repository's URL holds a password: put it into the Secret of the source")
	}
	if parsed.RawQuery != "" || parsed.Fragment != "" {
		return repository{}, failure.New(InvalidUrl, "Repository's URL has a query or a fragment: leave it out")
	}
	repo := repository{
		scheme: strings.ToLower(parsed.Scheme),
		user:   parsed.User.Username(),
		host:   strings.ToLower(parsed.Hostname()),
		port:   parsed.Port(),
		path:   parsed.Path,
	}
	if repo.port == "" {
		repo.port = defaultPorts[repo.scheme]
	}
	return repo, nil
}

func (repo repository) check() error {
	if strings.Trim(repo.path, "/") == "" {
		return failure.New(InvalidUrl, "Repository's URL has no path")
	}
	if repo.scheme == "file" {
		if repo.host != "" || repo.user != "" {
			return failure.New(InvalidUrl, "Repository's URL names a host: a file has the form file:///path")
		}
		return nil
	}
	if _, known := defaultPorts[repo.scheme]; !known {
		return failure.New(SchemeRefused, "Scheme %q is none that the renderer speaks: use https or ssh", repo.scheme)
	}
	if net.ParseIP(repo.host) == nil && !hostName.MatchString(repo.host) {
		return failure.New(InvalidUrl, "Repository's URL has no usable host: %q", repo.host)
	}
	if repo.scheme != "ssh" && repo.user != "" {
		// A token is a common "user name", and URLs are not kept secret.
		return failure.New(InvalidUrl, "Repository's URL holds a user name: put it into the Secret of the source")
	}
	if strings.HasPrefix(strings.TrimLeft(repo.path, "/"), "-") {
		return failure.New(InvalidUrl, "Repository's path begins with a dash: %q", repo.path)
	}
	return nil
}

// address is host:port, as one dials it.
func (repo repository) address() string { return net.JoinHostPort(repo.host, repo.port) }

// String is the URL without any credential: the same for every way to write it.
func (repo repository) String() string {
	if repo.scheme == "file" {
		return "file://" + repo.path
	}
	host := repo.authority()
	if repo.user != "" {
		host = repo.user + "@" + host
	}
	// ssh's short form has paths relative to a home, which are another folder.
	if !strings.HasPrefix(repo.path, "/") {
		return repo.scheme + "://" + host + "/./" + repo.path
	}
	return repo.scheme + "://" + host + repo.path
}

// checkCredentials refuses credentials that belong to another host, or that anybody on the way could read.
func (repo repository) checkCredentials(credentials Credentials, network Network) error {
	if !credentials.areSecret() {
		return nil
	}
	if repo.scheme == "file" {
		return failure.New(CredentialsRefused, "A file needs no credentials: leave the Secret out")
	}
	if credentials.Host == "" {
		return failure.New(CredentialsRefused, "Credentials do not say which host they are for: set \"host\" in the Secret to %q", repo.authority())
	}
	if strings.ToLower(credentials.Host) != repo.authority() && strings.ToLower(credentials.Host) != repo.address() {
		return failure.New(CredentialsRefused, "Credentials are for host %q, the repository is at %q: nothing was sent",
			credentials.Host, repo.authority())
	}
	if repo.scheme == "http" && !network.AllowPlainCredentials {
		return failure.New(CredentialsRefused, "Credentials would travel unencrypted: use https in the repository's URL")
	}
	return nil
}

// authority is the host as a person writes it: with a port only where it is not the scheme's own.
func (repo repository) authority() string {
	if repo.port == defaultPorts[repo.scheme] {
		return strings.TrimSuffix(repo.address(), ":"+repo.port)
	}
	return repo.address()
}
