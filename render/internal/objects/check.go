package objects

import (
	"strings"

	"maquette.dev/render/internal/failure"
)

// maxDepth of an object; the deepest that people write by hand is some 20.
const maxDepth = 100

// flatten takes lists apart and checks what is in them.
func flatten(file string, line int, value any) ([]Object, error) {
	if value == nil {
		return nil, nil
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, failure.At(failure.ObjectInvalid, file, line, "Not a Kubernetes object: %s", kindOf(value))
	}
	kind, _ := object["kind"].(string)
	items, isList := object["items"].([]any)
	if !isList || !strings.HasSuffix(kind, "List") {
		return checked(file, line, object)
	}
	var all []Object
	for _, item := range items {
		found, err := flatten(file, line, item)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func checked(file string, line int, object map[string]any) ([]Object, error) {
	if problem := problemOf(object); problem != "" {
		return nil, failure.At(failure.ObjectInvalid, file, line, "Not a Kubernetes object: %s", problem)
	}
	if isDeeper(object, maxDepth) {
		return nil, failure.At(failure.ObjectInvalid, file, line, "Nested more than %d levels deep", maxDepth)
	}
	return []Object{{Source: file, Object: object}}, nil
}

func problemOf(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	switch {
	case !isText(object["apiVersion"]):
		return `"apiVersion" is missing`
	case !isText(object["kind"]):
		return `"kind" is missing`
	case !isText(metadata["name"]) && isText(metadata["generateName"]):
		return `"metadata.generateName" has no stable name: use "metadata.name"`
	case !isText(metadata["name"]):
		return `"metadata.name" is missing`
	}
	return ""
}

func isText(value any) bool {
	text, ok := value.(string)
	return ok && text != ""
}

func kindOf(value any) string {
	switch value.(type) {
	case []any:
		return "it is a list"
	case string:
		return "it is a text"
	default:
		return "it is a number or a boolean"
	}
}

// isDeeper looks no deeper than it must.
func isDeeper(value any, levels int) bool {
	if levels == 0 {
		return true
	}
	switch value := value.(type) {
	case map[string]any:
		for _, field := range value {
			if isDeeper(field, levels-1) {
				return true
			}
		}
	case []any:
		for _, item := range value {
			if isDeeper(item, levels-1) {
				return true
			}
		}
	}
	return false
}

// FromValue checks what another reader decoded, and takes lists apart.
func FromValue(file string, value any) ([]Object, error) { return flatten(file, 0, value) }
