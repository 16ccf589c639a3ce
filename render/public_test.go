package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"maquette.dev/render/internal/objects"
	"maquette.dev/render/internal/testkit"
)

// public are charts and kustomizations that others publish within Go modules. They are brought by the Go command and
// kept in its cache.
var public = map[string]struct {
	module, command, path string
	values                map[string]any
	// image is the repository to inject; it has to end in where.
	image, where string
	// has are some of the objects.
	has []string
}{
	"podinfo, a chart": {module: "github.com/stefanprodan/podinfo@v1.8.1-0.20250910200901-e86405a8674e", command: "helm", path: "charts/podinfo",
		values: map[string]any{"ingress": map[string]any{"enabled": true}, "hpa": map[string]any{"enabled": true}},
		image:  "registry.example.com/acme/podinfo", where: "values.image",
		has: []string{"Deployment/release-podinfo", "Service/release-podinfo", "Ingress/release-podinfo", "HorizontalPodAutoscaler/release-podinfo"}},
	"podinfo, a kustomization": {module: "github.com/stefanprodan/podinfo@v1.8.1-0.20250910200901-e86405a8674e", command: "kustomize", path: "kustomize",
		image: "registry.example.com/acme/podinfo", where: "images.ghcr.io/stefanprodan/podinfo",
		has: []string{"Deployment/podinfo", "Service/podinfo", "HorizontalPodAutoscaler/podinfo"}},
	"podinfo, an overlay of three bases": {module: "github.com/stefanprodan/podinfo@v1.8.1-0.20250910200901-e86405a8674e", command: "kustomize", path: "deploy/overlays/production",
		has: []string{"Deployment/frontend", "Deployment/backend", "Deployment/cache"}},
	"external-dns": {module: "sigs.k8s.io/external-dns@v0.18.0", command: "helm", path: "charts/external-dns",
		image: "registry.example.com/acme/external-dns", where: "values.image",
		has: []string{"Deployment/release-external-dns", "ClusterRole/release-external-dns", "ServiceAccount/release-external-dns"}},
	"external-dns, a kustomization": {module: "sigs.k8s.io/external-dns@v0.18.0", command: "kustomize", path: "kustomize",
		image: "registry.k8s.io/external-dns/external-dns", where: "images.registry.k8s.io/external-dns/external-dns",
		has: []string{"Deployment/external-dns"}},
	"metrics-server": {module: "sigs.k8s.io/metrics-server@v0.9.0", command: "helm", path: "charts/metrics-server",
		image: "registry.example.com/acme/metrics-server", where: "values.image",
		has: []string{"Deployment/release-metrics-server", "APIService/v1beta1.metrics.k8s.io"}},
	"metrics-server, an overlay with components": {module: "sigs.k8s.io/metrics-server@v0.9.0", command: "kustomize", path: "manifests/overlays/release-ha-1.21+",
		has: []string{"Deployment/metrics-server", "PodDisruptionBudget/metrics-server"}},
	"ingress-nginx, with hooks and a digest": {module: "k8s.io/ingress-nginx@v0.0.0-20240708192948-52c50467d67d", command: "helm", path: "charts/ingress-nginx",
		image: "registry.k8s.io/ingress-nginx/controller", where: "values.controller.image",
		has: []string{"Deployment/release-ingress-nginx-controller", "IngressClass/nginx", "Service/release-ingress-nginx-controller"}},
	"descheduler": {module: "sigs.k8s.io/descheduler@v0.36.0", command: "helm", path: "charts/descheduler",
		image: "registry.example.com/acme/descheduler", where: "values.image",
		has: []string{"CronJob/release-descheduler", "ConfigMap/release-descheduler"}},
	"descheduler, a kustomization": {module: "sigs.k8s.io/descheduler@v0.36.0", command: "kustomize", path: "kubernetes/cronjob",
		image: "registry.example.com/acme/descheduler", where: "images.registry.k8s.io/descheduler/descheduler",
		has: []string{"CronJob/descheduler-cronjob", "ConfigMap/descheduler-policy-configmap"}},
	"node-feature-discovery, with crds and hooks": {module: "sigs.k8s.io/node-feature-discovery@v0.17.3", command: "helm", path: "deployment/helm/node-feature-discovery",
		image: "registry.example.com/acme/nfd", where: "values.image",
		has: []string{"DaemonSet/release-node-feature-discovery-worker", "Deployment/release-node-feature-discovery-master"}},
	"node-feature-discovery, an overlay": {module: "sigs.k8s.io/node-feature-discovery@v0.17.3", command: "kustomize", path: "deployment/overlays/default",
		has: []string{"DaemonSet/nfd-worker", "Deployment/nfd-master"}},
	"kueue": {module: "sigs.k8s.io/kueue@v0.11.4", command: "helm", path: "charts/kueue",
		has: []string{"Deployment/release-kueue-controller-manager", "Secret/release-kueue-webhook-server-cert"}},
	"kwok": {module: "sigs.k8s.io/kwok@v0.8.0", command: "helm", path: "charts/kwok",
		has: []string{"Deployment/kwok-controller", "ServiceAccount/kwok-controller"}},
}

