package fetch

import (
	"context"
	"os"
	"path/filepath"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"maquette.dev/render/internal/failure"
)

// local reads a repository on this machine's disk, for tests and development.
type local struct {
	storage *filesystem.Storage
}

func openLocal(repo repository) (source, error) {
	for _, folder := range []string{filepath.Join(repo.path, ".git"), repo.path} {
		if _, err := os.Stat(filepath.Join(folder, "objects")); err == nil {
			return &local{filesystem.NewStorage(osfs.New(folder), cache.NewObjectLRUDefault())}, nil
		}
	}
	return nil, failure.New(RepositoryNotFound, "Folder %q is no git repository: check the repository's URL", repo.path)
}

func (local *local) references(_ context.Context, names []string) ([]reference, error) {
	all, err := local.storage.IterReferences()
	if err != nil {
		return nil, failure.New(InvalidRepository, "References cannot be read: %v", err)
	}
	var found []reference
	err = all.ForEach(func(next *plumbing.Reference) error {
		// One that points at nothing is that of an empty repository.
		resolved, err := storer.ResolveReference(local.storage, next.Name())
		if err != nil {
			return nil
		}
		one := reference{name: next.Name().String(), target: next.Target().String(), hash: resolved.Hash()}
		if one.isOneOf(names) {
			found = append(found, one)
		}
		return nil
	})
	return found, err
}

func (local *local) commit(_ context.Context, wanted wanted) (objects, error) {
	if err := local.storage.HasEncodedObject(wanted.commit); err != nil {
		return nil, errNoSuchCommit
	}
	return local, nil
}

func (local *local) object(hash plumbing.Hash) (plumbing.EncodedObject, error) {
	return local.storage.EncodedObject(plumbing.AnyObject, hash)
}

func (local *local) close() { _ = local.storage.Close() }
