// Package objects reads rendered text as Kubernetes objects, and is the shape of every command's answer.
package objects

import (
	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/limits"
)

// Result is the answer of a command that renders. Everything is in a stable order: the same request over the same
// files gives the same bytes, unless templates ask for the time or for chance.
type Result struct {
	Objects []Object `json:"objects"`
	// Hooks of a Helm chart in the order to run them.
	Hooks []Hook `json:"hooks"`
	// Refused are objects beside the rendering that no environment may have: a chart's crds/ folder.
	Refused  []Refused   `json:"refused"`
	Warnings []Warning   `json:"warnings"`
	Injected []Injection `json:"injected"`
}

// Object is one Kubernetes object and the file that it comes from, as a path from the checkout's root.
type Object struct {
	Source string         `json:"source"`
	Object map[string]any `json:"object"`
}

// Hook is an object that runs around a release instead of being part of it.
type Hook struct {
	Object
	// Events by Helm's names: pre-install, post-upgrade, test …
	Events []string `json:"events"`
	Weight int      `json:"weight"`
	// DeletePolicies by Helm's names; never empty, because Helm has a default.
	DeletePolicies []string `json:"deletePolicies"`
}

// Refused is what an object of [Result.Refused] is called.
type Refused struct {
	Source     string `json:"source"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
}

// Warning is legal, but hardly what the author wants.
type Warning struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Reasons of warnings.
const (
	// ImageNotInjected: nothing in the values or in the kustomization takes the image.
	ImageNotInjected = "ImageNotInjected"
	// HostNotInjected: the chart has an ingress whose values do not tell where the host goes.
	HostNotInjected = "HostNotInjected"
	// HookSkipped: an event that Helm does not know.
	HookSkipped = "HookSkipped"
	// RenderingUnstable: two renderings of the same differ.
	RenderingUnstable = "RenderingUnstable"
)

// Injection is something that was put into the rendering.
type Injection struct {
	// What: "image" or "host".
	What string `json:"what"`
	// Where: a path in the values, or an image name of the kustomization.
	Where string `json:"where"`
	Value string `json:"value"`
}

// NewResult makes an empty answer: lists, not nulls.
func NewResult() *Result {
	return &Result{
		Objects: []Object{}, Hooks: []Hook{}, Refused: []Refused{}, Warnings: []Warning{}, Injected: []Injection{},
	}
}

// Warn adds a warning.
func (r *Result) Warn(reason, message string) {
	r.Warnings = append(r.Warnings, Warning{Reason: reason, Message: message})
}

// Inject notes what was put where.
func (r *Result) Inject(what, where, value string) {
	r.Injected = append(r.Injected, Injection{What: what, Where: where, Value: value})
}

// Check holds the number of objects to the limit.
func (r *Result) Check(l limits.Limits) error {
	if count := len(r.Objects) + len(r.Hooks); count > l.Objects {
		return failure.New(failure.TooManyObjects, "Rendered %d objects: more than %d", count, l.Objects)
	}
	return nil
}

// Refuse notes an object that must not be applied.
func (r *Result) Refuse(object Object) {
	metadata, _ := object.Object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	version, _ := object.Object["apiVersion"].(string)
	kind, _ := object.Object["kind"].(string)
	r.Refused = append(r.Refused, Refused{Source: object.Source, APIVersion: version, Kind: kind, Name: name})
}
