// Package answer writes the one JSON document that a command answers with.
package answer

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"

	"maquette.dev/render/internal/failure"
)

// Answer is written once, by whoever comes first: the command, or the watch over its limits.
type Answer struct {
	mutex sync.Mutex
	to    io.Writer
	exit  func(int)
}

// New makes an answer that ends the process with exit.
func New(to io.Writer, exit func(int)) *Answer { return &Answer{to: to, exit: exit} }

// Fail writes {"error": …} and ends the process with 1.
func (a *Answer) Fail(f *failure.Failure) {
	a.write(map[string]*failure.Failure{"error": f}, 1)
}

// Succeed writes the result and ends the process with 0; with more than maxBytes of it, it fails instead.
func (a *Answer) Succeed(result any, maxBytes int64) {
	text, err := encode(result)
	switch {
	case err != nil:
		a.Fail(failure.New(failure.InternalError, "Result has no JSON: %s", err))
	case int64(len(text)) > maxBytes:
		a.Fail(TooLarge(int64(len(text)), maxBytes))
	default:
		a.write(json.RawMessage(text), 0)
	}
}

// TooLarge is the failure of output beyond its limit.
func TooLarge(bytes, limit int64) *failure.Failure {
	return failure.New(failure.OutputTooLarge, "Rendered %.1f MiB: more than %.1f MiB",
		float64(bytes)/(1<<20), float64(limit)/(1<<20))
}

// write keeps the lock for good: the process is over.
func (a *Answer) write(document any, status int) {
	a.mutex.Lock()
	text, err := encode(document)
	if err == nil {
		_, err = a.to.Write(text)
	}
	if err != nil {
		status = 1
	}
	a.exit(status)
}

// encode leaves <, > and & as they are: it is no page.
func encode(document any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(document)
	return buffer.Bytes(), err
}
