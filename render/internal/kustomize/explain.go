package kustomize

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/api/types"

	"maquette.dev/render/internal/failure"
)

// malformed is how kustomize names a file that is no YAML: by the path in the kustomization.
var malformed = regexp.MustCompile(`yaml: (?:line (\d+): )?(.*?) in File: (\S+)`)

// explain turns an error of a build into a failure, with the checkout's own paths.
func (s *fileSystem) explain(err error) error {
	// An http client wraps what the sandbox says.
	var own *failure.Failure
	if errors.As(err, &own) {
		return own
	}
	text := strings.ReplaceAll(err.Error(), checkoutFolder+"/", "")
	text = strings.ReplaceAll(text, checkoutFolder, ".")
	text = strings.TrimPrefix(text, "accumulating resources: ")
	if match := malformed.FindStringSubmatch(text); match != nil {
		line, _ := strconv.Atoi(match[1])
		return failure.At(failure.YAMLInvalid, s.lastRead(match[3]), line, "YAML: %s", match[2])
	}
	if types.IsErrOnlyBuiltinPluginsAllowed(errors.Unwrap(err)) || strings.Contains(text, "external plugins disabled") || strings.Contains(text, "--enable-helm") {
		return failure.New(failure.PluginRefused, "Plugins are refused: %s", text)
	}
	return failure.New(failure.KustomizationInvalid, "Kustomization cannot be built: %s", text)
}

// lastRead is the file that was meant by the end of its path.
func (s *fileSystem) lastRead(name string) string {
	end := strings.TrimPrefix(strings.ReplaceAll(name, "../", ""), "./")
	for index := len(s.read) - 1; index >= 0; index-- {
		if strings.HasSuffix("/"+s.read[index], "/"+end) {
			return s.read[index]
		}
	}
	return name
}
