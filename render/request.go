package main

import (
	"encoding/json"
	"io"

	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/limits"
)

// maxRequest bounds standard input: values are at most what fits into an object of the API server.
const maxRequest = 4 << 20

// graceSeconds is how much longer than its own limit a fetch may take to clean up.
const graceSeconds = 5

// request is what all requests share; the command reads the rest of its text.
type request struct {
	text   []byte
	Root   string        `json:"root"`
	Limits limits.Limits `json:"limits"`
}

func read(in io.Reader) (request, error) {
	var shared request
	text, err := io.ReadAll(io.LimitReader(in, maxRequest+1))
	if err != nil {
		return shared, failure.New(failure.InvalidRequest, "Request cannot be read: %s", err)
	}
	if len(text) > maxRequest {
		return shared, failure.New(failure.InvalidRequest, "Request is larger than %d MiB", maxRequest>>20)
	}
	if err := json.Unmarshal(text, &shared); err != nil {
		return shared, failure.New(failure.InvalidRequest, "Request is not JSON: %s", err)
	}
	shared.text = text
	return shared, shared.Limits.Check()
}

// limits of the process. A fetch watches its own time, waits for servers, and unpacks what is compressed.
func (r request) limits(chosen command) limits.Limits {
	l := r.Limits
	if chosen.isCache {
		if l.Seconds == 0 {
			l.Seconds = 60
		}
		if l.MemoryBytes == 0 {
			l.MemoryBytes = 512 << 20
		}
		l.Seconds += graceSeconds
	}
	return l.WithDefaults()
}
