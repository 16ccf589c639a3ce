// Package image is the image that is put into a rendering, and how it recognises its place.
package image

import (
	"strings"

	"maquette.dev/render/internal/failure"
)

// Reference is the image to inject.
type Reference struct {
	// Repository with its registry, if any: "registry.example.com:5000/acme/shop".
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
	// Digest with its algorithm: "sha256:…".
	Digest string `json:"digest"`
}

// Check says what a request's image lacks.
func (r Reference) Check() error {
	if r.Repository == "" || (r.Tag == "" && r.Digest == "") {
		return failure.New(failure.InvalidRequest, "Image must have a repository, and a tag or a digest: %q", r.String())
	}
	return nil
}

func (r Reference) String() string {
	text := r.Repository
	if r.Tag != "" {
		text += ":" + r.Tag
	}
	if r.Digest != "" {
		text += "@" + r.Digest
	}
	return text
}

// Split takes the registry off a repository by the rule of container runtimes: the first part is a host if it has a
// dot, a colon or a capital letter, or is "localhost". Without one it is Docker Hub, whose images without a path are in
// "library".
func Split(repository string) (registry, name string) {
	first, rest, found := strings.Cut(repository, "/")
	if found && (first == "localhost" || strings.ContainsAny(first, ".:") || strings.ToLower(first) != first) {
		return first, rest
	}
	if !found {
		repository = "library/" + repository
	}
	return "docker.io", repository
}

// Name cuts tag and digest off what stands in a container's "image".
func Name(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		return name[:colon]
	}
	return name
}

// Likeness of an image's name to the repository.
type Likeness int

const (
	// Other is another image.
	Other Likeness = iota
	// Namesake has another registry and path, but the same last name: "ghcr.io/other/shop".
	Namesake
	// Tail is the end of the repository's path: "shop" or "acme/shop" for "registry.example.com/acme/shop".
	Tail
	// Same is the same repository, however it is written.
	Same
)

// Likeness tells how well a name without tag and digest fits the repository.
func (r Reference) Likeness(name string) Likeness {
	if name == "" {
		return Other
	}
	registry, path := Split(r.Repository)
	otherRegistry, otherPath := Split(name)
	if registry == otherRegistry && path == otherPath {
		return Same
	}
	if strings.HasSuffix("/"+path, "/"+name) {
		return Tail
	}
	if last(path) == last(otherPath) {
		return Namesake
	}
	return Other
}

func last(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// Best keeps the items whose names fit best: all that are the same, or else all that are a tail, or else namesakes.
func Best[T any](r Reference, items []T, name func(T) string) []T {
	best, found := Namesake, []T{}
	for _, item := range items {
		switch likeness := r.Likeness(name(item)); {
		case likeness > best:
			best, found = likeness, []T{item}
		case likeness == best:
			found = append(found, item)
		}
	}
	return found
}
