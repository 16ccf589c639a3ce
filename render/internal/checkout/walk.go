package checkout

import (
	"io/fs"
	"os"
	"path"

	"maquette.dev/render/internal/failure"
)

// Skip decides by its path what a walk leaves out: a file, or a folder with all that is in it.
type Skip func(name string, info fs.FileInfo) bool

// Files lists the regular files below a folder, depth first and by name; paths are relative to the folder. Symbolic
// links are followed within the checkout.
func (c *Checkout) Files(folder string, skip Skip) ([]string, error) {
	info, err := c.Stat(folder)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, failure.At(failure.PathNotFound, folder, 0, "Not a folder")
	}
	walk := &walk{checkout: c, top: folder, skip: skip}
	if err := walk.enter(".", []fs.FileInfo{info}); err != nil {
		return nil, err
	}
	return walk.found, nil
}

type walk struct {
	checkout *Checkout
	top      string
	skip     Skip
	found    []string
	seen     int
}

// enter takes the folders above, itself included: a link back to one of them would never end.
func (w *walk) enter(folder string, above []fs.FileInfo) error {
	entries, err := w.checkout.ReadDir(path.Join(w.top, folder))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := w.visit(path.Join(folder, entry.Name()), above); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) visit(name string, above []fs.FileInfo) error {
	full := path.Join(w.top, name)
	info, err := w.checkout.Lstat(full)
	if err != nil {
		return err
	}
	if w.skip(name, info) {
		return nil
	}
	if w.seen++; w.seen > maxFiles {
		return failure.At(failure.InputTooLarge, w.top, 0, "More than %d files", maxFiles)
	}
	if info, err = w.checkout.Stat(full); err != nil {
		return err
	}
	switch {
	case info.Mode().IsRegular():
		w.found = append(w.found, name)
		return nil
	case info.IsDir():
		return w.descend(name, info, above)
	}
	return failure.At(failure.FileRefused, full, 0, "Neither a file nor a folder")
}

func (w *walk) descend(name string, info fs.FileInfo, above []fs.FileInfo) error {
	for _, folder := range above {
		if os.SameFile(folder, info) {
			return failure.At(failure.FileRefused, path.Join(w.top, name), 0, "Link leads to a folder that it is in")
		}
	}
	if len(above) >= maxLevels {
		return failure.At(failure.InputTooLarge, path.Join(w.top, name), 0, "More than %d folders deep", maxLevels)
	}
	return w.enter(name, append(above, info))
}
