package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"maquette.dev/render/internal/failure"
)

// asCommand makes the test's own binary behave as the command, for tests that need it in processes of its own.
const asCommand = "MAQUETTE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	switch os.Getenv(asCommand) {
	case "fetch":
		os.Exit(runAsCommand())
	case "":
		os.Exit(m.Run())
	}
}

func runAsCommand() int {
	request, err := io.ReadAll(os.Stdin)
	var answer any
	if err == nil {
		answer, err = Run(context.Background(), request)
	}
	if err != nil {
		answer = map[string]any{"error": failure.Of(err, failure.InternalError)}
	}
	_ = json.NewEncoder(os.Stdout).Encode(answer)
	if err != nil {
		return 1
	}
	return 0
}

// command is the fetch command in a process of its own.
func command(t *testing.T, request Request) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(request)
	check(t, err)
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), asCommand+"=fetch")
	command.Stdin = strings.NewReader(string(text))
	return command
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[value comparable](t *testing.T, what string, got, want value) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, not %v", what, got, want)
	}
}

// fetched expects success.
func fetched(t *testing.T, request Request) Answer {
	t.Helper()
	answer, err := Fetch(t.Context(), request)
	check(t, err)
	return answer
}

// refused expects a failure for a reason, and returns its message.
func refused(t *testing.T, request Request, reason string) string {
	t.Helper()
	answer, err := Fetch(t.Context(), request)
	var known *failure.Failure
	if !errors.As(err, &known) {
		t.Fatalf("want %s, got %v and %+v", reason, err, answer)
	}
	if known.Reason != reason {
		t.Fatalf("want %s, got %s: %s", reason, known.Reason, known.Message)
	}
	if strings.Contains(known.Message, "\n") || known.Message == "" {
		t.Errorf("message is not one line: %q", known.Message)
	}
	return known.Message
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not contain %q", text, part)
		}
	}
}

// content of a file in a checkout.
func contentOf(t *testing.T, answer Answer, path string) string {
	t.Helper()
	text, err := os.ReadFile(answer.Path + "/" + path)
	check(t, err)
	return string(text)
}

func seconds(count int) *int { return &count }

func branchName(length int) string {
	return strings.Repeat("feature/long-name/", length)[:length-1] + "x"
}
