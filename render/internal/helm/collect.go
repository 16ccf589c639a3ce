package helm

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"

	"maquette.dev/render/internal/objects"
)

// events by the annotation's words; "test-success" is Helm 2's.
var events = map[string]release.HookEvent{
	"pre-install": release.HookPreInstall, "post-install": release.HookPostInstall,
	"pre-delete": release.HookPreDelete, "post-delete": release.HookPostDelete,
	"pre-upgrade": release.HookPreUpgrade, "post-upgrade": release.HookPostUpgrade,
	"pre-rollback": release.HookPreRollback, "post-rollback": release.HookPostRollback,
	"test": release.HookTest, "test-success": release.HookTest,
}

// collect reads the objects of all templates, by file name, and takes the hooks out.
func collect(texts map[string]string, at place, result *objects.Result) error {
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		for _, document := range objects.SplitHelm(texts[name]) {
			found, err := objects.FromYAML(at.file(name), document, objects.Reading{})
			if err != nil {
				return err
			}
			for _, object := range found {
				add(object, result)
			}
		}
	}
	sortHooks(result.Hooks)
	return nil
}

func add(object objects.Object, result *objects.Result) {
	annotations := annotationsOf(object.Object)
	words, isHook := annotations[release.HookAnnotation].(string)
	if !isHook {
		result.Objects = append(result.Objects, object)
		return
	}
	hook := objects.Hook{Object: object, Events: []string{}}
	for word := range strings.SplitSeq(words, ",") {
		event, known := events[strings.ToLower(strings.TrimSpace(word))]
		if !known {
			result.Warn(objects.HookSkipped, object.Source+": Hook is skipped, because its event is unknown: "+strconv.Quote(words))
			return
		}
		hook.Events = append(hook.Events, event.String())
	}
	weight, _ := annotations[release.HookWeightAnnotation].(string)
	hook.Weight, _ = strconv.Atoi(weight)
	hook.DeletePolicies = policies(annotations)
	result.Hooks = append(result.Hooks, hook)
}

func policies(annotations map[string]any) []string {
	words, _ := annotations[release.HookDeleteAnnotation].(string)
	if words == "" {
		return []string{release.HookBeforeHookCreation.String()}
	}
	var all []string
	for word := range strings.SplitSeq(words, ",") {
		all = append(all, strings.ToLower(strings.TrimSpace(word)))
	}
	return all
}

func annotationsOf(object map[string]any) map[string]any {
	metadata, _ := object["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	return annotations
}

// sortHooks puts them in the order that Helm runs them in: by weight, by name, and by kind as it installs them.
func sortHooks(hooks []objects.Hook) {
	sort.SliceStable(hooks, func(i, j int) bool {
		a, b := hooks[i], hooks[j]
		if a.Weight != b.Weight {
			return a.Weight < b.Weight
		}
		if nameOf(a.Object) != nameOf(b.Object) {
			return nameOf(a.Object) < nameOf(b.Object)
		}
		return installOrder(a.Object) < installOrder(b.Object)
	})
}

func nameOf(object objects.Object) string {
	metadata, _ := object.Object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	return name
}

// installOrder is Helm's order of kinds; what it does not know comes last.
func installOrder(object objects.Object) int {
	kind, _ := object.Object["kind"].(string)
	if index := slices.Index(releaseutil.InstallOrder, kind); index >= 0 {
		return index
	}
	return len(releaseutil.InstallOrder)
}

// refuseDefinitions reports what is in crds/: Helm would install it for the whole cluster.
func refuseDefinitions(loaded *chart.Chart, at place, result *objects.Result) error {
	for _, file := range loaded.CRDObjects() {
		for _, document := range objects.SplitYAML(string(file.File.Data)) {
			found, err := objects.FromYAML(at.file(file.Filename), document, objects.Reading{})
			if err != nil {
				return err
			}
			for _, object := range found {
				result.Refuse(object)
			}
		}
	}
	return nil
}
