package helm

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/ignore"

	"maquette.dev/render/internal/checkout"
	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/objects"
)

// maxArchive bounds what a packed subchart unpacks to.
const maxArchive = 32 << 20

// ownYAML are the files that Helm reads as YAML while it loads; its errors would not name them.
var ownYAML = regexp.MustCompile(`^(?:charts/[^/]+/)*(?:Chart|values|requirements)\.yaml$`)

// load reads the chart in a folder, with its subcharts.
func load(files *checkout.Checkout, folder string) (*chart.Chart, error) {
	if _, err := files.Stat(path.Join(folder, "Chart.yaml")); err != nil {
		return nil, err
	}
	buffered, err := read(files, folder)
	if err != nil {
		return nil, err
	}
	loader.MaxDecompressedChartSize = maxArchive
	loaded, err := loader.LoadFiles(buffered)
	if err != nil {
		return nil, failure.At(failure.ChartInvalid, path.Join(folder, "Chart.yaml"), 0, "Chart cannot be loaded: %s", err)
	}
	return loaded, check(loaded, folder)
}

func read(files *checkout.Checkout, folder string) ([]*loader.BufferedFile, error) {
	skip, err := ignored(files, folder)
	if err != nil {
		return nil, err
	}
	names, err := files.Files(folder, skip)
	if err != nil {
		return nil, err
	}
	buffered := make([]*loader.BufferedFile, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(path.Join(folder, name))
		if err != nil {
			return nil, err
		}
		text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
		if ownYAML.MatchString(name) {
			if err := objects.CheckYAML(path.Join(folder, name), text); err != nil {
				return nil, err
			}
		}
		buffered = append(buffered, &loader.BufferedFile{Name: name, Data: text})
	}
	return buffered, nil
}

// ignored reads .helmignore.
func ignored(files *checkout.Checkout, folder string) (checkout.Skip, error) {
	name := path.Join(folder, ignore.HelmIgnore)
	rules := ignore.Empty()
	if _, err := files.Stat(name); err == nil {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if rules, err = ignore.Parse(bytes.NewReader(text)); err != nil {
			return nil, failure.At(failure.ChartInvalid, name, 0, "%s", err)
		}
	}
	rules.AddDefaults()
	return func(name string, info fs.FileInfo) bool { return rules.Ignore(name, info) }, nil
}

// check refuses what "helm install" refuses before it renders.
func check(loaded *chart.Chart, folder string) error {
	file := path.Join(folder, "Chart.yaml")
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return failure.At(failure.ChartInvalid, file, 0, "Chart of type %q cannot be installed", kind)
	}
	if missing := missingDependencies(loaded); len(missing) > 0 {
		return failure.At(failure.DependencyMissing, file, 0,
			"Dependencies are not in charts/: %s (run \"helm dependency build\" and commit the folder)",
			strings.Join(missing, ", "))
	}
	return nil
}

// missingDependencies are named in Chart.yaml, here or in a subchart, and not there. Disabled ones count, as they do
// for Helm.
func missingDependencies(loaded *chart.Chart) []string {
	there := map[string]bool{}
	var missing []string
	for _, dependency := range loaded.Dependencies() {
		there[dependency.Name()] = true
	}
	for _, wanted := range loaded.Metadata.Dependencies {
		if !there[wanted.Name] {
			missing = append(missing, path.Join(loaded.ChartFullPath(), "charts", wanted.Name))
		}
	}
	return missing
}
