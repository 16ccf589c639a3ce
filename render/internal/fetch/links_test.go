package fetch

import (
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The system is asked where links lead: whatever leaves() lets through stays below the folder.
func TestLinksThatAreLetThroughStayBelowTheFolderOnADisk(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	names := []string{"a", "b", "c", "a/a", "a/b", "b/a", "c/a/b"}
	steps := []string{"..", "..", ".", "a", "b", "c", ""}
	let := 0
	for range 300 {
		root := filepath.Join(t.TempDir(), "root")
		links := map[string]string{}
		for range 1 + random.Intn(4) {
			at := names[random.Intn(len(names))]
			var target []string
			for range 1 + random.Intn(5) {
				target = append(target, steps[random.Intn(len(steps))])
			}
			if text := strings.TrimLeft(strings.Join(target, "/"), "/"); text != "" {
				links[at] = text
			}
		}
		if !makeLinks(root, links) {
			continue // a link where another needs a folder
		}
		for at := range links {
			found, err := filepath.EvalSymlinks(filepath.Join(root, at))
			if err != nil || anyLeaves(links) {
				continue
			}
			let++
			if found != root && !strings.HasPrefix(found, root+"/") {
				t.Fatalf("links %q: %q leads to %q", links, at, found)
			}
		}
	}
	if let < 50 {
		t.Errorf("only %d links were let through", let)
	}
}

func makeLinks(root string, links map[string]string) bool {
	for _, folder := range []string{"a", "b", "c/a"} {
		if !nests(links, folder) {
			if os.MkdirAll(filepath.Join(root, folder), 0o755) != nil {
				return false
			}
		}
	}
	for at, target := range links {
		path := filepath.Join(root, at)
		if nests(links, filepath.Dir(at)) || os.MkdirAll(filepath.Dir(path), 0o755) != nil || os.Symlink(target, path) != nil {
			return false
		}
	}
	return true
}

// nests tells whether a folder, or one above it, is a link.
func nests(links map[string]string, folder string) bool {
	for ; folder != "."; folder = filepath.Dir(folder) {
		if _, is := links[folder]; is {
			return true
		}
	}
	return false
}

func anyLeaves(links map[string]string) bool {
	for at := range links {
		if leaves(at, links) {
			return true
		}
	}
	return false
}
