package objects

import (
	"fmt"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	cases := map[string]struct {
		split func(string) []Document
		text  string
		// want is "line: text" of each document.
		want string
	}{
		"Helm splits where text is glued to the marker": {SplitHelm, "a: 1\n---b: 2\n", "1: a: 1 | 2: b: 2"},
		"Helm trims, and lines stay right":              {SplitHelm, "\n\n  \na: 1\n\n\n---\n\n\n# c\nb: 2\n", "4: a: 1 | 10: # c\nb: 2"},
		"a manifest is split at lines only":             {SplitYAML, "a: 1\n--- # next\nb: \"---c\"\n", "1: a: 1\n | 2: \nb: \"---c\"\n"},
		"nothing is no document":                        {SplitYAML, "---\n# only a comment\n---\n\n...\n", ""},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, document := range test.split(test.text) {
				got = append(got, fmt.Sprintf("%d: %s", document.Line, document.Text))
			}
			if joined := strings.Join(got, " | "); joined != test.want {
				t.Errorf("got %q, want %q", joined, test.want)
			}
		})
	}
}
