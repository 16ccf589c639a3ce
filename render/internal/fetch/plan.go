package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"maquette.dev/render/internal/failure"
)

// item is one path of the checkout. Folders come before what is in them.
type item struct {
	path string
	mode filemode.FileMode
	hash plumbing.Hash
	link string // the target of a link
}

// plan is all that a checkout will consist of. It is judged as a whole before anything is written.
type plan struct {
	objects    objects
	limits     Limits
	items      []item
	links      map[string]string
	submodules []string
}

// maxDepth is how deep folders may be nested.
const maxDepth = 100

// planCheckout lists what a commit holds, and refuses what must not be written to disk.
func planCheckout(ctx context.Context, objects objects, commit plumbing.Hash, limits Limits) (*plan, error) {
	encoded, err := read(objects, commit, plumbing.CommitObject)
	if err != nil {
		return nil, err
	}
	var decoded object.Commit
	if err := decoded.Decode(encoded); err != nil {
		return nil, failure.New(InvalidRepository, "Commit %q is damaged: %v", commit, err)
	}
	plan := &plan{objects: objects, limits: limits, links: map[string]string{}}
	if err := plan.addFolder(ctx, decoded.TreeHash, "", 0); err != nil {
		return nil, err
	}
	for _, item := range plan.items {
		if item.mode == filemode.Symlink && leaves(item.path, plan.links) {
			return nil, failure.At(failure.PathEscapes, item.path, 0, "Link leads out of the checkout, to %q: take it out of the repository", item.link)
		}
	}
	return plan, nil
}

// read returns an object of the wanted type.
func read(objects objects, hash plumbing.Hash, kind plumbing.ObjectType) (plumbing.EncodedObject, error) {
	found, err := objects.object(hash)
	if err != nil {
		return nil, failure.New(InvalidRepository, "Repository lacks %s %q, which the commit needs: %v", kind, hash, err)
	}
	if found.Type() == kind {
		return found, nil
	}
	if kind == plumbing.CommitObject {
		return nil, failure.New(CommitNotFound, "Object %q is a %s: name the commit it stands for", hash, found.Type())
	}
	return nil, failure.New(InvalidRepository, "Object %q is a %s, the commit needs a %s", hash, found.Type(), kind)
}

func (plan *plan) addFolder(ctx context.Context, hash plumbing.Hash, folder string, depth int) error {
	if depth > maxDepth {
		return failure.At(PathRefused, folder, 0, "Folders are nested deeper than %d: make the repository flatter", maxDepth)
	}
	encoded, err := read(plan.objects, hash, plumbing.TreeObject)
	if err != nil {
		return err
	}
	var tree object.Tree
	if err := tree.Decode(encoded); err != nil {
		return failure.New(InvalidRepository, "Folder %q of the commit is damaged: %v", folder, err)
	}
	names := make(map[string]bool, len(tree.Entries))
	for _, entry := range tree.Entries {
		next := item{path: entry.Name, mode: entry.Mode, hash: entry.Hash}
		if folder != "" {
			next.path = folder + "/" + entry.Name
		}
		if err := errors.Join(ctx.Err(), checkName(entry.Name, next.path)); err != nil {
			return err
		}
		if names[entry.Name] {
			return failure.At(PathRefused, next.path, 0, "Path is in the commit twice: make the commit anew")
		}
		names[entry.Name] = true
		if err := plan.add(ctx, next, depth); err != nil {
			return err
		}
	}
	return nil
}

func (plan *plan) add(ctx context.Context, next item, depth int) error {
	if len(plan.items) >= plan.limits.Files {
		return failure.New(TooManyFiles, "Commit has more than %d files and folders: make the repository smaller, "+
			"or raise the limit of files", plan.limits.Files)
	}
	at := len(plan.items)
	plan.items = append(plan.items, next)
	switch next.mode {
	case filemode.Dir:
		return plan.addFolder(ctx, next.hash, next.path, depth+1)
	case filemode.Submodule:
		plan.submodules = append(plan.submodules, next.path)
	case filemode.Symlink:
		target, err := plan.target(next)
		if err != nil {
			return err
		}
		plan.items[at].link, plan.links[next.path] = target, target
	}
	return nil
}

// target reads where a link leads.
func (plan *plan) target(link item) (string, error) {
	blob, err := read(plan.objects, link.hash, plumbing.BlobObject)
	if err != nil {
		return "", err
	}
	text, err := content(blob, longestPath)
	if err != nil {
		return "", failure.New(InvalidRepository, "Link %q of the commit cannot be read: %v", link.path, err)
	}
	if text == "" || slices.Contains([]byte(text), 0) {
		return "", failure.At(PathRefused, link.path, 0, "Link leads nowhere: take it out of the repository")
	}
	return text, nil
}

// content is the text of a small object.
func content(blob plumbing.EncodedObject, limit int64) (string, error) {
	if blob.Size() > limit {
		return "", fmt.Errorf("it has %d bytes", blob.Size())
	}
	reader, err := blob.Reader()
	if err != nil {
		return "", err
	}
	defer reader.Close()
	text, err := io.ReadAll(reader)
	return string(text), err
}
