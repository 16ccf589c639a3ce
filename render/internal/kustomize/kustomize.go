// Package kustomize builds a kustomization of a checkout by kustomize's own engine, on a file system that has nothing
// but the checkout.
package kustomize

import (
	"encoding/json"
	"io"
	"log"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/yaml"

	"maquette.dev/render/internal/checkout"
	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/image"
	"maquette.dev/render/internal/limits"
	"maquette.dev/render/internal/objects"
)

// Request of the command "kustomize".
type Request struct {
	// Root is the absolute path of the checkout, Path the kustomization's folder in it.
	Root string `json:"root"`
	Path string `json:"path"`
	// Namespace that all namespaced objects get, as by the field of that name.
	Namespace string `json:"namespace"`
	Inject    Inject `json:"inject"`
}

// Inject goes over what the kustomization says.
type Inject struct {
	Image *image.Reference `json:"image"`
}

// Run builds. Plugins are those built into kustomize; bases are folders of the checkout.
func Run(text []byte, l limits.Limits) (any, error) {
	request, err := parse(text)
	if err != nil {
		return nil, err
	}
	log.SetOutput(io.Discard)
	files, err := checkout.Open(request.Root)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	if info, err := files.Stat(request.Path); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, failure.At(failure.PathNotFound, request.Path, 0, "Not a folder")
	}
	result := objects.NewResult()
	if err := build(request, files, result); err != nil {
		return nil, err
	}
	return result, result.Check(l)
}

func parse(text []byte) (Request, error) {
	var request Request
	if err := json.Unmarshal(text, &request); err != nil {
		return request, failure.New(failure.InvalidRequest, "Request does not fit: %s", err)
	}
	if request.Inject.Image != nil {
		if err := request.Inject.Image.Check(); err != nil {
			return request, err
		}
	}
	path, err := checkout.Clean(request.Path)
	request.Path = path
	return request, err
}

func build(request Request, files *checkout.Checkout, result *objects.Result) error {
	over, err := overlay(request)
	if err != nil {
		return err
	}
	system := newFileSystem(files, over)
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(system, overlayFolder)
	// What the file system refused is kustomize's "not found" by now, or passed over.
	if system.refused != nil {
		return system.refused
	}
	if err != nil {
		return system.explain(err)
	}
	return collect(built, request.Inject.Image, result)
}

// overlay is a kustomization over the user's: it sets the namespace, and asks for where each object comes from.
func overlay(request Request) ([]byte, error) {
	return yaml.Marshal(map[string]any{
		"apiVersion":    "kustomize.config.k8s.io/v1beta1",
		"kind":          "Kustomization",
		"namespace":     request.Namespace,
		"resources":     []string{".." + checkoutFolder + "/" + request.Path},
		"buildMetadata": []string{"originAnnotations"},
	})
}

func collect(built resmap.ResMap, reference *image.Reference, result *objects.Result) error {
	found, err := decode(built)
	if err == nil && reference != nil {
		if err = inject(built, *reference, found, result); err == nil {
			found, err = decode(built)
		}
	}
	result.Objects = append(result.Objects, found...)
	return err
}
