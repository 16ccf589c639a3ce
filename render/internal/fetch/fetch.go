package fetch

import (
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"

	"maquette.dev/render/internal/failure"
)

// Run is the fetch command: a request in JSON, an Answer.
func Run(ctx context.Context, text []byte) (any, error) {
	var request Request
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	return Fetch(ctx, request)
}

// Fetch answers with the folder of the wanted commit, which it downloads unless the cache has it.
//
// Its errors are of type *failure.Failure and hold no credential.
func Fetch(ctx context.Context, request Request) (Answer, error) {
	answer, err := fetchInTime(ctx, &request)
	if err == nil {
		return answer, nil
	}
	known := failure.Of(err, failure.InternalError)
	known.Message = request.Credentials.hide(known.Message)
	return Answer{}, known
}

func fetchInTime(ctx context.Context, request *Request) (Answer, error) {
	if err := request.complete(); err != nil {
		return Answer{}, err
	}
	timed, cancel := context.WithTimeout(ctx, request.Limits.time())
	defer cancel()
	answer, err := fetch(timed, *request)
	switch {
	case err == nil || timed.Err() == nil:
		return answer, err
	case errors.Is(timed.Err(), context.DeadlineExceeded):
		return Answer{}, failure.New(TooSlow, "Source was not there after %v: make the repository smaller, look at the server, "+
			"or raise the limit of seconds", request.Limits.time())
	default:
		return Answer{}, failure.New(TooSlow, "Fetch was stopped: it is tried again")
	}
}

func fetch(ctx context.Context, request Request) (Answer, error) {
	repo, err := parseRepository(request.RepositoryUrl, request.AllowedSchemes)
	if err != nil {
		return Answer{}, err
	}
	if err := repo.checkCredentials(request.Credentials, request.Network); err != nil {
		return Answer{}, err
	}
	store, err := openStore(request.CacheDir)
	if err != nil {
		return Answer{}, err
	}
	job := &job{request: request, repository: repo, store: store}
	defer job.close()
	return job.run(ctx)
}

// job is one fetch.
type job struct {
	request    Request
	repository repository
	store      *store
	source     source // nil until the server has to be asked
}

func (job *job) run(ctx context.Context) (Answer, error) {
	ref := job.request.Ref
	target := resolved{branch: ref.Branch}
	if wholeCommit.MatchString(ref.Commit) {
		target.commit = plumbing.NewHash(ref.Commit)
	} else {
		source, err := job.open(ctx)
		if err != nil {
			return Answer{}, err
		}
		if target, err = ref.resolve(ctx, source); err != nil {
			return Answer{}, err
		}
	}
	key := job.store.key(job.repository, target.commit.String(), job.request.Credentials)
	found, err := job.store.find(ctx, key)
	isNew := false
	if found == nil && err == nil {
		found, isNew, err = job.store.fill(ctx, key, job.request.Limits, func(scratch, source string) (entry, error) {
			return job.download(ctx, target, scratch, source)
		})
	}
	if err != nil {
		return Answer{}, err
	}
	return Answer{
		Commit: found.Commit, Path: job.store.sourcePath(key), Branch: target.branch, Ref: target.ref,
		Cached: !isNew, Files: found.Files, Bytes: found.Bytes, Warnings: found.Warnings,
	}, nil
}

// open connects to the repository, once.
func (job *job) open(ctx context.Context) (source, error) {
	var err error
	if job.source == nil {
		job.source, err = openSource(ctx, job.repository, job.request, job.store.tmpPath(""))
	}
	return job.source, err
}

func (job *job) close() {
	if job.source != nil {
		job.source.close()
	}
}

// download brings the commit into a scratch folder and checks it out.
func (job *job) download(ctx context.Context, target resolved, scratch, folder string) (entry, error) {
	source, err := job.open(ctx)
	if err != nil {
		return entry{}, err
	}
	objects, err := source.commit(ctx, wanted{target.commit, target.ref != "", job.request.Ref.hints(), scratch})
	if errors.Is(err, errNoSuchCommit) {
		return entry{}, failure.New(CommitNotFound, "Repository has no commit %q: push it, or check that it was not replaced by a forced push",
			target.commit)
	}
	if err != nil {
		return entry{}, err
	}
	plan, err := planCheckout(ctx, objects, target.commit, job.request.Limits)
	if err != nil {
		return entry{}, err
	}
	written, err := writeCheckout(ctx, plan, folder)
	if err != nil {
		return entry{}, err
	}
	return entry{
		Repository: job.repository.String(),
		Commit:     target.commit.String(),
		Files:      len(plan.items),
		Bytes:      written.bytes,
		Disk:       written.disk,
		Warnings:   written.warnings(),
	}, nil
}
