package fetch

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"maquette.dev/render/internal/failure"
)

// Request is what the fetch command reads. The package's comment explains every field.
type Request struct {
	RepositoryUrl  string      `json:"repositoryUrl"`
	Ref            Ref         `json:"ref"`
	CacheDir       string      `json:"cacheDir"`
	Limits         Limits      `json:"limits"`
	Credentials    Credentials `json:"credentials"`
	AllowedSchemes []string    `json:"allowedSchemes"`
	Network        Network     `json:"network"`
}

// Ref says which commit. The most exact field wins; none of them is the default branch.
type Ref struct {
	Commit      string `json:"commit"`
	Branch      string `json:"branch"`
	PullRequest int    `json:"pullRequest"`
}

// Limits bound a fetch and the cache. Zero is the default.
type Limits struct {
	Bytes       int64   `json:"bytes"`
	Files       int     `json:"files"`
	Seconds     float64 `json:"seconds"`
	CacheBytes  int64   `json:"cacheBytes"`
	FileBytes   int64   `json:"fileBytes"`
	KeepSeconds *int    `json:"keepSeconds"`
	// MemoryBytes of the process are watched by package limits.
	MemoryBytes int64 `json:"memoryBytes"`
}

// Credentials are the content of a Secret. Host is the only host that is given the secret ones.
type Credentials struct {
	Host          string `json:"host"`
	Username      string `json:"username"`
	Password      string `json:"password"`
	Token         string `json:"token"`
	SshPrivateKey string `json:"sshPrivateKey"`
	KnownHosts    string `json:"knownHosts"`
	CaBundle      string `json:"caBundle"`
}

// Network says which addresses may be asked, and how.
type Network struct {
	AllowLoopback         bool           `json:"allowLoopback"`
	AllowPlainCredentials bool           `json:"allowPlainCredentials"`
	Denied                []netip.Prefix `json:"denied"`
	Allowed               []netip.Prefix `json:"allowed"`
	CaBundle              string         `json:"caBundle"`
}

// Answer is what the fetch command writes.
type Answer struct {
	Commit   string    `json:"commit"`
	Path     string    `json:"path"`
	Branch   string    `json:"branch,omitempty"`
	Ref      string    `json:"ref,omitempty"`
	Cached   bool      `json:"cached"`
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`
	Warnings []Warning `json:"warnings"`
}

// Warning says what of the commit is not in the checkout. File is the first of the paths that it is about.
type Warning struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	File    string `json:"file"`
}

// decode reads one JSON object of a known shape. The text of its errors quotes no value of the input: it may be secret.
func decode(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil && decoder.More():
		return failure.New(failure.InvalidRequest, "Request is more than one JSON object")
	case err == nil:
		return nil
	case errors.As(err, &wrongType):
		return failure.New(failure.InvalidRequest, "Request has the wrong type in field %q: %s is wanted", wrongType.Field, wrongType.Type)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return failure.New(failure.InvalidRequest, "Request has an %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return failure.New(failure.InvalidRequest, "Request is not a JSON object of the wanted shape")
}

// complete fills in defaults and checks what can be checked without looking at the repository.
func (request *Request) complete() error {
	if !filepath.IsAbs(request.CacheDir) {
		return failure.New(failure.InvalidRequest, "Field \"cacheDir\" has to be an absolute path: %q", request.CacheDir)
	}
	request.CacheDir = filepath.Clean(request.CacheDir)
	if len(request.AllowedSchemes) == 0 {
		request.AllowedSchemes = []string{"https", "http", "ssh"}
	}
	request.Credentials.trim()
	if err := request.Limits.complete(); err != nil {
		return err
	}
	return request.Ref.complete()
}

func (limits *Limits) complete() error {
	if limits.Bytes < 0 || limits.Files < 0 || limits.Seconds < 0 || limits.CacheBytes < 0 || limits.FileBytes < 0 {
		return failure.New(failure.InvalidRequest, "Field \"limits\" has a number below 0")
	}
	setDefault(&limits.Bytes, 256<<20)
	setDefault(&limits.Files, 20_000)
	setDefault(&limits.Seconds, 60)
	setDefault(&limits.CacheBytes, 2<<30)
	setDefault(&limits.FileBytes, 100<<20)
	return nil
}

func setDefault[number int | int64 | float64](field *number, value number) {
	if *field == 0 {
		*field = value
	}
}

// keep is how long after its last use a checkout is not evicted.
func (limits Limits) keep() time.Duration {
	if limits.KeepSeconds == nil {
		return 2 * time.Minute
	}
	return time.Duration(*limits.KeepSeconds) * time.Second
}

func (limits Limits) time() time.Duration {
	return time.Duration(limits.Seconds * float64(time.Second))
}

var (
	wholeCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)
	shortCommit = regexp.MustCompile(`^[0-9a-f]{7,39}$`)
	// The rules of git check-ref-format, as far as a name could be mistaken for something else.
	noBranch = regexp.MustCompile(`[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^[-/.]|//|/\.|\.lock$|\.lock/|[/.]$`)
)

func (ref *Ref) complete() error {
	ref.Commit = strings.ToLower(ref.Commit)
	if ref.Commit != "" && !wholeCommit.MatchString(ref.Commit) && !shortCommit.MatchString(ref.Commit) {
		return failure.New(failure.InvalidRequest, "Commit %q is not the 40 hexadecimal digits of a commit", ref.Commit)
	}
	if len(ref.Branch) > 1000 || noBranch.MatchString(ref.Branch) {
		return failure.New(failure.InvalidRequest, "Branch %q is not a name that git allows", ref.Branch)
	}
	if ref.PullRequest < 0 {
		return failure.New(failure.InvalidRequest, "Pull request %d is below 0", ref.PullRequest)
	}
	return nil
}

// trim removes the line ends that Secrets made from files have.
func (credentials *Credentials) trim() {
	for _, field := range []*string{
		&credentials.Host, &credentials.Username, &credentials.Password, &credentials.Token,
	} {
		*field = strings.TrimSpace(*field)
	}
}

// areSecret tells whether there is anything that only one host may see.
func (credentials Credentials) areSecret() bool {
	return credentials.Username != "" || credentials.secret() != "" || credentials.SshPrivateKey != ""
}

// secret is the password or what is used as one.
func (credentials Credentials) secret() string {
	if credentials.Token != "" {
		return credentials.Token
	}
	return credentials.Password
}

// basic returns the user name and password for HTTP.
func (credentials Credentials) basic() (username, password string) {
	username = credentials.Username
	if username == "" && credentials.Token != "" {
		username = "x-access-token"
	}
	return username, credentials.secret()
}

// shortestHidden: hiding a shorter word would spoil our own, and so tell what was hidden. In bytes.
const shortestHidden = 6

// hide replaces every secret in a text, as it is and as HTTP sends it, and what is left of one at the text's cut end.
func (credentials Credentials) hide(text string) string {
	username, password := credentials.basic()
	secrets := []string{credentials.SshPrivateKey, credentials.Token, credentials.Password}
	if password != "" {
		secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte(username+":"+password)))
	}
	for _, secret := range secrets {
		if len(secret) >= shortestHidden {
			text = cutOff(strings.ReplaceAll(text, secret, "***"), secret)
		}
	}
	return text
}

// cutOff removes the beginning of a secret from the end of a text that was shortened.
func cutOff(text, secret string) string {
	kept, isShort := strings.CutSuffix(text, "…")
	for length := len(secret) - 1; isShort && length > 0; length-- {
		if begin, found := strings.CutSuffix(kept, secret[:length]); found {
			return begin + "***…"
		}
	}
	return text
}
