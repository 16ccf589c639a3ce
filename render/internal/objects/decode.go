package objects

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"maquette.dev/render/internal/failure"
)

// Reading says how strictly YAML is read.
type Reading struct {
	// IsStrict refuses a key that stands twice. Helm and its users are used to the last one winning.
	IsStrict bool
}

// FromYAML reads a document: its object, or the objects of a list.
//
// Expansion of aliases is bounded by the YAML package itself: it gives up where a document is made of little else.
//
// file is what errors name; the line is the document's place in it.
func FromYAML(file string, document Document, reading Reading) ([]Object, error) {
	convert := yaml.YAMLToJSON
	if reading.IsStrict {
		convert = yaml.YAMLToJSONStrict
	}
	text, err := convert([]byte(document.Text))
	if err != nil {
		return nil, yamlFailure(file, document.Line, err)
	}
	value, err := decode(json.NewDecoder(bytes.NewReader(text)))
	if err != nil {
		return nil, failure.At(failure.YAMLInvalid, file, document.Line, "%s", err)
	}
	return flatten(file, document.Line, value)
}

// FromJSON reads a file of JSON: one value, or several in a row.
func FromJSON(file string, text []byte) ([]Object, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	var all []Object
	for {
		before := decoder.InputOffset()
		value, err := decode(decoder)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, failure.At(failure.YAMLInvalid, file, lineAt(text, offsetOf(err, decoder)), "JSON: %s", err)
		}
		start := before + int64(len(text[before:])-len(bytes.TrimLeft(text[before:], " \t\r\n")))
		found, err := flatten(file, lineAt(text, start), value)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
}

func offsetOf(err error, decoder *json.Decoder) int64 {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return syntax.Offset
	}
	return decoder.InputOffset()
}

// decode keeps numbers as they were written.
func decode(decoder *json.Decoder) (any, error) {
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?line (\d+): `)

// yamlFailure moves the line that the parser names to the document's place in the file.
func yamlFailure(file string, first int, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := first
	if match := yamlLine.FindStringSubmatch(text); match != nil {
		within, _ := strconv.Atoi(match[1])
		line, text = first+within-1, text[len(match[0]):]
	}
	return failure.At(failure.YAMLInvalid, file, line, "YAML: %s", text)
}

// CheckYAML says where a text is no YAML.
func CheckYAML(file string, text []byte) error {
	if _, err := yaml.YAMLToJSON(text); err != nil {
		return yamlFailure(file, 1, err)
	}
	return nil
}
