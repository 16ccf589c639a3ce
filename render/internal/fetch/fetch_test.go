package fetch

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBranchIsResolvedAndItsCommitCheckedOut(t *testing.T) {
	tree := newRepository(t)
	commit := tree.onMain(files{"chart/Chart.yaml": "name: shop", "run.sh": "#!/bin/sh", "link": "link:chart/Chart.yaml"})
	server := serveHttp(t, tree)
	answer := fetched(t, server.request(t, Ref{Branch: "main"}))
	equal(t, "commit", answer.Commit, commit)
	equal(t, "branch", answer.Branch, "main")
	equal(t, "ref", answer.Ref, "refs/heads/main")
	equal(t, "cached", answer.Cached, false)
	equal(t, "files", answer.Files, 4)
	equal(t, "content", contentOf(t, answer, "chart/Chart.yaml"), "name: shop")
	equal(t, "content through the link", contentOf(t, answer, "link"), "name: shop")
	want := map[string]fs.FileMode{
		".": 0o555 | fs.ModeDir, "chart": 0o555 | fs.ModeDir, "chart/Chart.yaml": 0o444, "run.sh": 0o555,
	}
	for path, mode := range want {
		info, err := os.Lstat(filepath.Join(answer.Path, path))
		check(t, err)
		equal(t, "mode of "+path, info.Mode(), mode)
	}
}

func TestCommitOfTheCacheIsNotAskedFor(t *testing.T) {
	tree := newRepository(t)
	commit := tree.onMain(files{"a": "1"})
	server := serveHttp(t, tree)
	request := server.request(t, Ref{Commit: strings.ToUpper(commit), Branch: "main"})
	first := fetched(t, request)
	equal(t, "commit", first.Commit, commit)
	server.Close()
	second := fetched(t, request)
	equal(t, "cached", second.Cached, true)
	equal(t, "path", second.Path, first.Path)
	equal(t, "branch", second.Branch, "main")
}

