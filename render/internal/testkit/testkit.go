// Package testkit is what the tests of several packages need.
package testkit

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/limits"
	"maquette.dev/render/internal/objects"
)

// Files by their paths. A text that begins with "-> " is a symbolic link to what follows.
type Files map[string]string

// Tree writes files into a new folder and returns its path.
func Tree(t testing.TB, files Files) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if target, isLink := strings.CutPrefix(text, "-> "); isLink {
			must(t, os.Symlink(target, path))
			continue
		}
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return root
}

// With returns files with others over them.
func (f Files) With(others Files) Files {
	all := Files{}
	for _, some := range []Files{f, others} {
		for name, text := range some {
			all[name] = text
		}
	}
	return all
}

// Command is what every command of the program looks like.
type Command func(request []byte, l limits.Limits) (any, error)

// Render runs a command with default limits and fails the test if the command does.
func Render(t testing.TB, run Command, request any) *objects.Result {
	t.Helper()
	result, err := run(JSON(t, request), limits.Limits{}.WithDefaults())
	must(t, err)
	return result.(*objects.Result)
}

// Refused runs a command and fails the test unless it fails with a reason and a message that contains a text.
func Refused(t testing.TB, run Command, request any, reason, contained string) *failure.Failure {
	t.Helper()
	_, err := run(JSON(t, request), limits.Limits{}.WithDefaults())
	var found *failure.Failure
	if !errors.As(err, &found) {
		t.Fatalf("not refused: %v", err)
	}
	if found.Reason != reason || !strings.Contains(found.Message, contained) {
		t.Fatalf("refused as %s: %s\n   wanted %s: … %s …", found.Reason, found.Message, reason, contained)
	}
	if strings.Contains(found.Message, "\n") || strings.Contains(found.Message, os.TempDir()) {
		t.Errorf("message has several lines, or a path of the machine: %q", found.Message)
	}
	return found
}

// JSON is a request as it comes.
func JSON(t testing.TB, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	must(t, err)
	return text
}

// Names are "Kind/name" of objects, in their order.
func Names(all []objects.Object) []string {
	names := []string{}
	for _, one := range all {
		names = append(names, one.Object["kind"].(string)+"/"+Field(one.Object, "metadata", "name").(string))
	}
	return names
}

// Field follows keys and indices; nil where one is missing.
func Field(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			table, _ := value.(map[string]any)
			value = table[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
