package kustomize

import (
	"bytes"

	"go.yaml.in/yaml/v3"

	"maquette.dev/render/internal/failure"
)

// maxExpanded bounds the values that aliases stand for in one file. Kustomize copies each of them, without a bound of
// its own.
const maxExpanded = 50_000

// checkAliases refuses YAML whose aliases stand for more than anybody writes. Files that are not YAML pass: they may be
// the content of a ConfigMap.
func checkAliases(file string, text []byte) error {
	if bytes.IndexByte(text, '&') < 0 || bytes.IndexByte(text, '*') < 0 {
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if err != nil {
			// The end, or no YAML.
			return nil
		}
		sizes := sizes{known: map[*yaml.Node]int{}}
		if sizes.of(&document) > maxExpanded+sizes.plain {
			return failure.At(failure.YAMLInvalid, file, document.Line, "Aliases expand to more than %d values", maxExpanded)
		}
	}
}

// sizes counts what nodes expand to, each once.
type sizes struct {
	known map[*yaml.Node]int
	// plain is the number of nodes as they are written.
	plain int
}

// of stops counting at twice the bound; a node that contains itself is beyond it.
func (s *sizes) of(node *yaml.Node) int {
	if node.Kind == yaml.AliasNode {
		return s.of(node.Alias)
	}
	if size, isKnown := s.known[node]; isKnown {
		return size
	}
	s.known[node] = 1 << 30
	s.plain++
	size := 1
	for _, child := range node.Content {
		size = min(size+s.of(child), 1<<30)
	}
	s.known[node] = size
	return size
}
