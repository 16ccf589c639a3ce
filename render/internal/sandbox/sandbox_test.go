package sandbox

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"maquette.dev/render/internal/failure"
)

const inside = "MAQUETTE_SANDBOX_TEST_FOLDER"

// A sandbox is for good: what it refuses is tried in a process of its own.
func TestMain(m *testing.M) {
	if folder := os.Getenv(inside); folder != "" {
		Enter()
		os.Exit(attempt(folder))
	}
	os.Exit(m.Run())
}

func TestNothingLeavesTheSandbox(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "there"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(program)
	child.Env = []string{inside + "=" + folder}
	if output, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 {
		t.Errorf("folder has %v", entries)
	}
}

// attempt returns 0 when the sandbox holds; it may only read.
func attempt(folder string) int {
	_, dialError := net.Dial("tcp", "127.0.0.1:1")
	_, listenError := net.Listen("tcp", "127.0.0.1:0")
	_, httpError := http.Get("http://127.0.0.1:1/x")
	refused := map[string]error{
		"connect": dialError,
		"listen":  listenError,
		"run":     exec.Command("/bin/true").Run(),
		"write":   os.WriteFile(filepath.Join(folder, "new"), nil, 0o644),
		"append":  os.WriteFile(filepath.Join(folder, "there"), []byte("x"), 0o644),
		"mkdir":   os.Mkdir(filepath.Join(folder, "folder"), 0o755),
		"remove":  os.Remove(filepath.Join(folder, "there")),
		"rename":  os.Rename(filepath.Join(folder, "there"), filepath.Join(folder, "then")),
	}
	status := 0
	for what, err := range refused {
		if !errors.Is(err, syscall.EPERM) {
			os.Stderr.WriteString(what + " is not refused\n")
			status = 1
		}
	}
	var own *failure.Failure
	if !errors.As(httpError, &own) || own.Reason != failure.RemoteRefused || !strings.Contains(own.Message, "http://127.0.0.1:1/x") {
		os.Stderr.WriteString("http is not refused by us\n")
		status = 1
	}
	if text, err := os.ReadFile(filepath.Join(folder, "there")); string(text) != "text" {
		os.Stderr.WriteString("read: " + err.Error() + "\n")
		status = 1
	}
	return status
}
