package fetch

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"

	"maquette.dev/render/internal/failure"
)

// What servers say in words. Git's own, GitHub's, GitLab's, Bitbucket's, Gitea's and JGit's.
var (
	saysNotServed = regexp.MustCompile(`(?i)not our ref|want [0-9a-f]{40} not valid|unadvertised object`)
	saysNoCommit  = regexp.MustCompile(`(?i)not our ref|bad object|missing (blob|tree|commit|object)`)
	saysNoRepo    = regexp.MustCompile(`(?i)not found|does(n't| not) exist|not appear to be a git repo|not a git repo|no such (repo|file|project)|could not be found|cannot find`)
	saysNoAccess  = regexp.MustCompile(`(?i)denied|permission|unauthorized|not allowed|authenticat|forbidden`)
)

// errNoSuchCommit: the server hands out any commit, and has not got this one.
var errNoSuchCommit = errors.New("no such commit")

// serverSaid turns a server's words into an error.
func serverSaid(text string) error {
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "\x00", "")), " ")
	switch {
	case saysNotServed.MatchString(text):
		if saysNoCommit.MatchString(text) {
			return errNoSuchCommit
		}
		return errNotServed
	case saysNoAccess.MatchString(text):
		return failure.New(AuthenticationFailed, "Server refuses access: check what the Secret's credentials may read: %q", text)
	case saysNoRepo.MatchString(text):
		return failure.New(RepositoryNotFound, "Server has no such repository, or does not show it to these credentials: "+
			"check the repository's URL: %q", text)
	default:
		return failure.New(ServerFailed, "Server failed: %q", text)
	}
}

// broken explains an error in the middle of an answer.
func broken(err error, host string) error {
	var known *failure.Failure
	switch {
	case err == nil || errors.As(err, &known),
		errors.Is(err, errNotServed), errors.Is(err, errNoSuchCommit),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return failure.New(HostUnreachable, "Host %q ended its answer too early", host)
	default:
		return failure.New(HostUnreachable, "Connection to host %q broke: %v", host, err)
	}
}
