package helm

import (
	"maps"
	"slices"
	"strings"

	"maquette.dev/render/internal/image"
)

// slot is a place in the values that takes an image.
type slot struct {
	path []string
	// table is the place's own: repository, tag …; nil where a text is the whole reference.
	table map[string]any
	// name of the image there now, without tag and digest; "" where nothing is filled in.
	name string
}

func (s slot) String() string { return "values." + strings.Join(s.path, ".") }

// slots finds all places that take an image, in the order of their paths. Lists are passed over: values of a list
// cannot be replaced one by one.
func slots(values map[string]any, above []string) []slot {
	var found []slot
	for _, key := range slices.Sorted(maps.Keys(values)) {
		path := append(slices.Clone(above), key)
		switch value := values[key].(type) {
		case string:
			if key == "image" || isListOfImages(above) {
				found = append(found, slot{path: path, name: image.Name(value)})
			}
		case map[string]any:
			if isImage(path, value) {
				found = append(found, slot{path: path, table: value, name: nameIn(value)})
				continue
			}
			found = append(found, slots(value, path)...)
		}
	}
	return found
}

// isImage tells a table of an image from others: by its repository, or by its place.
func isImage(path []string, table map[string]any) bool {
	if _, hasRepository := table["repository"].(string); hasRepository {
		_, hasTag := table["tag"]
		return hasTag || path[len(path)-1] == "image" || isListOfImages(path[:len(path)-1])
	}
	isNamed := table[nameKey(table)] != nil && table["tag"] != nil
	return path[len(path)-1] == "image" && (len(path) == 1 || isNamed)
}

// isListOfImages is true for "images" and "global.images", whose entries are images.
func isListOfImages(path []string) bool {
	joined := strings.Join(path, ".")
	return joined == "images" || joined == "global.images"
}

func nameIn(table map[string]any) string {
	name, _ := table[nameKey(table)].(string)
	if registry, _ := table["registry"].(string); registry != "" && name != "" {
		return registry + "/" + name
	}
	return name
}

// nameKey is what the chart calls the repository.
func nameKey(table map[string]any) string {
	for _, key := range []string{"repository", "name", "image"} {
		if _, isText := table[key].(string); isText {
			return key
		}
	}
	return "repository"
}

// choose picks the places that are the application's: those that hold this image already; else the conventional ones;
// else the only one there is.
func choose(all []slot, reference image.Reference) []slot {
	if best := image.Best(reference, all, func(s slot) string { return s.name }); len(best) > 0 {
		return best
	}
	for _, convention := range []func(slot) bool{
		func(s slot) bool { return s.String() == "values.image" },
		func(s slot) bool { return s.String() == "values.global.image" },
		func(s slot) bool { return isListOfImages(s.path[:len(s.path)-1]) },
		func(slot) bool { return true },
	} {
		if chosen := slices.DeleteFunc(slices.Clone(all), func(s slot) bool { return !convention(s) }); len(chosen) == 1 {
			return chosen
		}
	}
	return nil
}

// fill is what to put there: the whole reference, or only the keys that a chart with such a table reads.
func (s slot) fill(reference image.Reference) any {
	if s.table == nil {
		return reference.String()
	}
	filled := map[string]any{nameKey(s.table): reference.Repository}
	if _, hasRegistry := s.table["registry"]; hasRegistry {
		filled["registry"], filled[nameKey(s.table)] = image.Split(reference.Repository)
	}
	if reference.Tag != "" {
		filled["tag"] = reference.Tag
	}
	// A digest of the chart's own would win over the tag, and must go.
	if _, hasDigest := s.table["digest"]; hasDigest {
		filled["digest"] = reference.Digest
	}
	if _, hasSum := s.table["sha"]; hasSum {
		filled["sha"] = strings.TrimPrefix(reference.Digest, "sha256:")
	}
	return filled
}
