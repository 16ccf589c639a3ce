package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"maquette.dev/render/internal/failure"
)

// checkout writes a plan to disk. Every path is resolved below the folder by the system itself (os.Root), whatever
// the plan's checks may have missed.
type checkout struct {
	plan  *plan
	root  *os.Root
	bytes int64
	disk  int64
	large []string // paths of Git LFS pointers
}

// block is how much of a disk the smallest file takes, in bytes.
const block = 4096

// writeCheckout writes the plan into an empty folder and makes it read-only.
func writeCheckout(ctx context.Context, plan *plan, folder string) (*checkout, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, failure.New(CacheFailed, "Cannot write to the cache: %v", err)
	}
	defer root.Close()
	checkout := &checkout{plan: plan, root: root, disk: block}
	for _, item := range plan.items {
		if err := errors.Join(ctx.Err(), checkout.write(item)); err != nil {
			return nil, explainWrite(item, err)
		}
	}
	for _, item := range slices.Backward(plan.items) {
		if item.mode == filemode.Dir || item.mode == filemode.Submodule {
			err = errors.Join(err, root.Chmod(item.path, 0o555))
		}
	}
	if err = errors.Join(err, root.Chmod(".", 0o555)); err != nil {
		return nil, failure.New(CacheFailed, "Cannot write to the cache: %v", err)
	}
	return checkout, nil
}

func explainWrite(item item, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return failure.New(CacheFailed, "Disk of the cache is full")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	}
	var known *failure.Failure
	if errors.As(err, &known) {
		return known
	}
	return failure.New(CacheFailed, "Cannot write %q to the cache: %v", item.path, err)
}

func (checkout *checkout) write(item item) error {
	checkout.disk += block
	switch item.mode {
	case filemode.Dir, filemode.Submodule:
		return checkout.root.Mkdir(item.path, 0o700)
	case filemode.Symlink:
		return checkout.root.Symlink(item.link, item.path)
	case filemode.Executable:
		return checkout.writeFile(item, 0o555)
	default:
		return checkout.writeFile(item, 0o444)
	}
}

func (checkout *checkout) writeFile(item item, mode os.FileMode) error {
	blob, err := read(checkout.plan.objects, item.hash, plumbing.BlobObject)
	if err != nil {
		return err
	}
	if err := checkout.count(item, blob.Size()); err != nil {
		return err
	}
	if isLargeFilePointer(blob) {
		checkout.large = append(checkout.large, item.path)
	}
	reader, err := blob.Reader()
	if err != nil {
		return err
	}
	defer reader.Close()
	file, err := checkout.root.OpenFile(item.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, reader)
	return errors.Join(err, file.Chmod(mode), file.Close())
}

func (checkout *checkout) count(item item, size int64) error {
	limits := checkout.plan.limits
	if size > limits.FileBytes {
		return failure.At(TooLarge, item.path, 0, "File has %d bytes, %d are allowed: take it out of the repository, "+
			"or raise the limit of bytes per file", size, limits.FileBytes)
	}
	if checkout.bytes += size; checkout.bytes > limits.Bytes {
		return failure.New(TooLarge, "Files of the commit have more than %d bytes: make the repository smaller, "+
			"or raise the limit of bytes", limits.Bytes)
	}
	checkout.disk += (size + block - 1) / block * block
	return nil
}

// isLargeFilePointer tells whether a file stands for one in Git LFS.
func isLargeFilePointer(blob plumbing.EncodedObject) bool {
	const longestPointer = 1024
	text, err := content(blob, longestPointer)
	return err == nil && strings.HasPrefix(text, "version https://git-lfs.github.com/spec/")
}

// warnings says what of the commit is not in the checkout.
func (checkout *checkout) warnings() []Warning {
	warnings := []Warning{}
	if paths := checkout.plan.submodules; len(paths) > 0 {
		warnings = append(warnings, Warning{"SubmoduleLeftOut", fmt.Sprintf(
			"Submodules are not fetched, their folders are empty: %s", some(paths)), paths[0]})
	}
	if paths := checkout.large; len(paths) > 0 {
		warnings = append(warnings, Warning{"LargeFilePointer", fmt.Sprintf(
			"Files in Git LFS are not fetched, pointers are in their places: %s", some(paths)), paths[0]})
	}
	return warnings
}

// some quotes the first few of many paths.
func some(paths []string) string {
	text := fmt.Sprintf("%q", paths[:min(len(paths), 3)])
	if len(paths) > 3 {
		text += fmt.Sprintf(" and %d more", len(paths)-3)
	}
	return text
}
