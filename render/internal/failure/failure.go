// Package failure is how a command says no: a reason for programs and one line for people.
package failure

import (
	"errors"
	"fmt"
	"strings"
)

// Reasons, CamelCase. They reach conditions of the operator: changing one changes what users match on.
const (
	// InvalidRequest: the JSON on standard input is not a request of this command.
	InvalidRequest = "InvalidRequest"
	// CheckoutGone: the checkout was evicted from the cache after it was fetched.
	CheckoutGone = "CheckoutGone"
	// PathNotFound: the path is not in the checkout.
	PathNotFound = "PathNotFound"
	// PathEscapes: a path or a symbolic link leads out of the checkout.
	PathEscapes = "PathEscapes"
	// FileRefused: neither a file nor a folder (a pipe, a device), or folders that contain themselves.
	FileRefused = "FileRefused"
	// InputTooLarge: more or larger files than a rendering may read.
	InputTooLarge = "InputTooLarge"
	// YAMLInvalid: a text is not YAML or JSON, or expands beyond measure.
	YAMLInvalid = "YAMLInvalid"
	// ObjectInvalid: YAML, but no Kubernetes object.
	ObjectInvalid = "ObjectInvalid"
	// TooManyObjects: more objects than the limit.
	TooManyObjects = "TooManyObjects"
	// OutputTooLarge: more text than the limit.
	OutputTooLarge = "OutputTooLarge"
	// TimeExceeded: the rendering took longer than the limit.
	TimeExceeded = "TimeExceeded"
	// MemoryExceeded: the rendering took more memory than the limit.
	MemoryExceeded = "MemoryExceeded"
	// ChartInvalid: the folder is not a chart that can be installed.
	ChartInvalid = "ChartInvalid"
	// DependencyMissing: Chart.yaml names charts that are not in charts/.
	DependencyMissing = "DependencyMissing"
	// ValuesInvalid: the values break the chart's schema, or do not fit the chart's.
	ValuesInvalid = "ValuesInvalid"
	// TemplateFailed: a template could not be read or executed, or called "fail" or "required".
	TemplateFailed = "TemplateFailed"
	// LookupRefused: a template asks the cluster.
	LookupRefused = "LookupRefused"
	// KustomizationInvalid: kustomize refuses a kustomization.
	KustomizationInvalid = "KustomizationInvalid"
	// RemoteRefused: something is to be loaded from the network.
	RemoteRefused = "RemoteRefused"
	// PluginRefused: a program, a container or a Helm chart is to run inside a kustomization.
	PluginRefused = "PluginRefused"
	// InternalError: a fault of this program.
	InternalError = "InternalError"
)

// maxMessage bounds what reaches conditions and events; chart authors can make "fail" say anything.
const maxMessage = 2048

// Failure is an error with a reason.
type Failure struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// File is a path from the checkout's root.
	File string `json:"file,omitempty"`
	// Line counts from 1.
	Line int `json:"line,omitempty"`
}

func (f *Failure) Error() string { return f.Message }

// New makes a failure that has no place in a file. The message becomes one line.
func New(reason, format string, args ...any) *Failure {
	return &Failure{Reason: reason, Message: oneLine(fmt.Sprintf(format, args...))}
}

// At makes a failure at a place in a file; line 0 is unknown. The message is led by the place.
func At(reason, file string, line int, format string, args ...any) *Failure {
	place := file
	if line > 0 {
		place = fmt.Sprintf("%s:%d", file, line)
	}
	message := oneLine(fmt.Sprintf("%s: %s", place, fmt.Sprintf(format, args...)))
	return &Failure{Reason: reason, Message: message, File: file, Line: line}
}

// Of finds the failure in an error, or makes one of it with the given reason.
func Of(err error, reason string) *Failure {
	var found *Failure
	if errors.As(err, &found) {
		return found
	}
	return New(reason, "%s", err)
}

func oneLine(text string) string {
	line := strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), isBreak), " ")
	if len(line) <= maxMessage {
		return line
	}
	return strings.ToValidUTF8(line[:maxMessage], "") + "…"
}

// isBreak tells line breaks and other control characters, which terminals and events have no use for.
func isBreak(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }
