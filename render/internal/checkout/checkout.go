// Package checkout reads files of one folder and of nothing else: neither "..", nor an absolute path, nor a symbolic
// link leads out of it. The kernel resolves every path against the folder (os.Root), so there is no moment between the
// check and the reading.
package checkout

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"maquette.dev/render/internal/failure"
)

// Bounds of what one rendering reads: far above any chart that people keep in git.
const (
	maxFileBytes  = 8 << 20
	maxTotalBytes = 64 << 20
	maxFiles      = 10_000
	maxLevels     = 32
)

// Checkout is an open folder. It counts what is read from it.
type Checkout struct {
	root  *os.Root
	bytes int64
}

// Open opens the folder; root is an absolute path.
func Open(root string) (*Checkout, error) {
	if !filepath.IsAbs(root) {
		return nil, failure.New(failure.InvalidRequest, "Root is no absolute path: %q", root)
	}
	opened, err := os.OpenRoot(root)
	if err != nil {
		return nil, failure.New(failure.PathNotFound, "Checkout cannot be opened: %s", withoutPath(err))
	}
	return &Checkout{root: opened}, nil
}

// Close gives the folder back.
func (c *Checkout) Close() error { return c.root.Close() }

// Clean makes a path from the root out of what a user wrote; "" and "." are the root itself.
func Clean(name string) (string, error) {
	cleaned := path.Clean(filepath.ToSlash(name))
	if path.IsAbs(cleaned) || cleaned == ".." || strings.HasPrefix(cleaned, "../") {
		return "", failure.New(failure.PathEscapes, "Path %q leads out of the checkout", name)
	}
	return cleaned, nil
}

// Stat follows symbolic links within the checkout.
func (c *Checkout) Stat(name string) (fs.FileInfo, error) {
	info, err := c.root.Stat(name)
	return info, explain(name, err)
}

// Lstat does not follow a link in the last place.
func (c *Checkout) Lstat(name string) (fs.FileInfo, error) {
	info, err := c.root.Lstat(name)
	return info, explain(name, err)
}

// Readlink reads where a link leads.
func (c *Checkout) Readlink(name string) (string, error) {
	target, err := c.root.Readlink(name)
	return target, explain(name, err)
}

// ReadFile reads a regular file. Pipes and devices are refused before they are opened: they could be waited for.
func (c *Checkout) ReadFile(name string) ([]byte, error) {
	info, err := c.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, failure.At(failure.FileRefused, name, 0, "Not a regular file")
	}
	if c.bytes += info.Size(); info.Size() > maxFileBytes || c.bytes > maxTotalBytes {
		return nil, failure.At(failure.InputTooLarge, name, 0,
			"File is larger than %d MiB, or all files are larger than %d MiB", maxFileBytes>>20, maxTotalBytes>>20)
	}
	file, err := c.root.Open(name)
	if err != nil {
		return nil, explain(name, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFileBytes))
	return text, explain(name, err)
}

// ReadDir lists a folder by name.
func (c *Checkout) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(c.root.FS(), name)
	return entries, explain(name, err)
}

// explain says what is wrong with a path, without the machine's own paths.
func explain(name string, err error) error {
	var already *failure.Failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &already):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return failure.At(failure.PathNotFound, name, 0, "Not found in the checkout")
	case strings.Contains(err.Error(), "path escapes"):
		return failure.At(failure.PathEscapes, name, 0, "Symbolic link or path leads out of the checkout")
	}
	return failure.At(failure.FileRefused, name, 0, "Cannot be read: %s", withoutPath(err))
}

func withoutPath(err error) error {
	var inPath *fs.PathError
	if errors.As(err, &inPath) {
		return inPath.Err
	}
	return err
}
