// Package limits keeps a command within its time and its memory, whatever a template does: template engines cannot be
// interrupted, so the whole process ends.
package limits

import (
	"runtime/debug"
	"runtime/metrics"
	"time"

	"maquette.dev/render/internal/failure"
)

// Limits of one command. What a request leaves out has a default.
type Limits struct {
	// Seconds of wall clock.
	Seconds float64 `json:"seconds"`
	// MemoryBytes of the whole process.
	MemoryBytes int64 `json:"memoryBytes"`
	// OutputBytes of rendered text.
	OutputBytes int64 `json:"outputBytes"`
	// Objects in the answer, hooks included.
	Objects int `json:"objects"`
}

// interval between two looks at the memory: a loop that appends grows by some MiB in it.
const interval = 5 * time.Millisecond

// WithDefaults fills in what is zero.
func (l Limits) WithDefaults() Limits {
	if l.Seconds == 0 {
		l.Seconds = 10
	}
	if l.MemoryBytes == 0 {
		l.MemoryBytes = 256 << 20
	}
	if l.OutputBytes == 0 {
		l.OutputBytes = 8 << 20
	}
	if l.Objects == 0 {
		l.Objects = 1000
	}
	return l
}

// Check refuses limits that are none.
func (l Limits) Check() error {
	if l.Seconds < 0 || l.MemoryBytes < 0 || l.OutputBytes < 0 || l.Objects < 0 {
		return failure.New(failure.InvalidRequest, "Limits must not be negative: %+v", l)
	}
	return nil
}

// Enforce watches time and memory for the rest of the process. exceeded is called once, on another goroutine, and is
// to end the process.
//
// One allocation beyond all measure is over before a watch can see it. There the kernel refuses the memory, and the Go
// runtime ends the process with exit status 2 and "out of memory" or "cannot allocate memory" on standard error.
func Enforce(l Limits, exceeded func(*failure.Failure)) {
	// Rendering is short: collecting garbage late costs memory that the limit allows anyway.
	debug.SetGCPercent(1000)
	debug.SetMemoryLimit(l.MemoryBytes)
	debug.SetMaxStack(int(min(l.MemoryBytes/2, 256<<20)))
	boundData(uint64(2 * l.MemoryBytes))
	dieFirst()
	go watch(l, exceeded)
}

func watch(l Limits, exceeded func(*failure.Failure)) {
	deadline := time.NewTimer(time.Duration(l.Seconds * float64(time.Second)))
	looks := time.NewTicker(interval)
	for {
		select {
		case <-deadline.C:
			exceeded(failure.New(failure.TimeExceeded, "Took longer than %g s", l.Seconds))
			return
		case <-looks.C:
			if used() > uint64(l.MemoryBytes) {
				exceeded(failure.New(failure.MemoryExceeded, "Took more than %d MiB of memory", l.MemoryBytes>>20))
				return
			}
		}
	}
}

// used is what the process holds of the machine: mapped, and not given back.
func used() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
