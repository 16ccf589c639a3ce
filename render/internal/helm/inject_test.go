package helm

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"maquette.dev/render/internal/image"
	"maquette.dev/render/internal/testkit"
)

var shop = image.Reference{Repository: "registry.example.com:5000/acme/shop", Tag: "v2"}

// showsValues renders the values themselves.
var showsValues = testkit.Files{
	"web/templates/deployment.yaml": "",
	"web/templates/values.yaml":     configMap("c", "{ value: {{ .Values | toJson | quote }} }"),
}

func TestInjectImage(t *testing.T) {
	pinned := shop
	pinned.Digest = "sha256:" + strings.Repeat("a", 64)
	cases := map[string]struct {
		values string
		image  image.Reference
		// want is what the values have to become, and where things went.
		want  string
		where string
	}{
		"a table with a repository": {`image: { repository: nginx, tag: "1" }`, shop,
			`image: { repository: "registry.example.com:5000/acme/shop", tag: v2 }`, "values.image"},
		"a table with a registry of its own": {`image: { registry: docker.io, repository: nginx, tag: "1" }`, shop,
			`image: { registry: "registry.example.com:5000", repository: acme/shop, tag: v2 }`, "values.image"},
		"a repository of Docker Hub": {`image: { registry: quay.io, repository: nginx, tag: "1" }`,
			image.Reference{Repository: "acme/shop", Tag: "v2"},
			`image: { registry: docker.io, repository: acme/shop, tag: v2 }`, "values.image"},
		"a digest where the chart knows of one": {`image: { repository: nginx, tag: "1", digest: "" }`, pinned,
			`image: { repository: "registry.example.com:5000/acme/shop", tag: v2, digest: "` + pinned.Digest + `" }`, "values.image"},
		"a digest of the chart's own goes": {`image: { repository: nginx, tag: "1", digest: "sha256:bbb" }`, shop,
			`image: { repository: "registry.example.com:5000/acme/shop", tag: v2, digest: "" }`, "values.image"},
		"a digest that the chart does not know is left out": {`image: { repository: nginx, tag: "1" }`, pinned,
			`image: { repository: "registry.example.com:5000/acme/shop", tag: v2 }`, "values.image"},
		"a sum without its algorithm": {`image: { repository: nginx, tag: "1", sha: "" }`, pinned,
			`image: { repository: "registry.example.com:5000/acme/shop", tag: v2, sha: ` + strings.Repeat("a", 64) + ` }`, "values.image"},
		"a table with a name": {`image: { name: nginx, tag: "1" }`, shop,
			`image: { name: "registry.example.com:5000/acme/shop", tag: v2 }`, "values.image"},
		"a text": {`image: "nginx:1"`, pinned,
			`image: "registry.example.com:5000/acme/shop:v2@` + pinned.Digest + `"`, "values.image"},
		"a global image": {`global: { image: { repository: nginx, tag: "1" } }`, shop,
			`global: { image: { repository: "registry.example.com:5000/acme/shop", tag: v2 } }`, "values.global.image"},
		"the only one of a list of images": {`images: { web: "nginx:1" }`, shop,
			`images: { web: "registry.example.com:5000/acme/shop:v2" }`, "values.images.web"},
		"the one of several that is this image already": {`images: { web: "acme/shop:1", proxy: "envoy:1" }`, shop,
			`images: { web: "registry.example.com:5000/acme/shop:v2", proxy: "envoy:1" }`, "values.images.web"},
		"all places that have this image": {
			`{ image: { repository: nginx, tag: "1" }, web: { image: { repository: acme/shop, tag: "1" } }, job: { image: { repository: acme/shop, tag: "1" } } }`, shop,
			`{ image: { repository: nginx, tag: "1" }, web: { image: { repository: "registry.example.com:5000/acme/shop", tag: v2 } }, job: { image: { repository: "registry.example.com:5000/acme/shop", tag: v2 } } }`,
			"values.job.image values.web.image"},
		"the only one there is": {`server: { image: { repository: nginx, tag: "1" } }`, shop,
			`server: { image: { repository: "registry.example.com:5000/acme/shop", tag: v2 } }`, "values.server.image"},
		"none of several": {`{ a: { image: { repository: one, tag: "1" } }, b: { image: { repository: two, tag: "1" } } }`, shop,
			`{ a: { image: { repository: one, tag: "1" } }, b: { image: { repository: two, tag: "1" } } }`,
			"ImageNotInjected: values.a.image, values.b.image"},
		"none": {`replicas: 1`, shop, `replicas: 1`, "ImageNotInjected: no \"image\" is in them"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got, where := injectedInto(t, test.values, Inject{Image: &test.image})
			if want := normal(t, test.want); got != want {
				t.Errorf("values: %s\n  wanted %s", got, want)
			}
			if !agrees(where, test.where) {
				t.Errorf("where: %s, wanted %s", where, test.where)
			}
		})
	}
}

func TestInjectHost(t *testing.T) {
	cases := map[string]struct{ values, want, where string }{
		"a text": {`ingress: { host: a.local }`, `ingress: { host: pr.example.com }`, "values.ingress.host"},
		"bitnami's name for it": {`ingress: { hostname: a.local }`, `ingress: { hostname: pr.example.com }`,
			"values.ingress.hostname"},
		"the only host, with its paths": {`ingress: { hosts: [{ host: a.local, paths: [/] }] }`,
			`ingress: { hosts: [{ host: pr.example.com, paths: [/] }] }`, "values.ingress.hosts"},
		"with its certificate": {`ingress: { hosts: [a.local], tls: [{ secretName: s, hosts: [a.local] }] }`,
			`ingress: { hosts: [pr.example.com], tls: [{ secretName: s, hosts: [pr.example.com] }] }`,
			"values.ingress.hosts values.ingress.tls"},
		"not one of several": {`ingress: { enabled: true, hosts: [a.local, b.local] }`,
			`ingress: { enabled: true, hosts: [a.local, b.local] }`, "HostNotInjected: not one entry"},
		"nothing where there is no ingress": {`a: b`, `a: b`, ""},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got, where := injectedInto(t, test.values, Inject{Host: "pr.example.com"})
			if want := normal(t, test.want); got != want {
				t.Errorf("values: %s\n  wanted %s", got, want)
			}
			if !agrees(where, test.where) {
				t.Errorf("where: %s, wanted %s", where, test.where)
			}
		})
	}
}

// injectedInto renders a chart with the values; it returns what they became, and the reports in one line.
func injectedInto(t *testing.T, values string, inject Inject) (became, where string) {
	t.Helper()
	asked := request(testkit.Tree(t, web.With(showsValues).With(testkit.Files{"web/values.yaml": values})))
	asked.Inject = inject
	result := testkit.Render(t, Run, asked)
	var reports []string
	for _, injection := range result.Injected {
		reports = append(reports, injection.Where)
	}
	for _, warning := range result.Warnings {
		reports = append(reports, warning.Reason+": "+warning.Message)
	}
	became, _ = testkit.Field(result.Objects[0].Object, "data", "value").(string)
	return normal(t, became), strings.Join(reports, " ")
}

// agrees lets a warning have more words.
func agrees(got, want string) bool {
	reason, message, isWarning := strings.Cut(want, ": ")
	if !isWarning {
		return got == want
	}
	return strings.HasPrefix(got, reason) && strings.Contains(got, message)
}

func normal(t *testing.T, text string) string {
	t.Helper()
	var value map[string]any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	if global, isTable := value["global"].(map[string]any); isTable && len(global) == 0 {
		delete(value, "global")
	}
	line, err := json.Marshal(value)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", text, err))
	}
	return string(line)
}
