package main

import (
	"fmt"
	"strings"
)

// logAnnotation on a Pod is the text that its containers log.
const logAnnotation = "simulate.maquette.dev/log"

// logVariable in a container's environment is the text that it logs, for those who cannot annotate the Pod.
const logVariable = "SIMULATED_LOG"

const crashText = `starting
connecting to database "app" at 10.0.0.5:5432
panic: cannot connect to database "app": dial tcp 10.0.0.5:5432: connect: connection refused

goroutine 1 [running]:
main.main()
	/src/main.go:42 +0x1d
`

type pod struct {
	Metadata struct {
		Name        string            `json:"name"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		Containers     []container `json:"containers"`
		InitContainers []container `json:"initContainers"`
	} `json:"spec"`
	Status struct {
		Containers     []containerStatus `json:"containerStatuses"`
		InitContainers []containerStatus `json:"initContainerStatuses"`
	} `json:"status"`
}

type container struct {
	Name    string     `json:"name"`
	Image   string     `json:"image"`
	Command []string   `json:"command"`
	Args    []string   `json:"args"`
	Env     []variable `json:"env"`
}

type variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type containerStatus struct {
	Name      string         `json:"name"`
	State     containerState `json:"state"`
	LastState containerState `json:"lastState"`
}

type containerState struct {
	Running    *struct{} `json:"running"`
	Terminated *struct {
		ExitCode int `json:"exitCode"`
	} `json:"terminated"`
	Waiting *struct {
		Reason string `json:"reason"`
	} `json:"waiting"`
}

func (p *pod) status(name string) containerStatus {
	for _, status := range append(p.Status.InitContainers, p.Status.Containers...) {
		if status.Name == name {
			return status
		}
	}
	return containerStatus{Name: name}
}

// log is what the container wrote, or why there is nothing to read, in a kubelet's words.
func (p *pod) log(name string, previous bool) (string, error) {
	status := p.status(name)
	if previous && status.LastState.Terminated == nil {
		return "", fmt.Errorf("previous terminated container %q in pod %q not found", name, p.Metadata.Name)
	}
	if status.State.Running == nil && status.State.Terminated == nil && status.LastState.Terminated == nil {
		return "", fmt.Errorf("container %q in pod %q is waiting to start: %s", name, p.Metadata.Name, status.waiting())
	}
	for _, c := range append(p.Spec.InitContainers, p.Spec.Containers...) {
		if c.Name == name {
			return c.log(p.Metadata.Annotations[logAnnotation], status.failed()), nil
		}
	}
	return "", fmt.Errorf("container %q not found in pod %q", name, p.Metadata.Name)
}

func (s containerStatus) waiting() string {
	switch {
	case s.State.Waiting == nil:
		return "ContainerCreating"
	case s.State.Waiting.Reason == "ErrImagePull" || s.State.Waiting.Reason == "ImagePullBackOff":
		return "trying and failing to pull image"
	default:
		return s.State.Waiting.Reason
	}
}

func (s containerStatus) failed() bool {
	return s.State.Terminated != nil && s.State.Terminated.ExitCode != 0 || s.LastState.Terminated != nil
}

func (c container) log(annotated string, failed bool) string {
	environment := c.environment()
	if printed, ok := c.printed(environment); ok {
		return printed
	}
	switch {
	case annotated != "":
		return annotated
	case environment[logVariable] != "":
		return environment[logVariable]
	case failed:
		return crashText
	default:
		return fmt.Sprintf("hello from a simulated container\nimage %s\n", c.Image)
	}
}

// environment is what the kubelet would set, without what it takes from ConfigMaps and Secrets.
func (c container) environment() map[string]string {
	known := map[string]string{"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
	for _, v := range c.Env {
		known[v.Name] = expand(v.Value, known)
	}
	return known
}

// printed runs the few commands whose output can be told by looking: echo, printf with %s, and a shell that does nothing
// but print one variable of its environment.
func (c container) printed(environment map[string]string) (string, bool) {
	var words []string
	for _, word := range append(append([]string{}, c.Command...), c.Args...) {
		words = append(words, expand(word, environment))
	}
	if len(words) < 2 {
		return "", false
	}
	switch base := words[0][strings.LastIndex(words[0], "/")+1:]; base {
	case "echo":
		return strings.Join(words[1:], " ") + "\n", true
	case "printf":
		return format(words[1], words[2:]), true
	case "sh", "ash", "bash":
		return shell(words[len(words)-1], environment)
	default:
		return "", false
	}
}

func shell(script string, environment map[string]string) (string, bool) {
	if !strings.HasPrefix(script, "printf ") && !strings.HasPrefix(script, "echo ") {
		return "", false
	}
	for name, value := range environment {
		if strings.Contains(script, `"$`+name+`"`) || strings.Contains(script, `"${`+name+`}"`) {
			if strings.HasPrefix(script, "echo ") || strings.Contains(script, `\n`) {
				value += "\n"
			}
			return value, true
		}
	}
	return "", false
}

// format is printf(1) for %s, %% and \n; the format is used again while there are arguments left.
func format(layout string, arguments []string) string {
	var out strings.Builder
	layout = strings.ReplaceAll(layout, `\n`, "\n")
	for {
		pieces, before := strings.Split(layout, "%s"), len(arguments)
		for i, piece := range pieces {
			out.WriteString(strings.ReplaceAll(piece, "%%", "%"))
			if i < len(pieces)-1 && len(arguments) > 0 {
				out.WriteString(arguments[0])
				arguments = arguments[1:]
			}
		}
		if len(arguments) == 0 || len(arguments) == before {
			return out.String()
		}
	}
}

// expand replaces $(NAME) as the kubelet does in commands, arguments and values: unknown names stay as they are written,
// $$ stands for a dollar sign.
func expand(text string, known map[string]string) string {
	var out strings.Builder
	for len(text) > 0 {
		end := -1
		if strings.HasPrefix(text, "$(") {
			end = strings.IndexByte(text, ')')
		}
		switch {
		case strings.HasPrefix(text, "$$"):
			out.WriteByte('$')
			text = text[2:]
		case end > 0:
			if value, ok := known[text[2:end]]; ok {
				out.WriteString(value)
			} else {
				out.WriteString(text[:end+1])
			}
			text = text[end+1:]
		default:
			out.WriteByte(text[0])
			text = text[1:]
		}
	}
	return out.String()
}
