package image

import (
	"maps"
	"slices"
)

// Names lists the images of all containers in an object, wherever a Pod's template is in it, without tags and digests.
func Names(object any) []string {
	var names []string
	switch value := object.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if key == "containers" || key == "initContainers" {
				names = append(names, inContainers(value[key])...)
			}
			names = append(names, Names(value[key])...)
		}
	case []any:
		for _, item := range value {
			names = append(names, Names(item)...)
		}
	}
	return names
}

func inContainers(list any) []string {
	containers, _ := list.([]any)
	var names []string
	for _, container := range containers {
		table, _ := container.(map[string]any)
		if text, isText := table["image"].(string); isText && text != "" {
			names = append(names, Name(text))
		}
	}
	return names
}
