package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"maquette.dev/render/internal/testkit"
)

// asProgram makes the test binary behave as the program.
const asProgram = "MAQUETTE_RENDER_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// outcome of one run.
type outcome struct {
	status         int
	stdout, stderr string
	took, cpu      time.Duration
	peakMiB        int64
}

func run(t testing.TB, command string, request any) outcome {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(program, command)
	child.Env = []string{asProgram + "=1", "HOME=/root", "HTTP_PROXY=http://127.0.0.1:1"}
	child.Stdin = bytes.NewReader(testkit.JSON(t, request))
	var stdout, stderr bytes.Buffer
	child.Stdout, child.Stderr = &stdout, &stderr
	start := time.Now()
	_ = child.Run()
	took := time.Since(start)
	state := child.ProcessState
	return outcome{
		state.ExitCode(), stdout.String(), stderr.String(), took, state.UserTime() + state.SystemTime(), peak(state),
	}
}

// failed is the error of a run's answer.
func failed(t *testing.T, ran outcome) (reason, message string) {
	t.Helper()
	var document struct {
		Error struct{ Reason, Message string }
	}
	if err := json.Unmarshal([]byte(ran.stdout), &document); err != nil || ran.status != 1 {
		t.Fatalf("status %d, no JSON: %.300q, stderr %.300q", ran.status, ran.stdout, ran.stderr)
	}
	return document.Error.Reason, document.Error.Message
}

func chart(template string) testkit.Files {
	return testkit.Files{"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "templates/t.yaml": template}
}

func helmRequest(root string, limits map[string]any) map[string]any {
	return map[string]any{
		"root": root, "path": ".", "releaseName": "r", "namespace": "n", "kubeVersion": "v1.36.3", "limits": limits,
	}
}

func TestTemplatesWithoutEndOrMeasure(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata: { a: \"%s\" }\n"
	cases := map[string]struct {
		template string
		limits   map[string]any
		reason   string
	}{
		"a loop that takes for ever":         {`{{ range $i := until 100000 }}{{ range $j := until 100000 }}{{ end }}{{ end }}`, map[string]any{"seconds": 0.5}, "TimeExceeded"},
		"a list of a billion":                {`{{ until 1000000000 | len }}`, nil, "MemoryExceeded"},
		"a tpl within itself":                {`{{ define "x" }}{{ $t := "{{ tpl .t . }}" }}{{ tpl $t (dict "t" $t "Template" .Template) }}{{ end }}{{ template "x" . }}`, nil, "MemoryExceeded TemplateFailed"},
		"a text that doubles":                {`{{ $x := "xxxxxxxxxxxxxxxx" }}{{ range until 40 }}{{ $x = printf "%s%s" $x $x }}{{ end }}{{ len $x }}`, nil, "MemoryExceeded"},
		"a template within itself":           {`{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}`, nil, "TemplateFailed MemoryExceeded"},
		"10 MB of output":                    {strings.Replace(object, "%s", `{{ repeat 10485760 "x" }}`, 1), nil, "OutputTooLarge"},
		"a thousand and one objects":         {`{{ range until 1001 }}---` + "\n" + object + `{{ end }}`, nil, "TooManyObjects"},
		"a regular expression of a megabyte": {`{{ regexMatch (repeat 100000 "(a*)*") (repeat 100000 "a") }}`, map[string]any{"seconds": 2}, "TimeExceeded MemoryExceeded TemplateFailed"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			root := testkit.Tree(t, chart(test.template))
			ran := run(t, "helm", helmRequest(root, test.limits))
			if strings.Contains(test.reason, "MemoryExceeded") && endedByMemory(ran) {
				return
			}
			reason, message := failed(t, ran)
			if !strings.Contains(test.reason, reason) {
				t.Errorf("%s: %s, wanted %s", reason, message, test.reason)
			}
			t.Logf("%s: %s (%d MiB, %s)", reason, message, ran.peakMiB, ran.took.Round(time.Millisecond))
			if ran.peakMiB > 700 {
				t.Errorf("took %d MiB", ran.peakMiB)
			}
		})
	}
}

// endedByMemory is true where the kernel refused memory before the watch saw it: the Go runtime ends the process.
func endedByMemory(ran outcome) bool {
	return ran.status == 2 && strings.Contains(ran.stderr, "memory") && ran.stdout == ""
}

func TestOneHugeAllocationEndsTheProcess(t *testing.T) {
	ran := run(t, "helm", helmRequest(testkit.Tree(t, chart(`{{ repeat 1000000000 "xxxxxxxxxx" | len }}`)), nil))
	if !endedByMemory(ran) {
		t.Errorf("status %d, stdout %.200q, stderr %.200q", ran.status, ran.stdout, ran.stderr)
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	for command, request := range map[string]any{
		"nonsense": map[string]any{}, "helm": "text", "kustomize": []any{}, "manifest": map[string]any{"root": 1},
	} {
		if reason, message := failed(t, run(t, command, request)); reason != "InvalidRequest" {
			t.Errorf("%s: %s: %s", command, reason, message)
		}
	}
	large := map[string]any{"root": strings.Repeat("x", 5<<20)}
	if reason, _ := failed(t, run(t, "manifest", large)); reason != "InvalidRequest" {
		t.Errorf("large: %s", reason)
	}
	negative := map[string]any{"root": "/", "limits": map[string]any{"seconds": -1}}
	if reason, _ := failed(t, run(t, "manifest", negative)); reason != "InvalidRequest" {
		t.Errorf("negative: %s", reason)
	}
}

func TestAnAnswerIsTheSameEachTime(t *testing.T) {
	files := chart("a")
	for _, name := range []string{"c", "a", "b"} {
		files["templates/"+name+".yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: " + name + ", labels: { b: c, a: b } }\n"
	}
	files["templates/t.yaml"] = ""
	request := helmRequest(testkit.Tree(t, files), nil)
	first := run(t, "helm", request)
	if first.status != 0 || first.stderr != "" {
		t.Fatalf("%+v", first)
	}
	for range 3 {
		if again := run(t, "helm", request); again.stdout != first.stdout {
			t.Errorf("%s\n%s", first.stdout, again.stdout)
		}
	}
}
