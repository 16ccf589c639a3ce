package kustomize

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/filters/imagetag"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"

	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/image"
	"maquette.dev/render/internal/objects"
)

// originAnnotation is kustomize's; the overlay asks for it, so nobody else sees it.
const originAnnotation = "config.kubernetes.io/origin"

func decode(built resmap.ResMap) ([]objects.Object, error) {
	var all []objects.Object
	for _, one := range built.Resources() {
		source, err := sourceOf(one)
		if err != nil {
			return nil, err
		}
		text, err := one.MarshalJSON()
		if err != nil {
			return nil, failure.At(failure.ObjectInvalid, source, 0, "%s", err)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var value map[string]any
		if err := decoder.Decode(&value); err != nil {
			return nil, failure.At(failure.ObjectInvalid, source, 0, "%s", err)
		}
		dropOrigin(value)
		found, err := objects.FromValue(source, value)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// sourceOf is the file of an object, or the kustomization that generates it.
func sourceOf(one *resource.Resource) (string, error) {
	origin, err := one.GetOrigin()
	if err != nil {
		return "", failure.New(failure.InternalError, "Origin of %s: %s", one.CurId(), err)
	}
	if origin == nil {
		return "", nil
	}
	if origin.Path != "" {
		return fromRoot(path.Join(overlayFolder, origin.Path)), nil
	}
	return fromRoot(path.Join(overlayFolder, origin.ConfiguredIn)), nil
}

func dropOrigin(object map[string]any) {
	metadata, _ := object["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	delete(annotations, originAnnotation)
	if annotations != nil && len(annotations) == 0 {
		delete(metadata, "annotations")
	}
}

// inject runs kustomize's image transformer for the names that fit best: the repository as it is, or as the usual
// placeholder, the end of its path.
func inject(built resmap.ResMap, reference image.Reference, found []objects.Object, result *objects.Result) error {
	var names []string
	for _, object := range found {
		names = append(names, image.Names(object.Object)...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	fitting := image.Best(reference, names, func(name string) string { return name })
	if len(fitting) == 0 {
		result.Warn(objects.ImageNotInjected, "No container has the image "+reference.Repository+", there are: "+list(names))
	}
	for _, name := range fitting {
		transformer := imagetag.LegacyFilter{ImageTag: types.Image{
			Name: name, NewName: reference.Repository, NewTag: reference.Tag, Digest: reference.Digest,
		}}
		if err := built.ApplyFilter(transformer); err != nil {
			return failure.New(failure.KustomizationInvalid, "Image %q: %s", name, err)
		}
		result.Inject("image", "images."+name, reference.String())
	}
	return nil
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names[:min(len(names), 5)], ", ")
}
