package helm

import (
	"errors"
	"path"
	"regexp"
	"strconv"
	"strings"

	"maquette.dev/render/internal/failure"
)

// place turns the engine's names, which begin with the chart's, into paths of the checkout.
type place struct {
	folder string
	chart  string
}

func (p place) file(name string) string {
	return path.Join(p.folder, strings.TrimPrefix(name, p.chart+"/"))
}

var (
	// executing is one level of an error of text/template; the innermost says where it happened.
	executing = regexp.MustCompile(`template: ([^\s:]+):(\d+)(?::\d+)?: (?:executing "[^"]*" at )?`)
	// atPlace is how Helm words errors of parsing, "fail" and "required".
	atPlace = regexp.MustCompile(`(?s)^(?:parse|execution) error (?:at|in) \(([^:)]+)(?::(\d+))?(?::\d+)?\): (.*)$`)
)

// explain finds file, line and the innermost message of an engine's error.
func (p place) explain(err error) error {
	text := err.Error()
	file, line, message := p.locate(text)
	reason := failure.TemplateFailed
	var own *failure.Failure
	if errors.As(err, &own) {
		reason, message = own.Reason, own.Message
	}
	if file == "" {
		return failure.New(reason, "Templates of chart %q: %s", p.chart, message)
	}
	return failure.At(reason, file, line, "%s", message)
}

func (p place) locate(text string) (file string, line int, message string) {
	if match := atPlace.FindStringSubmatch(text); match != nil {
		line, _ = strconv.Atoi(match[2])
		return p.file(match[1]), line, match[3]
	}
	all := executing.FindAllStringSubmatchIndex(text, -1)
	if len(all) == 0 {
		return "", 0, text
	}
	last := all[len(all)-1]
	line, _ = strconv.Atoi(text[last[4]:last[5]])
	return p.file(text[last[2]:last[3]]), line, text[last[1]:]
}