func TestPublicChartsAndKustomizations(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the Go module proxy, or its cache")
	}
	log.SetOutput(io.Discard)
	for _, name := range slices.Sorted(maps.Keys(public)) {
		test := public[name]
		t.Run(name, func(t *testing.T) {
			root := module(t, test.module)
			request := map[string]any{
				"root": root, "path": test.path, "releaseName": "release", "namespace": "target", "kubeVersion": "v1.36.3",
				"values": test.values,
			}
			got := answered(t, run(t, test.command, request))
			want := byHelm
			if test.command == "kustomize" {
				want = byKustomize
			}
			same(t, got, want(t, filepath.Join(root, test.path), test.values))
			names := testkit.Names(got.Objects)
			for _, one := range test.has {
				if !slices.Contains(names, one) {
					t.Errorf("no %s in %v", one, names)
				}
			}
			t.Logf("%d objects, %d hooks, %d refused, warnings %v", len(got.Objects), len(got.Hooks), len(got.Refused), got.Warnings)
			if test.image != "" {
				request["inject"] = map[string]any{"image": map[string]any{"repository": test.image, "tag": "v9"}}
				takesImage(t, answered(t, run(t, test.command, request)), test.image+":v9", test.where)
			}
		})
	}
}

// takesImage wants the image in the text of the objects, and told of.
func takesImage(t *testing.T, got objects.Result, image, where string) {
	t.Helper()
	if len(got.Injected) == 0 || got.Injected[0].Where != where {
		t.Errorf("injected %v, warnings %v", got.Injected, got.Warnings)
	}
	if text := string(testkit.JSON(t, got.Objects)); !strings.Contains(text, `"image":"`+image+`"`) {
		t.Errorf("no object has the image %s", image)
	}
}

// module is the folder of a Go module in the cache.
func module(t *testing.T, name string) string {
	t.Helper()
	download := exec.Command("go", "mod", "download", "-json", name)
	download.Dir = t.TempDir()
	text, err := download.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, text)
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	return found.Dir
}

func answered(t *testing.T, ran outcome) objects.Result {
	t.Helper()
	var result objects.Result
	if err := json.Unmarshal([]byte(ran.stdout), &result); err != nil || ran.status != 0 {
		t.Fatalf("status %d: %.500s %.500s", ran.status, ran.stdout, ran.stderr)
	}
	return result
}

