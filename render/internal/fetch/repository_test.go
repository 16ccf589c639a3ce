package fetch

import (
	"errors"
	"strings"
	"testing"

	"maquette.dev/render/internal/failure"
)

func TestUrlsOfOneRepositoryAreOne(t *testing.T) {
	for text, want := range map[string]string{
		"https://git.example.com/a/b.git":       "https://git.example.com/a/b.git",
		"HTTPS://Git.Example.com:443/a/b.git":   "https://git.example.com/a/b.git",
		" https://git.example.com:8443/a ":      "https://git.example.com:8443/a",
		"git@git.example.com:a/b.git":           "ssh://git@git.example.com/./a/b.git",
		"git.example.com:/a/b.git":              "ssh://git.example.com/a/b.git",
		"ssh://git@git.example.com:22/a/b.git":  "ssh://git@git.example.com/a/b.git",
		"ssh://git@git.example.com:7999/~u/b":   "ssh://git@git.example.com:7999/~u/b",
		"https://[2001:db8::1]/a.git":           "https://[2001:db8::1]/a.git",
		"https://[2001:db8::1]:8443/a.git":      "https://[2001:db8::1]:8443/a.git",
		"file:///srv/git/a.git":                 "file:///srv/git/a.git",
		"http://git.example.com/with%20a%20gap": "http://git.example.com/with a gap",
	} {
		repo, err := parseRepository(text, []string{"https", "http", "ssh", "file"})
		check(t, err)
		equal(t, text, repo.String(), want)
	}
}

func TestUrlsThatAreNoneAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     InvalidUrl,
		"git.example.com/a":                    InvalidUrl,
		"https:///a":                           InvalidUrl,
		"https://git.example.com":              InvalidUrl,
		"https://git.example.com/":             InvalidUrl,
		"https://git.example.com/a\nHost: b":   InvalidUrl,
		"https://git.example.com/a?x=1":        InvalidUrl,
		"https://git.example.com/a#x":          InvalidUrl,
		"https://gi t.example.com/a":           InvalidUrl,
		"https://-git.example.com/a":           InvalidUrl,
		"https://user@git.example.com/a":       InvalidUrl,
		"ssh://git:pw@git.example.com/a":       InvalidUrl,
		"ssh://-oProxyCommand=evil/a":          InvalidUrl,
		"-oProxyCommand=evil:a":                InvalidUrl,
		"git@git.example.com:--upload-pack=x":  InvalidUrl,
		"ssh://git.example.com/-x":             InvalidUrl,
		"file://git.example.com/a":             InvalidUrl,
		"git://git.example.com/a":              SchemeRefused,
		"ftp://git.example.com/a":              SchemeRefused,
		"ext::sh -c evil":                      InvalidUrl,
		"https://git.example.com:port/a":       InvalidUrl,
		"https://git.example.com%2fevil.com/a": InvalidUrl,
	} {
		_, err := parseRepository(text, []string{"https", "http", "ssh", "file"})
		var known *failure.Failure
		if !errors.As(err, &known) || known.Reason != want {
			t.Errorf("%q: want %s, got %v", text, want, err)
		}
	}
}

func TestBranchNamesThatGitRefusesAreRefused(t *testing.T) {
	for _, name := range []string{
		"-x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", `a\b`, "a//b", "/a", "a/", "a.", ".a", "a/.b", "a.lock", "a.lock/b",
		"a@{1}", "a\x00b", "a\nb",
	} {
		request := Request{RepositoryUrl: "https://git.example.com/a", CacheDir: t.TempDir(), Ref: Ref{Branch: name}}
		refused(t, request, failure.InvalidRequest)
	}
}

func TestRequestsOfAnotherShapeAreRefusedWithoutShowingThem(t *testing.T) {
	for text, says := range map[string]string{
		`{"repositoryURl2": "secret"}`:       `unknown field "repositoryURl2"`,
		`{"ref": {"pullRequest": "secret"}}`: `"ref.pullRequest"`,
		`["secret"]`:                         "wrong type",
		`{"ref": secret}`:                    "not a JSON object",
		`{} {}`:                              "more than one",
		``:                                   "not a JSON object",
	} {
		_, err := Run(t.Context(), []byte(text))
		var known *failure.Failure
		if !errors.As(err, &known) || known.Reason != failure.InvalidRequest {
			t.Fatalf("%q: got %v", text, err)
		}
		contains(t, known.Message, says)
		if strings.Contains(known.Message, "secret") {
			t.Errorf("message shows the request: %q", known.Message)
		}
	}
}
