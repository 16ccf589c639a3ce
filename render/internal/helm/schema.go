package helm

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"maquette.dev/render/internal/failure"
)

// schemaURL is the name that Helm gives a chart's schema.
const schemaURL = "file:///values.schema.json"

// checkValues holds the values to the schemas of the chart and of its subcharts, as Helm does, but for references:
// Helm's own loader reads any file of the machine and asks the network.
func checkValues(loaded *chart.Chart, values map[string]any, at place) error {
	if !hasSchema(loaded) {
		return nil
	}
	coalesced, err := chartutil.CoalesceValues(loaded, values)
	if err != nil {
		return failure.New(failure.ValuesInvalid, "Values do not fit the chart: %s", err)
	}
	return checkSchemas(loaded, coalesced, at)
}

func hasSchema(loaded *chart.Chart) bool {
	return loaded.Schema != nil || slices.ContainsFunc(loaded.Dependencies(), hasSchema)
}

func checkSchemas(loaded *chart.Chart, values map[string]any, at place) error {
	if loaded.Schema != nil {
		if err := checkSchema(loaded.Schema, values); err != nil {
			file := at.file(loaded.ChartFullPath() + "/values.schema.json")
			return failure.At(failure.ValuesInvalid, file, 0, "Values break the schema: %s", err)
		}
	}
	for _, subchart := range loaded.Dependencies() {
		// Coalesced values have a table for every subchart.
		below, _ := values[subchart.Name()].(map[string]any)
		if err := checkSchemas(subchart, below, at); err != nil {
			return err
		}
	}
	return nil
}

func checkSchema(text []byte, values map[string]any) error {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noReferences{})
	if err := compiler.AddResource(schemaURL, schema); err != nil {
		return err
	}
	compiled, err := compiler.Compile(schemaURL)
	if err != nil {
		return err
	}
	if err := compiled.Validate(plain(values)); err != nil {
		return errors.New(problems(err))
	}
	return nil
}

// noReferences is asked for every document that a schema refers to.
type noReferences struct{}

func (noReferences) Load(url string) (any, error) {
	return nil, fmt.Errorf("reference to another document is refused: %q", url)
}

// problems are the leaves of the validator's tree.
func problems(err error) string {
	lines := strings.Split(err.Error(), "\n")
	var leaves []string
	for _, line := range lines[min(1, len(lines)-1):] {
		leaves = append(leaves, strings.TrimPrefix(strings.TrimSpace(line), "- "))
	}
	return strings.Join(leaves, "; ")
}

// plain makes maps of Helm's own map type, which the validator does not know.
func plain(values map[string]any) any {
	if values == nil {
		return map[string]any{}
	}
	return values
}
