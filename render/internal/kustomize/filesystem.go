package kustomize

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"maquette.dev/render/internal/checkout"
	"maquette.dev/render/internal/failure"
)

// The whole world of a build: two folders. They are neighbours, because kustomize refuses a base above its overlay.
const (
	overlayFolder  = "/overlay"
	checkoutFolder = "/checkout"
	overlayFile    = overlayFolder + "/kustomization.yaml"
)

// maxLinks on one path, as Linux has it.
const maxLinks = 40

var errReadOnly = errors.New("file system is read-only")

// fileSystem shows a checkout to kustomize, read-only.
type fileSystem struct {
	files   *checkout.Checkout
	overlay []byte
	// refused is the first thing that must end the build. Kustomize takes most errors for "not there".
	refused *failure.Failure
	// read are the files of the checkout that were read, for errors that name a file by half its path.
	read []string
}

var _ filesys.FileSystem = (*fileSystem)(nil)

func newFileSystem(files *checkout.Checkout, overlay []byte) *fileSystem {
	return &fileSystem{files: files, overlay: overlay}
}

// fromRoot is a path of the checkout for one of this file system; the rest stays as it is.
func fromRoot(name string) string {
	if inside, ok := strings.CutPrefix(name, checkoutFolder+"/"); ok {
		return inside
	}
	return name
}

// refuse remembers what ends the build, and passes everything on.
func (s *fileSystem) refuse(err error) error {
	var found *failure.Failure
	if errors.As(err, &found) && found.Reason != failure.PathNotFound && s.refused == nil {
		s.refused = found
	}
	return err
}

// locate resolves a path to one of the checkout, symbolic links followed; "" is the overlay or a folder above both.
func (s *fileSystem) locate(name string) (string, error) {
	cleaned := filepath.Join("/", name)
	if cleaned == "/" || cleaned == overlayFolder || cleaned == overlayFile {
		return "", nil
	}
	if cleaned == checkoutFolder {
		return ".", nil
	}
	inside, ok := strings.CutPrefix(cleaned, checkoutFolder+"/")
	if !ok {
		if strings.HasPrefix(cleaned, overlayFolder+"/") {
			return "", failure.New(failure.PathNotFound, "Not found: %q", cleaned)
		}
		return "", s.refuse(failure.New(failure.PathEscapes, "Path leads out of the checkout: %q", ".."+cleaned))
	}
	resolved, err := s.resolve(inside)
	return resolved, s.refuse(err)
}

// resolve follows links by itself: kustomize holds files to the folder that they are really in.
func (s *fileSystem) resolve(name string) (string, error) {
	done, rest := ".", strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(done, rest[0])
		if next == ".." || strings.HasPrefix(next, "../") {
			return "", failure.At(failure.PathEscapes, name, 0, "Symbolic link leads out of the checkout")
		}
		rest = rest[1:]
		info, err := s.files.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		target, err := s.files.Readlink(next)
		if err != nil {
			return "", err
		}
		if links++; links > maxLinks || path.IsAbs(target) {
			return "", failure.At(failure.PathEscapes, next, 0, "Symbolic link leads out of the checkout, or in circles")
		}
		rest = append(strings.Split(path.Clean(target), "/"), rest...)
	}
	return done, nil
}

// CleanedAbs is how kustomize asks for a path's real place.
func (s *fileSystem) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	inside, err := s.locate(name)
	if err != nil {
		return "", "", err
	}
	cleaned := filepath.Join("/", name)
	if inside != "" {
		cleaned = path.Join(checkoutFolder, inside)
	}
	if s.IsDir(cleaned) {
		return filesys.ConfirmedDir(cleaned), "", nil
	}
	return filesys.ConfirmedDir(path.Dir(cleaned)), path.Base(cleaned), nil
}

// ReadFile refuses kustomizations that want more than the checkout, and YAML that expands beyond measure.
func (s *fileSystem) ReadFile(name string) ([]byte, error) {
	if filepath.Clean(name) == overlayFile {
		return s.overlay, nil
	}
	inside, err := s.locate(name)
	if err != nil || inside == "" {
		return nil, errors.Join(err, fs.ErrNotExist)
	}
	text, err := s.files.ReadFile(inside)
	if err != nil {
		return nil, s.refuse(err)
	}
	s.read = append(s.read, inside)
	if err := checkAliases(inside, text); err != nil {
		return nil, s.refuse(err)
	}
	if slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(inside)) {
		err = s.checkKustomization(inside, text)
	}
	return text, s.refuse(err)
}

// IsDir is false for what is not there.
func (s *fileSystem) IsDir(name string) bool {
	inside, err := s.locate(name)
	if err != nil || inside == "" {
		return err == nil && filepath.Clean(name) != overlayFile
	}
	info, err := s.files.Stat(inside)
	return err == nil && info.IsDir()
}

// Exists follows links.
func (s *fileSystem) Exists(name string) bool {
	inside, err := s.locate(name)
	if err != nil || inside == "" {
		return err == nil
	}
	_, err = s.files.Stat(inside)
	return err == nil
}
