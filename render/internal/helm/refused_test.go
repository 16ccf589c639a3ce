package helm

import (
	"strings"
	"testing"

	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/image"
	"maquette.dev/render/internal/testkit"
)

func TestRefused(t *testing.T) {
	template := func(text string) testkit.Files { return testkit.Files{"web/templates/t.yaml": text} }
	schema := func(text string) testkit.Files { return testkit.Files{"web/values.schema.json": text} }
	cases := map[string]struct {
		files  testkit.Files
		change func(*Request)
		reason string
		// place is "file" or "file:line"; it leads the message.
		place   string
		message string
	}{
		"lookup": {files: template("a: 1\n{{ lookup \"v1\" \"Secret\" \"kube-system\" \"\" }}"),
			reason: failure.LookupRefused, place: "web/templates/t.yaml:2", message: `"lookup" of v1 Secret is refused`},
		"lookup in a helper": {files: template("\n{{ include \"x\" . }}").With(testkit.Files{
			"web/templates/_x.tpl": "{{ define \"x\" }}\n\n{{ lookup \"v1\" \"Secret\" \"\" \"\" }}{{ end }}"}),
			reason: failure.LookupRefused, place: "web/templates/_x.tpl:3", message: "templates see no cluster"},
		"fail":                             {files: template("\n\n{{ fail \"say why\" }}"), reason: failure.TemplateFailed, place: "web/templates/t.yaml:3", message: "say why"},
		"required":                         {files: template("\n{{ required \"host is needed\" .Values.host }}"), reason: failure.TemplateFailed, place: "web/templates/t.yaml:2", message: "host is needed"},
		"a template that cannot be parsed": {files: template("a: b\n{{ if }}"), reason: failure.TemplateFailed, place: "web/templates/t.yaml:2", message: "missing value for if"},
		"a function that is not there":     {files: template("{{ env \"HOME\" }}"), reason: failure.TemplateFailed, place: "web/templates/t.yaml:1", message: `function "env" not defined`},
		"a value of nothing":               {files: template("{{ .Values.a.b.c }}"), reason: failure.TemplateFailed, place: "web/templates/t.yaml:1", message: "nil pointer"},
		"an include that is not there":     {files: template("{{ include \"nowhere\" . }}"), reason: failure.TemplateFailed, place: "web/templates/t.yaml:1", message: "nowhere"},
		"an include of itself": {files: template("{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}"),
			reason: failure.TemplateFailed, place: "web/templates/t.yaml:1", message: "nested reference"},
		"a tpl that fails": {files: template("{{ tpl \"{{ fail \\\"inside\\\" }}\" . }}"), reason: failure.TemplateFailed, place: "web/templates/t.yaml:1", message: "inside"},
		"output that is no YAML": {files: template("a: b\nb:\n  - c\n d: e\n"),
			reason: failure.YAMLInvalid, place: "web/templates/t.yaml", message: "YAML: did not find expected"},
		"output that is no object": {files: template("just a text"), reason: failure.ObjectInvalid, place: "web/templates/t.yaml:1", message: "it is a text"},
		"an object without a name": {files: template("apiVersion: v1\nkind: Pod\n"), reason: failure.ObjectInvalid, place: "web/templates/t.yaml:1", message: `"metadata.name" is missing`},
		"an alias testkit.Bomb()":  {files: template(testkit.Bomb()), reason: failure.YAMLInvalid, place: "web/templates/t.yaml:1", message: "excessive aliasing"},
		"an alias testkit.Bomb() in the values": {files: testkit.Files{"web/values.yaml": testkit.Bomb()},
			reason: failure.YAMLInvalid, place: "web/values.yaml:1", message: "excessive aliasing"},
		"values that are no YAML": {files: testkit.Files{"web/values.yaml": "a: b\n  c: d\n"},
			reason: failure.YAMLInvalid, place: "web/values.yaml:2", message: "mapping values are not allowed"},
		"a Chart.yaml that is no YAML": {files: testkit.Files{"web/Chart.yaml": "name: [\n"},
			reason: failure.YAMLInvalid, place: "web/Chart.yaml", message: "YAML"},
		"a folder that is no chart": {change: func(r *Request) { r.Path = "web/templates" },
			reason: failure.PathNotFound, place: "web/templates/Chart.yaml", message: "Not found"},
		"a path out of the checkout": {change: func(r *Request) { r.Path = "../web" },
			reason: failure.PathEscapes, message: `"../web"`},
		"an absolute path": {change: func(r *Request) { r.Path = "/etc" }, reason: failure.PathEscapes, message: `"/etc"`},
		"a link out of the checkout": {files: testkit.Files{"web/files/passwd": "-> /etc/passwd"},
			reason: failure.PathEscapes, place: "web/files/passwd", message: "leads out of the checkout"},
		"a link out of the checkout by ..": {files: testkit.Files{"web/templates/x.yaml": "-> ../../../../../etc/passwd"},
			reason: failure.PathEscapes, place: "web/templates/x.yaml", message: "leads out of the checkout"},
		"a subchart that is a link out": {files: testkit.Files{"web/charts/db": "-> ../../../charts/db"},
			reason: failure.PathEscapes, place: "web/charts/db", message: "leads out of the checkout"},
		"a link that leads to itself": {files: testkit.Files{"web/files/loop": "-> ../"},
			reason: failure.FileRefused, place: "web/files/loop", message: "folder that it is in"},
		"a library": {files: testkit.Files{"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\ntype: library\n"},
			reason: failure.ChartInvalid, place: "web/Chart.yaml", message: "cannot be installed"},
		"a chart for a newer cluster": {files: testkit.Files{"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\nkubeVersion: \">=2.0.0\"\n"},
			reason: failure.ChartInvalid, message: `wants Kubernetes ">=2.0.0"`},
		"values that break the schema": {files: schema(`{"properties":{"image":{"properties":{"tag":{"type":"integer"}}}}}`),
			reason: failure.ValuesInvalid, place: "web/values.schema.json", message: "at '/image/tag'"},
		"a schema that reads a file": {files: schema(`{"$ref":"file:///etc/hostname.json"}`),
			reason: failure.ValuesInvalid, place: "web/values.schema.json", message: "reference to another document is refused"},
		"a schema that asks the network": {files: schema(`{"$ref":"https://example.com/schema.json"}`),
			reason: failure.ValuesInvalid, place: "web/values.schema.json", message: "reference to another document is refused"},
		"values that do not fit a subchart": {files: testkit.Files{"web/charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n"},
			change: func(r *Request) { r.Values = map[string]any{"db": "a text"} }, reason: failure.ValuesInvalid, message: "type mismatch on db"},
		"no release":              {change: func(r *Request) { r.ReleaseName = "" }, reason: failure.InvalidRequest, message: "releaseName"},
		"an image without a tag":  {change: func(r *Request) { r.Inject.Image = &image.Reference{Repository: "a"} }, reason: failure.InvalidRequest, message: "tag or a digest"},
		"a version that is none":  {change: func(r *Request) { r.KubeVersion = "new" }, reason: failure.InvalidRequest, message: `"new"`},
		"a checkout that is gone": {change: func(r *Request) { r.Root += "/gone" }, reason: failure.PathNotFound, message: "Checkout cannot be opened"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			asked := request(testkit.Tree(t, web.With(test.files)))
			if test.change != nil {
				test.change(&asked)
			}
			refused := testkit.Refused(t, Run, asked, test.reason, test.message)
			if !strings.HasPrefix(refused.Message, test.place) {
				t.Errorf("%s, wanted at %s", refused.Message, test.place)
			}
			if file, _, hasLine := strings.Cut(test.place, ":"); refused.File != file || hasLine && refused.Line == 0 {
				t.Errorf("file %q, line %d, wanted %s", refused.File, refused.Line, test.place)
			}
		})
	}
}
