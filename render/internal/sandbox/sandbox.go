// Package sandbox gives up, for good, what rendering needs none of: the network, other programs, and writing files.
//
// Nothing that renders asks for any of them. This is for the day when something does: a template function that is new
// in Helm, a kind of remote base that this program does not know yet.
package sandbox

import (
	"net/http"

	"maquette.dev/render/internal/failure"
)

// Enter closes the process in. What the kernel does not support is left out: the loaders are restricted anyway.
func Enter() {
	http.DefaultTransport = refusing{}
	confine()
}

// refusing answers requests of libraries that take the default transport.
type refusing struct{}

func (refusing) RoundTrip(request *http.Request) (*http.Response, error) {
	return nil, failure.New(failure.RemoteRefused, "Rendering loads nothing from the network: %q", request.URL.Redacted())
}
