package fetch

import (
	"context"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// source is a repository that can be asked, by whatever protocol.
type source interface {
	// references lists those with one of the names. A name that ends in a slash stands for all below it.
	references(ctx context.Context, names []string) ([]reference, error)
	// commit returns objects among which are the commit and all that it holds.
	commit(ctx context.Context, wanted wanted) (objects, error)
	close()
}

// objects finds what a hash names.
type objects interface {
	object(hash plumbing.Hash) (plumbing.EncodedObject, error)
}

// wanted is a commit, and what is known about where it is.
type wanted struct {
	commit plumbing.Hash
	// resolved: a reference of the repository pointed at it a moment ago.
	resolved bool
	// hints are names of references in whose history to look, where a server serves no bare commit.
	hints []string
	// scratch is a folder for what was downloaded.
	scratch string
}

// reference is a name in a repository and the commit it points at. Target is what a symbolic one points at.
type reference struct {
	name, target string
	hash         plumbing.Hash
}

// isOneOf tells whether the reference is among the names, see source.references.
func (reference reference) isOneOf(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return name == reference.name || strings.HasSuffix(name, "/") && strings.HasPrefix(reference.name, name)
	})
}

// openSource connects to the repository. scratch is a folder for a moment's files.
func openSource(ctx context.Context, repo repository, request Request, scratch string) (source, error) {
	meter := &meter{limit: request.Limits.Bytes}
	switch repo.scheme {
	case "file":
		return openLocal(repo)
	case "ssh":
		wire, err := newSshWire(ctx, repo, request, meter, scratch)
		if err != nil {
			return nil, err
		}
		return openRemote(ctx, wire, request.Limits)
	default:
		wire, err := newHttpWire(repo, request, meter)
		if err != nil {
			return nil, err
		}
		return openRemote(ctx, wire, request.Limits)
	}
}
