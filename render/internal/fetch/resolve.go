package fetch

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"maquette.dev/render/internal/failure"
)

// resolved is the commit that a request stands for, and the reference that said so, if one did.
type resolved struct {
	commit      plumbing.Hash
	branch, ref string
}

const branches = "refs/heads/"

// pullRequestNames are what servers call the head of a pull request: GitHub and Gitea, GitLab, Bitbucket, Azure.
func pullRequestNames(number int) []string {
	var names []string
	for _, form := range []string{
		"refs/pull/%d/head", "refs/merge-requests/%d/head", "refs/pull-requests/%d/from", "refs/pull/%d/merge",
	} {
		names = append(names, fmt.Sprintf(form, number))
	}
	return names
}

// hints are the references in whose history a commit is looked for.
func (ref Ref) hints() []string {
	var names []string
	if ref.PullRequest != 0 {
		names = append(names, pullRequestNames(ref.PullRequest)...)
	}
	if ref.Branch != "" {
		names = append(names, branches+ref.Branch)
	}
	if len(names) == 0 {
		names = append(names, branches)
	}
	return names
}

// resolve asks the repository which commit is meant.
func (ref Ref) resolve(ctx context.Context, source source) (resolved, error) {
	found, err := ref.find(ctx, source)
	if err != nil || found != nil {
		return deref(found), err
	}
	any, err := source.references(ctx, []string{branches, "refs/tags/"})
	if err != nil {
		return resolved{}, err
	}
	if len(any) == 0 {
		return resolved{}, failure.New(RepositoryEmpty, "Repository has no commit yet: push one")
	}
	switch {
	case ref.Commit != "":
		return resolved{}, failure.New(CommitNotFound, "Commit %q is short, and not the start of exactly one branch's or pull request's "+
			"last commit: write all of its 40 digits", ref.Commit)
	case ref.PullRequest != 0:
		return resolved{}, failure.New(RefNotFound, "Repository has no pull request %d, under none of the names %s",
			ref.PullRequest, strings.Join(pullRequestNames(ref.PullRequest), ", "))
	case ref.Branch != "":
		return resolved{}, failure.New(RefNotFound, "Repository has no branch %q: push it, or name another", ref.Branch)
	default:
		return resolved{}, failure.New(RefNotFound, "Repository's default branch does not exist: name a branch")
	}
}

func deref(found *resolved) resolved {
	if found == nil {
		return resolved{}
	}
	return *found
}

func (ref Ref) find(ctx context.Context, source source) (*resolved, error) {
	switch {
	case ref.Commit != "":
		return findShort(ctx, source, ref)
	case ref.PullRequest != 0:
		return findFirst(ctx, source, pullRequestNames(ref.PullRequest), ref.Branch)
	case ref.Branch != "":
		return findFirst(ctx, source, []string{branches + ref.Branch}, ref.Branch)
	default:
		return findFirst(ctx, source, []string{"HEAD"}, "")
	}
}

// findFirst returns what the first of the names that exists points at.
func findFirst(ctx context.Context, source source, names []string, branch string) (*resolved, error) {
	references, err := source.references(ctx, names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		for _, reference := range references {
			if reference.name != name {
				continue
			}
			if target, isBranch := strings.CutPrefix(reference.target, branches); isBranch {
				branch = target
			}
			return &resolved{reference.hash, branch, name}, nil
		}
	}
	return nil, nil
}

// findShort returns the only last commit of a reference that begins with the digits.
func findShort(ctx context.Context, source source, ref Ref) (*resolved, error) {
	references, err := source.references(ctx, []string{"refs/"})
	if err != nil {
		return nil, err
	}
	var found *resolved
	for _, reference := range references {
		if !strings.HasPrefix(reference.hash.String(), ref.Commit) {
			continue
		}
		if found != nil && found.commit != reference.hash {
			return nil, nil
		}
		if found == nil {
			found = &resolved{reference.hash, ref.Branch, reference.name}
		}
	}
	return found, nil
}
