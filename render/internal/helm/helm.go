// Package helm renders a chart of a checkout by Helm's own engine, without a cluster and without Helm's own loaders:
// those follow links out of the checkout and schemas into the network.
package helm

import (
	"encoding/json"
	"io"
	"log"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"maquette.dev/render/internal/checkout"
	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/image"
	"maquette.dev/render/internal/limits"
	"maquette.dev/render/internal/objects"
)

// Request of the command "helm".
type Request struct {
	// Root is the absolute path of the checkout, Path the chart's folder in it.
	Root string `json:"root"`
	Path string `json:"path"`

	ReleaseName string         `json:"releaseName"`
	Namespace   string         `json:"namespace"`
	Values      map[string]any `json:"values"`
	// KubeVersion and APIVersions are what templates see of the cluster; no APIVersions are those that Helm knows.
	KubeVersion string   `json:"kubeVersion"`
	APIVersions []string `json:"apiVersions"`

	Inject Inject `json:"inject"`
}

// Inject goes over the chart's values and the request's.
type Inject struct {
	Image *image.Reference `json:"image"`
	Host  string           `json:"host"`
}

// Run renders: values of the chart, then of the request, then what is injected.
func Run(text []byte, l limits.Limits) (any, error) {
	request, err := parse(text)
	if err != nil {
		return nil, err
	}
	// Helm's packages tell warnings to the standard logger, values included.
	log.SetOutput(io.Discard)
	files, err := checkout.Open(request.Root)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	loaded, err := load(files, request.Path)
	if err != nil {
		return nil, err
	}
	return render(request, loaded, l)
}

func parse(text []byte) (Request, error) {
	var request Request
	if err := json.Unmarshal(text, &request); err != nil {
		return request, failure.New(failure.InvalidRequest, "Request does not fit: %s", err)
	}
	if request.ReleaseName == "" || request.Namespace == "" || request.KubeVersion == "" {
		return request, failure.New(failure.InvalidRequest, "Request needs releaseName, namespace and kubeVersion")
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

func render(request Request, loaded *chart.Chart, l limits.Limits) (*objects.Result, error) {
	result := objects.NewResult()
	at := place{folder: request.Path, chart: loaded.Name()}
	if err := chartutil.ProcessDependenciesWithMerge(loaded, request.Values); err != nil {
		return nil, failure.New(failure.ValuesInvalid, "Dependencies of chart %q: %s", loaded.Name(), err)
	}
	values, err := injected(request, loaded, result)
	if err != nil {
		return nil, err
	}
	if err := checkValues(loaded, values, at); err != nil {
		return nil, err
	}
	input, err := newInput(request, loaded, values)
	if err != nil {
		return nil, err
	}
	texts, err := input.execute(at, l)
	if err != nil {
		return nil, err
	}
	if err := collect(texts, at, result); err != nil {
		return nil, err
	}
	if err := refuseDefinitions(loaded, at, result); err != nil {
		return nil, err
	}
	if err := result.Check(l); err != nil {
		return nil, err
	}
	return result, warnUnstable(input, texts, at, l, result)
}