func TestRefsOfTheirKindsAreFound(t *testing.T) {
	tree := newRepository(t)
	main := tree.onMain(files{"a": "1"})
	change := tree.commit(main, files{"a": "2"})
	long := branchName(100)
	odd := "größe/日本-#1+@"
	for _, name := range []string{
		"refs/heads/" + long, "refs/heads/" + odd, "refs/heads/main2", "refs/pull/7/head", "refs/merge-requests/8/head",
		"refs/pull-requests/9/from",
	} {
		tree.point(name, change)
	}
	cases := map[string]struct {
		ref          Ref
		branch, name string
		commit       string
	}{
		"nothing is the default branch":         {Ref{}, "main", "refs/heads/main", main},
		"a branch whose name begins another's":  {Ref{Branch: "main"}, "main", "refs/heads/main", main},
		"a branch of 100 letters with slashes":  {Ref{Branch: long}, long, "refs/heads/" + long, change},
		"a branch with letters beyond ASCII":    {Ref{Branch: odd}, odd, "refs/heads/" + odd, change},
		"a pull request of GitHub":              {Ref{PullRequest: 7}, "", "refs/pull/7/head", change},
		"a merge request of GitLab":             {Ref{PullRequest: 8}, "", "refs/merge-requests/8/head", change},
		"a pull request of Bitbucket":           {Ref{PullRequest: 9, Branch: "x"}, "x", "refs/pull-requests/9/from", change},
		"a short commit at the end of a branch": {Ref{Commit: main[:9]}, "", "refs/heads/main", main},
	}
	for _, onlyVersion0 := range []bool{false, true} {
		server := serveHttp(t, tree)
		server.onlyVersion0 = onlyVersion0
		for name, one := range cases {
			t.Run(name, func(t *testing.T) {
				answer := fetched(t, server.request(t, one.ref))
				equal(t, "commit", answer.Commit, one.commit)
				equal(t, "branch", answer.Branch, one.branch)
				if one.ref != (Ref{}) {
					equal(t, "ref", answer.Ref, one.name)
				}
			})
		}
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	tree := newRepository(t)
	main := tree.onMain(files{"a": "1"})
	tree.git("tag", "-m", "text", "v1", main)
	tag := tree.git("rev-parse", "v1")
	absent := strings.Repeat("a1", 20)
	cases := map[string]struct {
		ref    Ref
		reason string
		says   string
	}{
		"no such branch":                  {Ref{Branch: "none"}, RefNotFound, `no branch "none"`},
		"no such pull request":            {Ref{PullRequest: 77}, RefNotFound, "no pull request 77"},
		"no such commit":                  {Ref{Commit: absent}, CommitNotFound, absent},
		"no such commit on a branch":      {Ref{Commit: absent, Branch: "main"}, CommitNotFound, absent},
		"a short commit of nobody":        {Ref{Commit: "abcdef012"}, CommitNotFound, "all of its 40 digits"},
		"a tag's own object for a commit": {Ref{Commit: tag}, CommitNotFound, "is a tag"},
	}
	for _, onlyVersion0 := range []bool{false, true} {
		server := serveHttp(t, tree)
		server.onlyVersion0 = onlyVersion0
		for name, one := range cases {
			t.Run(name, func(t *testing.T) {
				contains(t, refused(t, server.request(t, one.ref), one.reason), one.says)
			})
		}
		request := server.request(t, Ref{})
		request.RepositoryUrl = server.URL + "/none.git"
		refused(t, request, RepositoryNotFound)
	}
}

func TestEmptyRepositoryIsSaid(t *testing.T) {
	tree := newRepository(t)
	for _, onlyVersion0 := range []bool{false, true} {
		server := serveHttp(t, tree)
		server.onlyVersion0 = onlyVersion0
		for _, ref := range []Ref{{}, {Branch: "main"}, {PullRequest: 1}} {
			refused(t, server.request(t, ref), RepositoryEmpty)
		}
	}
	request := serveHttp(t, tree).request(t, Ref{})
	request.RepositoryUrl, request.AllowedSchemes = "file://"+tree.folder, []string{"file"}
	refused(t, request, RepositoryEmpty)
}

func TestForcedPushMovesTheBranchAndKeepsTheOldCommit(t *testing.T) {
	tree := newRepository(t)
	old := tree.onMain(files{"a": "old"})
	server := serveHttp(t, tree)
	request := server.request(t, Ref{Branch: "main"})
	before := fetched(t, request)
	tree.onMain(files{"a": "new"})
	after := fetched(t, request)
	equal(t, "content", contentOf(t, after, "a"), "new")
	equal(t, "old content", contentOf(t, before, "a"), "old")
	request.Ref = Ref{Commit: old, Branch: "main"}
	equal(t, "cached", fetched(t, request).Cached, true)
	request.CacheDir = t.TempDir()
	equal(t, "content of a commit on no branch", contentOf(t, fetched(t, request), "a"), "old")
}

// A server of version 0 serves only what a reference points at.
func TestCommitWithinHistoryIsFoundOnAServerThatServesNoBareCommits(t *testing.T) {
	tree := newRepository(t)
	first := tree.onMain(files{"a": "first"})
	tree.point("refs/heads/main", tree.history(first, 1200))
	tree.git("update-ref", "-d", "refs/heads/history")
	lost := tree.commit("", files{"a": "lost"})
	server := serveHttp(t, tree)
	server.onlyVersion0 = true
	for name, commit := range map[string]string{
		"the last": "main", "a recent one": "main~20", "an old one": "main~600", "the first": first,
	} {
		t.Run(name, func(t *testing.T) {
			commit := tree.git("rev-parse", commit)
			for _, ref := range []Ref{{Commit: commit}, {Commit: commit, Branch: "main"}} {
				equal(t, "commit", fetched(t, server.request(t, ref)).Commit, commit)
			}
		})
	}
	t.Run("one on no branch", func(t *testing.T) {
		message := refused(t, server.request(t, Ref{Commit: lost, Branch: "main"}), CommitNotFound)
		contains(t, message, "refs/heads/main", "uploadpack.allowReachableSHA1InWant")
	})
	t.Run("one on no branch of a server that serves any", func(t *testing.T) {
		tree.git("config", "uploadpack.allowAnySHA1InWant", "true")
		equal(t, "commit", fetched(t, server.request(t, Ref{Commit: lost, Branch: "main"})).Commit, lost)
	})
}

func TestFileNamesBeyondAsciiAreKept(t *testing.T) {
	tree := newRepository(t)
	names := files{"größe.yaml": "1", "日本語/ファイル": "2", "emoji 🚀": "3", "with\nline": "4", "e\u0301": "5", "\u00e9": "6", "ab:c": "7"}
	tree.onMain(names)
	answer := fetched(t, serveHttp(t, tree).request(t, Ref{}))
	for name, text := range names {
		equal(t, "content of "+name, contentOf(t, answer, name), text)
	}
}

func TestSubmodulesAndLargeFilesAreWarnedOf(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{
		"vendor/lib": "submodule:" + strings.Repeat("b", 40),
		"big.bin":    "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n",
	})
	request := serveHttp(t, tree).request(t, Ref{})
	for range 2 { // from the server, from the cache
		answer := fetched(t, request)
		equal(t, "warnings", len(answer.Warnings), 2)
		equal(t, "reason", answer.Warnings[0].Reason, "SubmoduleLeftOut")
		equal(t, "file", answer.Warnings[0].File, "vendor/lib")
		equal(t, "reason", answer.Warnings[1].Reason, "LargeFilePointer")
		equal(t, "file", answer.Warnings[1].File, "big.bin")
		inside, err := os.ReadDir(filepath.Join(answer.Path, "vendor/lib"))
		check(t, err)
		equal(t, "files of the submodule", len(inside), 0)
	}
}

func TestFilesAreAsTheyAreStored(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{".gitattributes": "* text eol=crlf\n*.x filter=evil export-ignore ident\n", "a.x": "$Id$\n", "b": "1\n2\n"})
	answer := fetched(t, serveHttp(t, tree).request(t, Ref{}))
	equal(t, "content", contentOf(t, answer, "a.x"), "$Id$\n")
	equal(t, "content", contentOf(t, answer, "b"), "1\n2\n")
}

func TestFileIsReadOnlyWhereItIsAllowed(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	request := Request{RepositoryUrl: "file://" + tree.folder, CacheDir: t.TempDir()}
	refused(t, request, SchemeRefused)
	request.AllowedSchemes = []string{"file"}
	equal(t, "content", contentOf(t, fetched(t, request), "a"), "1")
	request.RepositoryUrl = "file://" + t.TempDir()
	refused(t, request, RepositoryNotFound)
}
