package kustomize

import (
	"slices"
	"strings"
	"testing"

	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/image"
	"maquette.dev/render/internal/testkit"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  template:
    spec:
      initContainers: [{ name: init, image: "acme/shop:1" }]
      containers: [{ name: app, image: "acme/shop" }, { name: proxy, image: "envoy:1" }, { name: helper, image: "shop" }]
`

var app = testkit.Files{
	"base/kustomization.yaml":    "resources: [deployment.yaml]\n",
	"base/deployment.yaml":       deployment,
	"overlay/kustomization.yaml": "namespace: elsewhere\nresources: [../base]\nnamePrefix: my-\nconfigMapGenerator: [{ name: c, files: [a=c.txt] }]\n",
	"overlay/c.txt":              "content",
}

func request(root string) Request {
	return Request{Root: root, Path: "overlay", Namespace: "team-shop-pr-7"}
}

func TestAnOverlayOfABaseNextToIt(t *testing.T) {
	result := testkit.Render(t, Run, request(testkit.Tree(t, app)))
	got := testkit.Names(result.Objects)
	if len(got) != 2 || got[0] != "Deployment/my-shop" || !strings.HasPrefix(got[1], "ConfigMap/my-c-") {
		t.Fatalf("objects: %v", got)
	}
	for index, source := range []string{"base/deployment.yaml", "overlay/kustomization.yaml"} {
		if result.Objects[index].Source != source {
			t.Errorf("source %q, wanted %q", result.Objects[index].Source, source)
		}
	}
	if got := result.Objects[0].Object["metadata"]; string(testkit.JSON(t, got)) != `{"name":"my-shop","namespace":"team-shop-pr-7"}` {
		t.Errorf("metadata: %v", got)
	}
}

func TestInjectImage(t *testing.T) {
	pinned := image.Reference{Repository: "registry.example.com/acme/shop", Tag: "v2", Digest: "sha256:abc"}
	images := func(result any) (all []string) {
		for _, path := range [][]any{{"initContainers", 0}, {"containers", 0}, {"containers", 1}, {"containers", 2}} {
			all = append(all, testkit.Field(result, "spec", "template", "spec", path[0], path[1], "image").(string))
		}
		return all
	}
	cases := map[string]struct {
		image image.Reference
		more  testkit.Files
		want  []string
		where string
	}{
		"the end of the repository's path is a placeholder": {pinned, nil,
			[]string{pinned.String(), pinned.String(), "envoy:1", pinned.String()}, "images.acme/shop images.shop"},
		"the repository itself goes first": {image.Reference{Repository: "docker.io/library/shop", Tag: "v2"}, nil,
			[]string{"acme/shop:1", "acme/shop", "envoy:1", "docker.io/library/shop:v2"}, "images.shop"},
		"the kustomization's own images come before": {pinned, testkit.Files{"overlay/kustomization.yaml": "resources: [../base]\nimages: [{ name: envoy, newName: registry.example.com/acme/shop }]\n"},
			[]string{"acme/shop:1", "acme/shop", pinned.String(), "shop"}, "images.registry.example.com/acme/shop"},
		"nothing fits": {image.Reference{Repository: "other", Tag: "v2"}, nil,
			[]string{"acme/shop:1", "acme/shop", "envoy:1", "shop"}, "No container has the image other, there are: acme/shop, envoy, shop"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			asked := request(testkit.Tree(t, app.With(test.more)))
			asked.Inject.Image = &test.image
			result := testkit.Render(t, Run, asked)
			if got := images(result.Objects[0].Object); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			var where []string
			for _, injection := range result.Injected {
				where = append(where, injection.Where)
			}
			for _, warning := range result.Warnings {
				where = append(where, warning.Message)
			}
			if got := strings.Join(where, " "); got != test.where {
				t.Errorf("where: %s", got)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	overlay := func(text string) testkit.Files { return testkit.Files{"overlay/kustomization.yaml": text} }
	const generator = "apiVersion: example.com/v1\nkind: Maker\nmetadata: { name: m, annotations: { config.kubernetes.io/function: \"%s\" } }\n"
	function := func(value string) testkit.Files {
		return overlay("generators: [m.yaml]\n").With(testkit.Files{"overlay/m.yaml": strings.Replace(generator, "%s", value, 1)})
	}
	cases := map[string]struct {
		files   testkit.Files
		reason  string
		place   string
		line    int
		message string
	}{
		"a base from https":                        {overlay("resources:\n- ../base\n- https://github.com/acme/base?ref=v1\n"), failure.RemoteRefused, "overlay/kustomization.yaml", 3, "https://github.com/acme/base"},
		"a base from git over ssh":                 {overlay("resources: [\"git@github.com:acme/base.git\"]\n"), failure.RemoteRefused, "overlay/kustomization.yaml", 1, "git@github.com"},
		"a base from github.com":                   {overlay("bases: [github.com/acme/base//deploy]\n"), failure.RemoteRefused, "overlay/kustomization.yaml", 1, "github.com/acme"},
		"a base from a file URL":                   {overlay("resources: [\"file:///etc\"]\n"), failure.RemoteRefused, "overlay/kustomization.yaml", 1, "file:///etc"},
		"a base by go-getter's words":              {overlay("resources: [\"git::https://example.com/x\"]\n"), failure.RemoteRefused, "overlay/kustomization.yaml", 1, "git::"},
		"a base in a base":                         {testkit.Files{"base/kustomization.yaml": "components:\n- ssh://git@example.com/x\n"}, failure.RemoteRefused, "base/kustomization.yaml", 2, "ssh://"},
		"a patch from https":                       {overlay("resources: [../base]\npatches: [{ path: \"https://example.com/p.yaml\" }]\n"), failure.RemoteRefused, "overlay/kustomization.yaml", 2, "https://example.com/p.yaml"},
		"a generated file from https":              {overlay("configMapGenerator: [{ name: c, files: [\"a=https://example.com/p\"] }]\n"), failure.RemoteRefused, "overlay/kustomization.yaml", 1, "https://example.com/p"},
		"a schema from https":                      {overlay("resources: [../base]\nopenapi: { path: \"https://example.com/p\" }\n"), failure.RemoteRefused, "overlay/kustomization.yaml", 2, "https://example.com/p"},
		"a base out of the checkout":               {overlay("resources: [../../base]\n"), failure.PathEscapes, "overlay/kustomization.yaml", 1, `"../../base"`},
		"a file out of the checkout":               {overlay("configMapGenerator: [{ name: c, files: [../../../etc/passwd] }]\n"), failure.PathEscapes, "overlay/kustomization.yaml", 1, "etc/passwd"},
		"an absolute file":                         {overlay("resources: [/etc/passwd]\n"), failure.PathEscapes, "overlay/kustomization.yaml", 1, `"/etc/passwd"`},
		"a link out of the checkout":               {overlay("resources: [x.yaml]\n").With(testkit.Files{"overlay/x.yaml": "-> /etc/passwd"}), failure.PathEscapes, "overlay/x.yaml", 0, "leads out"},
		"a link out by ..":                         {overlay("resources: [x]\n").With(testkit.Files{"overlay/x": "-> ../../../etc"}), failure.PathEscapes, "overlay/x", 0, "leads out"},
		"a link in circles":                        {overlay("resources: [x.yaml]\n").With(testkit.Files{"overlay/x.yaml": "-> y.yaml", "overlay/y.yaml": "-> x.yaml"}), failure.PathEscapes, "overlay/x.yaml", 0, "in circles"},
		"a file of another folder":                 {overlay("resources: [../base/deployment.yaml]\n"), failure.KustomizationInvalid, "", 0, "is not in or below"},
		"a program as a plugin":                    {function("exec: { path: ./run.sh }"), failure.PluginRefused, "", 0, "Maker"},
		"a container as a plugin":                  {function("container: { image: example.com/x }"), failure.PluginRefused, "", 0, "Maker"},
		"a plugin inline":                          {overlay("transformers:\n- |\n  apiVersion: example.com/v1\n  kind: Maker\n  metadata: { name: m }\n"), failure.PluginRefused, "", 0, "Maker"},
		"a Helm chart":                             {overlay("resources: []\nhelmCharts: [{ name: x, repo: \"https://example.com\" }]\n"), failure.PluginRefused, "overlay/kustomization.yaml", 2, "type helm"},
		"a Helm chart as a generator":              {overlay("generators:\n- |\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  metadata: { name: x }\n  name: x\n"), failure.PluginRefused, "", 0, "enable-helm"},
		"a base that is not there":                 {overlay("resources: [../nowhere]\n"), failure.PathNotFound, "nowhere", 0, "Not found"},
		"bases in circles":                         {testkit.Files{"base/kustomization.yaml": "resources: [../overlay]\n"}, failure.KustomizationInvalid, "", 0, "cycle detected"},
		"a folder without kustomization":           {testkit.Files{"overlay/kustomization.yaml": "-> nowhere"}, failure.KustomizationInvalid, "", 0, "unable to find one of 'kustomization.yaml'"},
		"a field that is not there":                {overlay("resource: [x]\n"), failure.KustomizationInvalid, "", 0, `unknown field "resource"`},
		"a file that is no YAML":                   {testkit.Files{"base/deployment.yaml": "a: b\n c: d\n"}, failure.YAMLInvalid, "base/deployment.yaml", 2, "mapping values"},
		"an alias testkit.Bomb()":                  {testkit.Files{"base/deployment.yaml": testkit.Bomb()}, failure.YAMLInvalid, "base/deployment.yaml", 1, "Aliases expand"},
		"an alias testkit.Bomb() in kustomization": {overlay(testkit.Bomb()), failure.YAMLInvalid, "overlay/kustomization.yaml", 1, "Aliases expand"},
		"an alias within its own anchor":           {testkit.Files{"base/deployment.yaml": "a: &a [*a]\n"}, failure.YAMLInvalid, "base/deployment.yaml", 1, "Aliases expand"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			refused := testkit.Refused(t, Run, request(testkit.Tree(t, app.With(test.files))), test.reason, test.message)
			if refused.File != test.place || refused.Line != test.line {
				t.Errorf("at %q:%d, wanted %q:%d: %s", refused.File, refused.Line, test.place, test.line, refused.Message)
			}
			if strings.Contains(refused.Message, checkoutFolder) {
				t.Errorf("message has a path of nowhere: %s", refused.Message)
			}
		})
	}
}

func TestAPathThatIsNone(t *testing.T) {
	root := testkit.Tree(t, app)
	for path, reason := range map[string]string{
		"../overlay": failure.PathEscapes, "nowhere": failure.PathNotFound, "base/deployment.yaml": failure.PathNotFound,
	} {
		testkit.Refused(t, Run, Request{Root: root, Path: path}, reason, "")
	}
}
