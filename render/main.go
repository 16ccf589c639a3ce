// Command maquette-render turns what lies in a git commit into Kubernetes objects, for the operator beside it.
//
//	maquette-render <command> < request.json > answer.json
//
// One JSON request on standard input, one JSON document on standard output, exit status 0; or 1 and
// {"error": {"reason", "message", "file", "line"}}. README.md has the requests and answers.
package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"maquette.dev/render/internal/answer"
	"maquette.dev/render/internal/failure"
	"maquette.dev/render/internal/fetch"
	"maquette.dev/render/internal/helm"
	"maquette.dev/render/internal/kustomize"
	"maquette.dev/render/internal/limits"
	"maquette.dev/render/internal/manifest"
	"maquette.dev/render/internal/sandbox"
)

// command is one word of the command line. It gets the request as it came, and returns what is to be written as JSON.
// The process ends when its limits are over, so there is nothing to cancel.
type command struct {
	run func(request []byte, l limits.Limits) (any, error)
	// isCache is true for commands that keep the cache of checkouts: they have limits of their own, the network, and
	// may write. The others only read one checkout.
	isCache bool
}

func commands() map[string]command {
	return map[string]command{
		"fetch":     {run: fetchSource, isCache: true},
		"forget":    {run: forgetSources, isCache: true},
		"helm":      {run: helm.Run},
		"kustomize": {run: kustomize.Run},
		"manifest":  {run: manifest.Run},
	}
}

func main() {
	// Nothing of the environment is wanted, and libraries read a lot of it: proxies, HOME, plugin folders.
	os.Clearenv()
	out := answer.New(os.Stdout, os.Exit)
	defer func() {
		if fault := recover(); fault != nil {
			out.Fail(failure.New(failure.InternalError, "Renderer broke: %v", fault))
		}
	}()
	serve(os.Args[1:], os.Stdin, out)
}

func serve(args []string, in io.Reader, out *answer.Answer) {
	chosen, ok := commands()[strings.Join(args, " ")]
	if !ok {
		out.Fail(failure.New(failure.InvalidRequest, "Command is none of fetch, forget, helm, kustomize, manifest: %q", args))
		return
	}
	request, err := read(in)
	if err != nil {
		out.Fail(failure.Of(err, failure.InvalidRequest))
		return
	}
	l := request.limits(chosen)
	limits.Enforce(l, out.Fail)
	if !chosen.isCache {
		release, err := hold(request.Root)
		if err != nil {
			out.Fail(failure.Of(err, failure.InternalError))
			return
		}
		defer release()
		sandbox.Enter()
	}
	result, err := chosen.run(request.text, l)
	if err != nil {
		out.Fail(failure.Of(err, failure.InternalError))
		return
	}
	out.Succeed(result, l.OutputBytes)
}

// hold keeps a checkout of the cache from being evicted while it is read.
func hold(root string) (release func(), err error) {
	release, err = fetch.Hold(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failure.New(failure.CheckoutGone, "Checkout was removed meanwhile: fetch it again")
	}
	return release, err
}
