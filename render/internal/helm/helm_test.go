package helm

import (
	"slices"
	"testing"

	"maquette.dev/render/internal/testkit"
)

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }} }
spec: { template: { spec: { containers: [{ name: app, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}" }] } } }
`

// web is a chart with one Deployment.
var web = testkit.Files{
	"web/Chart.yaml":                "apiVersion: v2\nname: web\nversion: 1.0.0\n",
	"web/values.yaml":               "image: { repository: nginx, tag: latest }\n",
	"web/templates/deployment.yaml": deployment,
}

func request(root string) Request {
	return Request{Root: root, Path: "web", ReleaseName: "shop", Namespace: "team-shop-pr-7", KubeVersion: "v1.36.3"}
}

func configMap(name, data string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: " + name + " }\ndata: " + data + "\n"
}

// rendered is the data of the only ConfigMap of a chart that has web's files and some others.
func rendered(t *testing.T, files testkit.Files, change func(*Request)) any {
	t.Helper()
	asked := request(testkit.Tree(t, web.With(testkit.Files{"web/templates/deployment.yaml": ""}).With(files)))
	if change != nil {
		change(&asked)
	}
	result := testkit.Render(t, Run, asked)
	if len(result.Objects) != 1 {
		t.Fatalf("objects: %v", testkit.Names(result.Objects))
	}
	return testkit.Field(result.Objects[0].Object, "data", "value")
}

func TestValues(t *testing.T) {
	shows := func(expression string) testkit.Files {
		return testkit.Files{"web/templates/c.yaml": configMap("c", `{ value: "{{ `+expression+` }}" }`)}
	}
	values := func(values map[string]any) func(*Request) {
		return func(r *Request) { r.Values = values }
	}
	cases := map[string]struct {
		expression string
		change     func(*Request)
		want       any
	}{
		"the chart's own are the ground":                {`.Values.image.tag`, nil, "latest"},
		"the request's go over them":                    {`.Values.image.tag`, values(map[string]any{"image": map[string]any{"tag": "1"}}), "1"},
		"null takes one away":                           {`.Values.image.tag | default "none"`, values(map[string]any{"image": map[string]any{"tag": nil}}), "none"},
		"the release is an installation":                {`printf "%s/%s %v" .Release.Namespace .Release.Name .Release.IsInstall`, nil, "team-shop-pr-7/shop true"},
		"the cluster's version is as told":              {`.Capabilities.KubeVersion.Version`, func(r *Request) { r.KubeVersion = "v1.33.1-gke.100" }, "v1.33.1-gke.100"},
		"without a list, Helm's API versions are known": {`.Capabilities.APIVersions.Has "apps/v1"`, nil, "true"},
		"with a list, only those are":                   {`.Capabilities.APIVersions.Has "apps/v1"`, func(r *Request) { r.APIVersions = []string{"v1"} }, "false"},
		"the environment is not there":                  {`regexMatch "." (getHostByName "localhost")`, nil, "false"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := rendered(t, shows(test.expression), test.change); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestSubcharts(t *testing.T) {
	subchart := func(name string) testkit.Files {
		return testkit.Files{
			"web/charts/" + name + "/Chart.yaml":       "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n",
			"web/charts/" + name + "/values.yaml":      "exports: { shared: { color: red } }\nsize: 1\n",
			"web/charts/" + name + "/templates/c.yaml": configMap(name, `{ value: "{{ .Values.size }}" }`),
		}
	}
	chart := func(dependency string) testkit.Files {
		return testkit.Files{"web/Chart.yaml": web["web/Chart.yaml"] + "dependencies: [" + dependency + "]\n"}
	}
	cases := map[string]struct {
		dependency string
		values     map[string]any
		want       []string
	}{
		"one that is in charts/ is rendered":      {`{ name: db, version: 1.0.0 }`, nil, []string{"ConfigMap/db", "Deployment/shop"}},
		"a condition that is false takes it away": {`{ name: db, version: 1.0.0, condition: db.enabled }`, map[string]any{"db": map[string]any{"enabled": false}}, []string{"Deployment/shop"}},
		"so does a tag": {`{ name: db, version: 1.0.0, tags: [back] }`, map[string]any{"tags": map[string]any{"back": false}}, []string{"Deployment/shop"}},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			asked := request(testkit.Tree(t, web.With(subchart("db")).With(chart(test.dependency))))
			asked.Values = test.values
			if got := testkit.Names(testkit.Render(t, Run, asked).Objects); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	t.Run("values are imported from it", func(t *testing.T) {
		files := web.With(subchart("db")).With(chart(`{ name: db, version: 1.0.0, import-values: [shared] }`))
		files["web/templates/deployment.yaml"] = configMap("c", `{ value: "{{ .Values.color }}" }`)
		result := testkit.Render(t, Run, request(testkit.Tree(t, files)))
		if got := testkit.Field(result.Objects[1].Object, "data", "value"); got != "red" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("one that is missing is named", func(t *testing.T) {
		files := web.With(chart(`{ name: db, version: 1.0.0, repository: "https://charts.example.com" }`))
		testkit.Refused(t, Run, request(testkit.Tree(t, files)), "DependencyMissing", "web/charts/db")
	})
}

func TestHooksAreTakenOutAndOrdered(t *testing.T) {
	hook := func(kind, name, annotations string) string {
		return "---\napiVersion: v1\nkind: " + kind + "\nmetadata: { name: " + name + ", annotations: { " + annotations + " } }\n"
	}
	asked := request(testkit.Tree(t, web.With(testkit.Files{"web/templates/hooks.yaml": "" +
		hook("Job", "b", `helm.sh/hook: "pre-install, pre-upgrade", helm.sh/hook-weight: "5"`) +
		hook("Job", "a", `helm.sh/hook: post-install, helm.sh/hook-delete-policy: "hook-succeeded,hook-failed"`) +
		hook("ServiceAccount", "a", `helm.sh/hook: post-install`) +
		hook("Job", "first", `helm.sh/hook: test-success, helm.sh/hook-weight: "-1"`) +
		hook("Job", "old", `helm.sh/hook: crd-install`),
	})))
	result := testkit.Render(t, Run, asked)
	var got []string
	for _, hook := range result.Hooks {
		got = append(got, hook.Object.Object["kind"].(string)+"/"+nameOf(hook.Object))
	}
	if want := []string{"Job/first", "ServiceAccount/a", "Job/a", "Job/b"}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	last, deleted := result.Hooks[3], result.Hooks[2]
	if !slices.Equal(last.Events, []string{"pre-install", "pre-upgrade"}) || last.Weight != 5 ||
		!slices.Equal(last.DeletePolicies, []string{"before-hook-creation"}) {
		t.Errorf("hook b: %+v", last)
	}
	if !slices.Equal(deleted.DeletePolicies, []string{"hook-succeeded", "hook-failed"}) {
		t.Errorf("hook a: %+v", deleted)
	}
	if len(result.Warnings) != 1 || result.Warnings[0].Reason != "HookSkipped" || len(result.Objects) != 1 {
		t.Errorf("warnings %v, objects %v", result.Warnings, testkit.Names(result.Objects))
	}
}

func TestWhatIsNotAnObjectOfTheRelease(t *testing.T) {
	result := testkit.Render(t, Run, request(testkit.Tree(t, web.With(testkit.Files{
		"web/crds/things.yaml":        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: things.example.com }\n",
		"web/templates/NOTES.txt":     "Thank you",
		"web/templates/empty.yaml":    "{{ if false }}a: b{{ end }}\n# nothing\n",
		"web/templates/.hidden.yaml":  "not: read",
		"web/.helmignore":             "templates/ignored.yaml\n",
		"web/templates/ignored.yaml":  "{{ fail \"read\" }}",
		"web/templates/list.yaml":     "apiVersion: v1\nkind: List\nitems: [" + `{ apiVersion: v1, kind: Secret, metadata: { name: in-list } }` + "]\n",
		"web/templates/glued.yaml":    "{{- if true }}\n---\n{{- end }}apiVersion: v1\nkind: Service\nmetadata: { name: glued }\n",
		"web/templates/_helpers.yaml": "{{ define \"x\" }}{{ end }}",
	}))))
	if got, want := testkit.Names(result.Objects), []string{"Deployment/shop", "Service/glued", "Secret/in-list"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(result.Refused) != 1 || result.Refused[0].Name != "things.example.com" || result.Refused[0].Source != "web/crds/things.yaml" {
		t.Errorf("refused: %+v", result.Refused)
	}
}

func TestARenderingThatDiffersEachTimeIsWarnedOf(t *testing.T) {
	result := testkit.Render(t, Run, request(testkit.Tree(t, web.With(testkit.Files{
		"web/templates/secret.yaml": configMap("secret", `{ password: "{{ randAlphaNum 20 }}" }`),
		"web/templates/same.yaml":   configMap("same", `{ year: "{{ now | date "2006" }}" }`),
	}))))
	if len(result.Warnings) != 1 || result.Warnings[0].Message != "Every rendering differs, because templates use chance or the time: web/templates/secret.yaml" {
		t.Errorf("warnings: %+v", result.Warnings)
	}
}
