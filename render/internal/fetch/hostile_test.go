package fetch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"maquette.dev/render/internal/failure"
)

func TestLinksThatLeaveTheCheckoutAreRefused(t *testing.T) {
	cases := map[string]struct {
		files files
		at    string
	}{
		"to an absolute path":             {files{"a": "link:/etc/passwd"}, "a"},
		"to the folder above":             {files{"a": "link:.."}, "a"},
		"from a folder to above the root": {files{"a/b": "link:../../etc"}, "a/b"},
		"to above and back":               {files{"a": "link:../source/b", "b": "1"}, "a"},
		"through another link":            {files{"a/b": "link:..", "c": "link:a/b/../.."}, "c"},
		"that comes out in two steps":     {files{"deep/er/up": "link:../..", "out": "link:deep/er/up/../x"}, "out"},
	}
	for name, one := range cases {
		t.Run(name, func(t *testing.T) {
			tree := newRepository(t)
			tree.onMain(one.files)
			request := serveHttp(t, tree).request(t, Ref{})
			contains(t, refused(t, request, failure.PathEscapes), one.at+":", "out of the checkout")
			nothingIsLeft(t, request.CacheDir)
		})
	}
}

func nothingIsLeft(t *testing.T, cacheDir string) {
	t.Helper()
	for _, folder := range []string{"entries", "tmp", "locks"} {
		found, err := os.ReadDir(filepath.Join(cacheDir, folder))
		check(t, err)
		equal(t, "what is left in "+folder, len(found), 0)
	}
}

func TestLinksWithinTheCheckoutAreKept(t *testing.T) {
	tree := newRepository(t)
	links := files{
		"a/b": "link:../c", "top": "link:a/b", "root": "link:.", "around": "link:a/../c", "lost": "link:none",
		"loop": "link:loop", "up/down": "link:../a/../a/./b",
	}
	withTarget := files{"c": "text"}
	for path, text := range links {
		withTarget[path] = text
	}
	tree.onMain(withTarget)
	answer := fetched(t, serveHttp(t, tree).request(t, Ref{}))
	for path, text := range links {
		target, err := os.Readlink(filepath.Join(answer.Path, path))
		check(t, err)
		equal(t, "target of "+path, linkTo+target, text)
	}
	equal(t, "content through links", contentOf(t, answer, "up/down"), "text")
}

func TestHostileNamesAreRefused(t *testing.T) {
	tree := newRepository(t)
	tree.git("config", "core.protectNTFS", "false")
	text := tree.blob("text")
	folder := tree.rawTree([2]string{"100644 file", text})
	cases := map[string]struct {
		entry  [2]string
		reason string
	}{
		"the folder above":              {[2]string{"40000 ..", folder}, failure.PathEscapes},
		"the folder itself":             {[2]string{"40000 .", folder}, failure.PathEscapes},
		"a path":                        {[2]string{"100644 a/b", text}, failure.PathEscapes},
		"a path upwards":                {[2]string{"100644 ../../evil", text}, failure.PathEscapes},
		"an absolute path":              {[2]string{"100644 /tmp/evil", text}, failure.PathEscapes},
		"git's folder":                  {[2]string{"40000 .git", folder}, PathRefused},
		"git's folder, in capitals":     {[2]string{"40000 .GiT", folder}, PathRefused},
		"git's folder, shortened":       {[2]string{"40000 GIT~1", folder}, PathRefused},
		"git's folder, with a dot":      {[2]string{"40000 .git. .", folder}, PathRefused},
		"git's folder, as a stream":     {[2]string{"40000 .git::$INDEX_ALLOCATION", folder}, PathRefused},
		"git's folder, unseen letters":  {[2]string{"40000 .g\u200cit", folder}, PathRefused},
		"a backslash":                   {[2]string{`100644 a\..\b`, text}, PathRefused},
		"a drive":                       {[2]string{"100644 C:evil", text}, PathRefused},
		"more letters than a disk has":  {[2]string{"100644 " + strings.Repeat("x", 256), text}, PathRefused},
		"a file that is a folder":       {[2]string{"100644 a", folder}, InvalidRepository},
		"a folder that is a file":       {[2]string{"40000 a", text}, InvalidRepository},
		"a link with more than a path":  {[2]string{"120000 a", tree.blob(strings.Repeat("x", 5000))}, InvalidRepository},
		"a link with a zero in its end": {[2]string{"120000 a", tree.blob("a\x00b")}, PathRefused},
	}
	server := serveHttp(t, tree)
	for name, one := range cases {
		t.Run(name, func(t *testing.T) {
			tree.point("refs/heads/main", tree.commitTree(tree.rawTree(one.entry), ""))
			request := server.request(t, Ref{})
			if !strings.Contains(name, "that is a") { // which git does not even send
				refused(t, request, one.reason)
				nothingIsLeft(t, request.CacheDir)
			}
			local := request
			local.RepositoryUrl, local.AllowedSchemes = "file://"+tree.folder, []string{"file"}
			refused(t, local, one.reason)
		})
	}
}

func TestFileCannotBeWrittenThroughALinkOfTheSameName(t *testing.T) {
	tree := newRepository(t)
	outside := t.TempDir()
	evil := tree.rawTree([2]string{"100644 evil", tree.blob("text")})
	tree.point("refs/heads/main", tree.commitTree(tree.rawTree(
		[2]string{"120000 a", tree.blob(outside)}, [2]string{"40000 a", evil},
	), ""))
	request := serveHttp(t, tree).request(t, Ref{})
	contains(t, refused(t, request, PathRefused), "twice")
	found, err := os.ReadDir(outside)
	check(t, err)
	equal(t, "files outside", len(found), 0)
}

func TestOddModesBecomeOrdinaryOnes(t *testing.T) {
	tree := newRepository(t)
	text := tree.blob("text")
	tree.point("refs/heads/main", tree.commitTree(tree.rawTree(
		[2]string{"100664 a", text}, [2]string{"100777 b", text}, [2]string{"104755 c", text},
	), ""))
	answer := fetched(t, serveHttp(t, tree).request(t, Ref{}))
	for path, mode := range map[string]os.FileMode{"a": 0o444, "b": 0o555, "c": 0o555} {
		info, err := os.Stat(filepath.Join(answer.Path, path))
		check(t, err)
		equal(t, "mode of "+path, info.Mode(), mode)
	}
}

// Ten folders in each other, each of which names the next ten times: ten thousand million files in two kilobytes.
func TestFoldersThatMultiplyAreRefused(t *testing.T) {
	tree := newRepository(t)
	next := tree.rawTree([2]string{"100644 file", tree.blob("text")})
	for range 10 {
		var entries [][2]string
		for _, name := range strings.Split("abcdefghij", "") {
			entries = append(entries, [2]string{"40000 " + name, next})
		}
		next = tree.rawTree(entries...)
	}
	tree.point("refs/heads/main", tree.commitTree(next, ""))
	contains(t, refused(t, serveHttp(t, tree).request(t, Ref{}), TooManyFiles), "20000")
}

func TestFoldersNestedTooDeepAreRefused(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{strings.Repeat("a/", 150) + "b": "text"})
	refused(t, serveHttp(t, tree).request(t, Ref{}), PathRefused)
}
