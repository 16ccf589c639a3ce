// Package manifest reads plain manifests: one file, or all of a folder.
package manifest

import (
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"strings"

	"maquette.dev/render/internal/checkout"
	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/limits"
	"maquette.dev/render/internal/objects"
)

// Request of the command "manifest".
type Request struct {
	// Root is the absolute path of the checkout, Path a file or a folder in it.
	Root string `json:"root"`
	Path string `json:"path"`
}

// kustomizations are no manifests, though they look like it.
var kustomizations = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// Run reads files by name, and documents as they stand in them.
func Run(text []byte, l limits.Limits) (any, error) {
	var request Request
	if err := json.Unmarshal(text, &request); err != nil {
		return nil, failure.New(failure.InvalidRequest, "Request does not fit: %s", err)
	}
	target, err := checkout.Clean(request.Path)
	if err != nil {
		return nil, err
	}
	files, err := checkout.Open(request.Root)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	names, err := manifests(files, target)
	if err != nil {
		return nil, err
	}
	result := objects.NewResult()
	for _, name := range names {
		if err := read(files, name, result); err != nil {
			return nil, err
		}
	}
	return result, result.Check(l)
}

// manifests are the file itself, or the files below the folder; hidden ones are left out.
func manifests(files *checkout.Checkout, target string) ([]string, error) {
	info, err := files.Stat(target)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{target}, nil
	}
	names, err := files.Files(target, skipped)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !isManifest(name) })
	for index, name := range names {
		names[index] = path.Join(target, name)
	}
	if len(names) == 0 {
		return nil, failure.At(failure.PathNotFound, target, 0, "No *.yaml, *.yml or *.json in the folder")
	}
	slices.Sort(names)
	return names, nil
}

// skipped looks at nothing hidden, and at no file of another kind. Where a link leads is not known here.
func skipped(name string, info fs.FileInfo) bool {
	return strings.HasPrefix(path.Base(name), ".") || info.Mode().IsRegular() && !isManifest(name)
}

func isManifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name))
}

func read(files *checkout.Checkout, name string, result *objects.Result) error {
	if slices.Contains(kustomizations, path.Base(name)) {
		return failure.At(failure.ObjectInvalid, name, 0, "Folder is a kustomization: deploy it with type kustomize")
	}
	text, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	found, err := decode(name, text)
	result.Objects = append(result.Objects, found...)
	return err
}

func decode(name string, text []byte) ([]objects.Object, error) {
	if path.Ext(name) == ".json" {
		return objects.FromJSON(name, text)
	}
	var all []objects.Object
	for _, document := range objects.SplitYAML(string(text)) {
		found, err := objects.FromYAML(name, document, objects.Reading{IsStrict: true})
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
