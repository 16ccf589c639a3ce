package helm

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"k8s.io/client-go/dynamic"

	"maquette.dev/render/internal/answer"
	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/limits"
	"maquette.dev/render/internal/objects"
)

// input is what the engine needs; values are made anew for each execution, because templates can change them.
type input struct {
	request      Request
	chart        *chart.Chart
	values       map[string]any
	capabilities *chartutil.Capabilities
}

func newInput(request Request, loaded *chart.Chart, values map[string]any) (input, error) {
	version, err := chartutil.ParseKubeVersion(request.KubeVersion)
	if err != nil {
		return input{}, failure.New(failure.InvalidRequest, "No version of Kubernetes: %q", request.KubeVersion)
	}
	// Charts see a suffix like "-gke.100", as they do when Helm asks the cluster.
	version.Version = request.KubeVersion
	if wanted := loaded.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, version.Version) {
		return input{}, failure.New(failure.ChartInvalid, "Chart %q wants Kubernetes %q, the cluster has %q",
			loaded.Name(), wanted, version.Version)
	}
	known := chartutil.DefaultVersionSet
	if len(request.APIVersions) > 0 {
		known = request.APIVersions
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion, capabilities.APIVersions = *version, known
	return input{request: request, chart: loaded, values: values, capabilities: capabilities}, nil
}

// execute returns the text of each template by the engine's name for it. It is always an installation, never an
// upgrade: the same commit and values are to give the same objects.
func (in input) execute(at place, l limits.Limits) (map[string]string, error) {
	release := chartutil.ReleaseOptions{
		Name: in.request.ReleaseName, Namespace: in.request.Namespace, Revision: 1, IsInstall: true,
	}
	// The schemas have been checked: Helm's own check would load what they refer to.
	values, err := chartutil.ToRenderValuesWithSchemaValidation(in.chart, in.values, release, in.capabilities, true)
	if err != nil {
		return nil, failure.New(failure.ValuesInvalid, "Values do not fit the chart: %s", err)
	}
	texts, err := engine.RenderWithClientProvider(in.chart, values, noCluster{})
	if err != nil {
		return nil, at.explain(err)
	}
	var size int64
	for name, text := range texts {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(texts, name)
			continue
		}
		size += int64(len(text))
	}
	if size > l.OutputBytes {
		return nil, answer.TooLarge(size, l.OutputBytes)
	}
	return texts, nil
}

// noCluster is asked by "lookup". Helm without a cluster answers with nothing, and charts then do what they do when
// the object is not there: make new passwords at every rendering.
type noCluster struct{}

func (noCluster) GetClientFor(apiVersion, kind string) (dynamic.NamespaceableResourceInterface, bool, error) {
	return nil, false, failure.New(failure.LookupRefused,
		"\"lookup\" of %s %s is refused: templates see no cluster; put what is looked up into the values", apiVersion, kind)
}

// changing are the functions whose results differ from call to call.
var changing = regexp.MustCompile(
	`\b(rand\w+|uuidv4|now|ago|shuffle|bcrypt|htpasswd|encryptAES|derivePassword|gen(PrivateKey|CA|SelfSigned|Signed)\w*)\b`)

// warnUnstable renders once more where a template could give another result each time, and says which one does: each
// look of the operator would otherwise roll something.
func warnUnstable(in input, texts map[string]string, at place, l limits.Limits, result *objects.Result) error {
	if !usesChance(in.chart) {
		return nil
	}
	again, err := in.execute(at, l)
	if err != nil {
		return err
	}
	for name, text := range again {
		if texts[name] == text {
			delete(texts, name)
			delete(again, name)
		}
	}
	first, second := objects.NewResult(), objects.NewResult()
	if err := errors.Join(collect(texts, at, first), collect(again, at, second)); err != nil {
		return err
	}
	if sources := differing(first, second); len(sources) > 0 {
		result.Warn(objects.RenderingUnstable, "Every rendering differs, because templates use chance or the time: "+
			strings.Join(sources, ", "))
	}
	return nil
}

// differing are the files whose objects are not the same in both; tests of a chart do not count.
func differing(first, second *objects.Result) []string {
	seen := map[string]int{}
	for _, one := range applied(first) {
		seen[one]++
	}
	for _, one := range applied(second) {
		seen[one]--
	}
	var sources []string
	for one, count := range seen {
		if count != 0 {
			source, _, _ := strings.Cut(one, "\n")
			sources = append(sources, source)
		}
	}
	slices.Sort(sources)
	return slices.Compact(sources)
}

// applied are the objects and hooks as texts, led by their file.
func applied(result *objects.Result) []string {
	all := slices.Clone(result.Objects)
	for _, hook := range result.Hooks {
		if !slices.Equal(hook.Events, []string{"test"}) {
			all = append(all, hook.Object)
		}
	}
	var texts []string
	for _, one := range all {
		text, _ := json.Marshal(one.Object)
		texts = append(texts, one.Source+"\n"+string(text))
	}
	return texts
}

func usesChance(loaded *chart.Chart) bool {
	for _, template := range loaded.Templates {
		isTest := strings.HasPrefix(template.Name, "templates/tests/")
		if !isTest && changing.Match(template.Data) {
			return true
		}
	}
	for _, subchart := range loaded.Dependencies() {
		if usesChance(subchart) {
			return true
		}
	}
	return false
}