// same compares objects and hooks with documents of others, in any order.
func same(t *testing.T, got objects.Result, documents []string) {
	t.Helper()
	var ours, theirs []string
	for _, one := range got.Objects {
		ours = append(ours, string(testkit.JSON(t, one.Object)))
	}
	for _, one := range got.Hooks {
		ours = append(ours, string(testkit.JSON(t, one.Object.Object)))
	}
	for _, document := range documents {
		var value any
		if err := yaml.Unmarshal([]byte(document), &value); err != nil {
			t.Fatal(err)
		}
		if value != nil {
			theirs = append(theirs, string(testkit.JSON(t, value)))
		}
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	if len(ours) != len(theirs) {
		t.Fatalf("%d objects and hooks, wanted %d", len(ours), len(theirs))
	}
	for index := range ours {
		// Names of podinfo's tests are another each time.
		if ours[index] != theirs[index] && !strings.Contains(ours[index], "test-success") {
			t.Errorf("got    %.300s\nwanted %.300s", ours[index], theirs[index])
		}
	}
}

// byHelm is what "helm template" does with the packages of Helm.
func byHelm(t *testing.T, folder string, values map[string]any) []string {
	t.Helper()
	chart, err := loader.LoadDir(folder)
	check(t, err)
	check(t, chartutil.ProcessDependenciesWithMerge(chart, values))
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = chartutil.KubeVersion{Version: "v1.36.3", Major: "1", Minor: "36"}
	release := chartutil.ReleaseOptions{Name: "release", Namespace: "target", Revision: 1, IsInstall: true}
	input, err := chartutil.ToRenderValues(chart, values, release, capabilities)
	check(t, err)
	texts, err := engine.Render(chart, input)
	check(t, err)
	maps.DeleteFunc(texts, func(name, _ string) bool { return strings.HasSuffix(name, "NOTES.txt") })
	hooks, manifests, err := releaseutil.SortManifests(texts, nil, releaseutil.InstallOrder)
	check(t, err)
	var documents []string
	for _, hook := range hooks {
		documents = append(documents, hook.Manifest)
	}
	for _, manifest := range manifests {
		documents = append(documents, manifest.Content)
	}
	return documents
}

// byKustomize is "kustomize build" from the disk, after "kustomize edit set namespace" in an overlay.
func byKustomize(t *testing.T, folder string, _ map[string]any) []string {
	t.Helper()
	over := t.TempDir()
	relative, err := filepath.Rel(over, folder)
	check(t, err)
	text := "namespace: target\nresources: [\"" + relative + "\"]\n"
	check(t, os.WriteFile(filepath.Join(over, "kustomization.yaml"), []byte(text), 0o644))
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), over)
	check(t, err)
	var documents []string
	for _, one := range built.Resources() {
		document, err := one.AsYAML()
		check(t, err)
		documents = append(documents, string(document))
	}
	return documents
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTimeOfSixtyObjects prints the figure; a machine that is busy proves nothing.
func TestTimeOfSixtyObjects(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the Go module proxy, or its cache")
	}
	podinfo := filepath.Join(module(t, public["podinfo, a chart"].module), "charts/podinfo")
	root, values, wanted := t.TempDir(), map[string]any{}, "apiVersion: v2\nname: many\nversion: 1.0.0\ndependencies:\n"
	for index := range 15 {
		alias := "app" + string(rune('a'+index))
		wanted += "- { name: podinfo, version: \">=0\", alias: " + alias + " }\n"
		values[alias] = map[string]any{"ingress": map[string]any{"enabled": true}, "hpa": map[string]any{"enabled": true}, "serviceAccount": map[string]any{"enabled": true}}
	}
	check(t, os.CopyFS(filepath.Join(root, "charts/podinfo"), os.DirFS(podinfo)))
	check(t, os.WriteFile(filepath.Join(root, "Chart.yaml"), []byte(wanted), 0o644))
	request := helmRequest(root, nil)
	request["values"] = values
	var times []string
	for range 5 {
		ran := run(t, "helm", request)
		times = append(times, fmt.Sprintf("%s (CPU %s)", ran.took.Round(time.Millisecond), ran.cpu.Round(time.Millisecond)))
		if count := len(answered(t, ran).Objects); count < 60 {
			t.Fatalf("%d objects", count)
		}
	}
	t.Logf("60 objects, wall clock of the whole process: %s", strings.Join(times, ", "))
}
