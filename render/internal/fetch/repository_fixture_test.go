package fetch

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// workTree is a repository that tests commit to. Servers serve the folder it is in.
type workTree struct {
	t      *testing.T
	served string // the folder of repositories
	folder string
}

// newRepository makes an empty repository named shop.git in a folder to be served.
func newRepository(t *testing.T) *workTree {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("The tests of fetch need git: install it (apt-get install git)")
	}
	served := t.TempDir()
	tree := &workTree{t, served, filepath.Join(served, "shop.git")}
	check(t, os.Mkdir(tree.folder, 0o755))
	tree.git("init", "--quiet", "--bare", "--initial-branch=main")
	return tree
}

// git runs git in the repository, without the configuration of who runs the tests.
func (tree *workTree) git(arguments ...string) string {
	tree.t.Helper()
	return tree.gitWith("", arguments...)
}

func (tree *workTree) gitWith(input string, arguments ...string) string {
	tree.t.Helper()
	command := exec.Command("git", arguments...)
	command.Dir = tree.folder
	command.Env = gitEnvironment()
	command.Stdin = strings.NewReader(input)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		tree.t.Fatalf("git %v: %v: %s", arguments, err, complaint.String())
	}
	return strings.TrimSpace(string(output))
}

func gitEnvironment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=Test", "GIT_AUTHOR_EMAIL=test@example.com", "GIT_AUTHOR_DATE=2024-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=Test", "GIT_COMMITTER_EMAIL=test@example.com", "GIT_COMMITTER_DATE=2024-01-01T00:00:00Z",
	}
}

// files maps paths to contents. A content that begins with one of the marks below makes something else of it.
type files map[string]string

const (
	executable = "#!"
	linkTo     = "link:"
	submodule  = "submodule:"
)

// commit writes a commit that consists of the files, and returns it. No parent is "".
func (tree *workTree) commit(parent string, files files) string {
	tree.t.Helper()
	var index strings.Builder
	for path, text := range files {
		mode, hash := "100644", ""
		switch {
		case strings.HasPrefix(text, executable):
			mode = "100755"
		case strings.HasPrefix(text, linkTo):
			mode, text = "120000", strings.TrimPrefix(text, linkTo)
		case strings.HasPrefix(text, submodule):
			mode, hash = "160000", strings.TrimPrefix(text, submodule)
		}
		if hash == "" {
			hash = tree.blob(text)
		}
		fmt.Fprintf(&index, "%s %s\t%s\x00", mode, hash, path)
	}
	_ = os.Remove(filepath.Join(tree.folder, "index"))
	tree.gitWith(index.String(), "update-index", "-z", "--index-info")
	return tree.commitTree(tree.git("write-tree"), parent)
}

func (tree *workTree) blob(text string) string {
	tree.t.Helper()
	return tree.gitWith(text, "hash-object", "-w", "--stdin")
}

func (tree *workTree) commitTree(hash, parent string) string {
	tree.t.Helper()
	arguments := []string{"commit-tree", hash, "-m", "A commit"}
	if parent != "" {
		arguments = append(arguments, "-p", parent)
	}
	return tree.git(arguments...)
}

// rawTree writes a tree that git itself would refuse. Each entry is "mode name", then the object's hash.
func (tree *workTree) rawTree(entries ...[2]string) string {
	tree.t.Helper()
	var text strings.Builder
	for _, entry := range entries {
		text.WriteString(entry[0] + "\x00")
		for at := 0; at < len(entry[1]); at += 2 {
			var value byte
			_, _ = fmt.Sscanf(entry[1][at:at+2], "%02x", &value)
			text.WriteByte(value)
		}
	}
	return tree.gitWith(text.String(), "hash-object", "-w", "-t", "tree", "--literally", "--stdin")
}

// point makes a reference point at a commit.
func (tree *workTree) point(name, commit string) {
	tree.t.Helper()
	tree.git("update-ref", name, commit)
}

// onMain commits the files to the branch main.
func (tree *workTree) onMain(files files) string {
	tree.t.Helper()
	commit := tree.commit("", files)
	tree.point("refs/heads/main", commit)
	return commit
}

// history commits count times on top of a commit and returns the last.
func (tree *workTree) history(parent string, count int) string {
	tree.t.Helper()
	var stream strings.Builder
	for at := range count {
		fmt.Fprintf(&stream, "commit refs/heads/history\ncommitter T <t@example.com> %d +0000\ndata 1\n%c\n", at+1, 'c')
		if at == 0 {
			fmt.Fprintf(&stream, "from %s\n", parent)
		}
		fmt.Fprintf(&stream, "M 644 inline count\ndata %d\n%d\n", len(fmt.Sprint(at)), at)
	}
	tree.gitWith(stream.String(), "fast-import", "--quiet", "--force")
	return tree.git("rev-parse", "refs/heads/history")
}
