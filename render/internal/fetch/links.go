package fetch

import (
	"path"
	"strings"
)

// maxLinks is how many links the system follows in one path before it gives up.
const maxLinks = 40

// leaves tells whether the link at a path, followed as the system does through the other links, ever leaves the
// checkout. links maps the path of each link to its target.
func leaves(at string, links map[string]string) bool {
	place := folders(path.Dir(at))
	target := links[at]
	if strings.HasPrefix(target, "/") {
		return true
	}
	ahead := strings.Split(target, "/")
	for followed := 1; len(ahead) > 0; {
		step := ahead[0]
		ahead = ahead[1:]
		switch step {
		case "", ".":
			continue
		case "..":
			if len(place) == 0 {
				return true
			}
			place = place[:len(place)-1]
			continue
		}
		next, isLink := links[path.Join(append(place, step)...)]
		if !isLink {
			place = append(place, step)
			continue
		}
		if followed++; followed > maxLinks {
			return false // nobody can follow it anywhere
		}
		if strings.HasPrefix(next, "/") {
			return true
		}
		ahead = append(strings.Split(next, "/"), ahead...)
	}
	return false
}

// folders are the names in a path that path.Dir made.
func folders(folder string) []string {
	if folder == "." {
		return nil
	}
	return strings.Split(folder, "/")
}
