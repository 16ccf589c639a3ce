package fetch

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"maquette.dev/render/internal/failure"
)

// keyOf returns the key in the path of a checkout, or of something within it.
func keyOf(path string) (folder, key string, found bool) {
	clean := filepath.Clean(path)
	parts := strings.Split(clean, string(filepath.Separator))
	for at := len(parts) - 2; at > 0; at-- {
		if parts[at+1] == "source" && isKey.MatchString(parts[at]) && parts[at-1] == "entries" {
			return strings.Join(parts[:at-1], string(filepath.Separator)), parts[at], true
		}
	}
	return "", "", false
}

// Hold keeps a checkout from being evicted until release is called. path is that of an answer, or of something
// within it. A path outside of any cache is held by nobody and needs no release.
//
// It fails if the checkout was evicted meanwhile, with an error that satisfies errors.Is(err, fs.ErrNotExist): fetch
// it again.
func Hold(path string) (release func(), err error) {
	folder, key, found := keyOf(path)
	if !found {
		return func() {}, nil
	}
	store := &store{folder: folder}
	if _, err := os.Stat(store.sourcePath(key)); err != nil {
		return nil, err
	}
	held, err := tryLock(store.lockPath(key), shared)
	if err != nil {
		return nil, err
	}
	if held == nil { // being removed
		return nil, &fs.PathError{Op: "hold", Path: path, Err: fs.ErrNotExist}
	}
	if _, err := os.Stat(store.sourcePath(key)); err != nil {
		held.release()
		return nil, err
	}
	store.touch(key)
	return held.release, nil
}

// ForgetRequest is what the forget command reads: paths of answers, all within the cache folder.
type ForgetRequest struct {
	CacheDir string   `json:"cacheDir"`
	Paths    []string `json:"paths"`
}

// Forgotten is what the forget command writes. InUse are paths that are being used and stay until they are evicted.
type Forgotten struct {
	Removed []string `json:"removed"`
	InUse   []string `json:"inUse"`
}

// RunForget is the forget command: a ForgetRequest in JSON, Forgotten.
func RunForget(text []byte) (any, error) {
	var request ForgetRequest
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	return Forget(request)
}

// Forget removes checkouts that nobody needs any more.
func Forget(request ForgetRequest) (Forgotten, error) {
	answer := Forgotten{Removed: []string{}, InUse: []string{}}
	for _, path := range request.Paths {
		folder, _, found := keyOf(path)
		if !found || folder != filepath.Clean(request.CacheDir) {
			return answer, failure.New(failure.InvalidRequest, "Path %q is no checkout of the cache %q", path, request.CacheDir)
		}
	}
	for _, path := range request.Paths {
		folder, key, _ := keyOf(path)
		store := &store{folder: folder}
		removed, err := store.remove(key)
		switch {
		case err != nil:
			return answer, err
		case removed:
			answer.Removed = append(answer.Removed, path)
		default:
			answer.InUse = append(answer.InUse, path)
		}
	}
	return answer, nil
}
