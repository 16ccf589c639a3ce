package kustomize

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"maquette.dev/render/internal/failure"
)

// Fields of a kustomization that hold paths: a list of them, or a list of tables with them.
var (
	pathLists = []string{
		"resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators",
		"patchesStrategicMerge",
	}
	pathTables = []string{
		"patches", "patchesJson6902", "replacements", "configMapGenerator", "secretGenerator", "openapi",
	}
	pathKeys = []string{"path", "files", "envs", "env"}
	// chartFields make kustomize run the program "helm".
	chartFields = []string{"helmCharts", "helmChartInflationGenerator"}
)

// remote is what kustomize takes for a URL or a git repository (its internal/git/repospec.go).
var remote = regexp.MustCompile(`(?i)^(git::)?([a-z][a-z0-9+.-]*://|[^/@\s]+@[^/:\s]+[:/]|(www\.)?github\.com[:/]|gh:)`)

// checkKustomization refuses, by file and line, what would need the network, a program, or a file out of the checkout.
// It is there for the message: nothing of that would work anyway.
func (s *fileSystem) checkKustomization(file string, text []byte) error {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil || len(document.Content) == 0 {
		// Kustomize has the better words for it.
		return nil
	}
	fields := document.Content[0].Content
	for index := 0; index+1 < len(fields); index += 2 {
		if err := s.checkField(file, fields[index], fields[index+1]); err != nil {
			return err
		}
	}
	return nil
}

func (s *fileSystem) checkField(file string, key, value *yaml.Node) error {
	switch {
	case slices.Contains(chartFields, key.Value) && len(value.Content) > 0:
		return failure.At(failure.PluginRefused, file, key.Line,
			"Helm charts within a kustomization are refused: deploy the chart with type helm")
	case slices.Contains(pathLists, key.Value):
		return s.checkPaths(file, value)
	case slices.Contains(pathTables, key.Value):
		return s.checkTables(file, value)
	}
	return nil
}

func (s *fileSystem) checkTables(file string, node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		for _, child := range node.Content {
			if err := s.checkTables(file, child); err != nil {
				return err
			}
		}
		return nil
	}
	for index := 0; index+1 < len(node.Content); index += 2 {
		if slices.Contains(pathKeys, node.Content[index].Value) {
			if err := s.checkPaths(file, node.Content[index+1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkPaths looks at a path, or at a list of them. Texts of several lines are objects that stand in the place of one.
func (s *fileSystem) checkPaths(file string, node *yaml.Node) error {
	for _, child := range node.Content {
		if err := s.checkPaths(file, child); err != nil {
			return err
		}
	}
	if node.Kind != yaml.ScalarNode || strings.Contains(node.Value, "\n") {
		return nil
	}
	target := node.Value
	if key, named, found := strings.Cut(target, "="); found && !strings.ContainsAny(key, "/:?") {
		target = named
	}
	inside := path.Join(path.Dir(file), target)
	if remote.MatchString(target) && !s.isFile(target, inside) {
		return failure.At(failure.RemoteRefused, file, node.Line,
			"Remote sources are refused: %q; commit what it has to the repository", target)
	}
	if path.IsAbs(target) || inside == ".." || strings.HasPrefix(inside, "../") {
		return failure.At(failure.PathEscapes, file, node.Line, "Path leads out of the checkout: %q", target)
	}
	return nil
}

// isFile is true for a file with a strange name.
func (s *fileSystem) isFile(target, inside string) bool {
	if strings.Contains(target, "://") || strings.HasPrefix(inside, "..") {
		return false
	}
	info, err := s.files.Stat(inside)
	return err == nil && !info.IsDir()
}
