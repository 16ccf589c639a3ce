package objects

import (
	"bytes"
	"regexp"
	"strings"
)

// Document is one YAML document of a text.
type Document struct {
	Text string
	// Line is the line of the text that the document begins at, from 1.
	Line int
}

// helmSeparator is Helm's own (releaseutil.SplitManifests): templates often glue "---" to what follows.
var helmSeparator = regexp.MustCompile(`(?:^|\s*\n)---\s*`)

// yamlSeparator is the line that kubectl splits at.
var yamlSeparator = regexp.MustCompile(`(?m)^---(?:[ \t][^\n]*|\r)?$`)

// SplitHelm splits the output of a template as Helm does, which trims each document; those that are only comments are
// left out.
func SplitHelm(text string) []Document {
	documents := split(text, helmSeparator)
	for index, document := range documents {
		trimmed := strings.TrimLeft(document.Text, " \t\r\n")
		above := document.Text[:len(document.Text)-len(trimmed)]
		documents[index].Line += strings.Count(above, "\n")
		documents[index].Text = strings.TrimRight(trimmed, " \t\r\n")
	}
	return documents
}

// SplitYAML splits a manifest at lines of "---"; documents that are only comments are left out.
func SplitYAML(text string) []Document { return split(text, yamlSeparator) }

func split(text string, separator *regexp.Regexp) []Document {
	var documents []Document
	start := 0
	for _, at := range append(separator.FindAllStringIndex(text, -1), []int{len(text), len(text)}) {
		if part := text[start:at[0]]; hasContent(part) {
			documents = append(documents, Document{Text: part, Line: 1 + strings.Count(text[:start], "\n")})
		}
		start = at[1]
	}
	return documents
}

// hasContent is false for blank lines, comments and markers.
func hasContent(text string) bool {
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if trimmed != "" && trimmed[0] != '#' && trimmed != "..." {
			return true
		}
	}
	return false
}

// lineAt is the line of an offset, from 1.
func lineAt(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(max(offset, 0), int64(len(text)))], []byte("\n"))
}
