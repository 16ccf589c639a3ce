package helm

import (
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/image"
	"maquette.dev/render/internal/objects"
)

// maxNamed bounds the places that a warning lists.
const maxNamed = 5

// injected returns the request's values with what is injected over them, and reports what went where. The places are
// looked for in what the chart's own values make of them.
func injected(request Request, loaded *chart.Chart, result *objects.Result) (map[string]any, error) {
	if request.Inject == (Inject{}) {
		return request.Values, nil
	}
	values, err := chartutil.CoalesceValues(loaded, request.Values)
	if err != nil {
		return nil, failure.New(failure.ValuesInvalid, "Values do not fit the chart: %s", err)
	}
	over := map[string]any{}
	if request.Inject.Image != nil {
		injectImage(values, *request.Inject.Image, over, result)
	}
	if request.Inject.Host != "" {
		injectHost(values, request.Inject.Host, over, result)
	}
	return chartutil.MergeTables(over, request.Values), nil
}

func injectImage(values map[string]any, reference image.Reference, over map[string]any, result *objects.Result) {
	all := slots(values, nil)
	chosen := choose(all, reference)
	for _, place := range chosen {
		set(over, place.path, place.fill(reference))
		result.Inject("image", place.String(), reference.String())
	}
	if len(chosen) == 0 {
		result.Warn(objects.ImageNotInjected, "Image "+reference.String()+" is not put into the values: "+places(all))
	}
}

func places(all []slot) string {
	if len(all) == 0 {
		return "no \"image\" is in them"
	}
	var names []string
	for _, place := range all[:min(len(all), maxNamed)] {
		names = append(names, place.String())
	}
	return "several could take it, and none has it now: " + strings.Join(names, ", ")
}

// injectHost sets what charts call the host of their ingress. Whether there will be one is the chart's affair.
func injectHost(values map[string]any, host string, over map[string]any, result *objects.Result) {
	ingress, _ := values["ingress"].(map[string]any)
	for _, key := range []string{"host", "hostname"} {
		if _, isText := ingress[key].(string); isText {
			setHost(over, result, key, host, host)
		}
	}
	if hosts, isList := ingress["hosts"].([]any); isList {
		if len(hosts) == 1 {
			setHost(over, result, "hosts", withHost(hosts[0], host), host)
		} else if ingress["enabled"] == true {
			result.Warn(objects.HostNotInjected, "Host "+host+" is not put into values.ingress.hosts: it has not one entry")
		}
	}
	tls, _ := ingress["tls"].([]any)
	if len(tls) != 1 {
		return
	}
	if entry, isTable := tls[0].(map[string]any); isTable {
		setHost(over, result, "tls", with(entry, "hosts", []any{host}), host)
	}
}

// setHost puts one entry, or a text, under the ingress.
func setHost(over map[string]any, result *objects.Result, key string, value any, host string) {
	if key == "hosts" || key == "tls" {
		value = []any{value}
	}
	set(over, []string{"ingress", key}, value)
	result.Inject("host", "values.ingress."+key, host)
}

// withHost keeps what else an entry says, paths for instance.
func withHost(entry any, host string) any {
	table, isTable := entry.(map[string]any)
	if !isTable {
		return host
	}
	if _, hasName := table["name"]; hasName && table["host"] == nil {
		return with(table, "name", host)
	}
	return with(table, "host", host)
}

func with(table map[string]any, key string, value any) map[string]any {
	copied := map[string]any{}
	for name, field := range table {
		copied[name] = field
	}
	copied[key] = value
	return copied
}

func set(values map[string]any, path []string, value any) {
	for _, key := range path[:len(path)-1] {
		below, isTable := values[key].(map[string]any)
		if !isTable {
			below = map[string]any{}
			values[key] = below
		}
		values = below
	}
	values[path[len(path)-1]] = value
}
