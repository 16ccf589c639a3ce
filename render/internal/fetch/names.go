package fetch

import (
	"regexp"
	"strings"
	"unicode"

	"maquette.dev/render/internal/failure"
)

// longestName and longestPath are what file systems take, in bytes.
const (
	longestName = 255
	longestPath = 3000
)

var (
	drive = regexp.MustCompile(`^[A-Za-z]:`)
	// How .git is written, or abbreviated, on file systems that take several names for one.
	dotGit = regexp.MustCompile(`(?i)^(\.git|git~[0-9]+)[. ]*(:.*)?$`)
)

// checkName refuses the name of a file, folder or link that means something else than one in its folder.
// path is the whole path, for the message.
func checkName(name, path string) error {
	switch {
	case name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00"):
		return failure.At(failure.PathEscapes, path, 0, "Name %q leads out of the checkout: take it out of the repository", name)
	case dotGit.MatchString(strings.Map(dropIgnored, name)):
		return failure.At(PathRefused, path, 0, "Name %q is one of git's own: take it out of the repository", name)
	case strings.Contains(name, `\`) || drive.MatchString(name):
		return failure.At(PathRefused, path, 0, "Name %q has a backslash or a drive, which some programs take for "+
			"another folder: rename it", name)
	case len(name) > longestName || len(path) > longestPath:
		return failure.At(PathRefused, path, 0, "Path is longer than %d bytes, or a name in it than %d: rename it",
			longestPath, longestName)
	}
	return nil
}

// dropIgnored drops letters that some file systems do not see in names.
func dropIgnored(letter rune) rune {
	if unicode.Is(unicode.Cf, letter) {
		return -1
	}
	return letter
}
