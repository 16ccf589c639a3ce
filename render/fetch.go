package main

import (
	"context"

	"maquette.dev/render/internal/fetch"
	"maquette.dev/render/internal/limits"
)

// fetchSource watches its own limits: those of the process lie a little behind them.
func fetchSource(request []byte, _ limits.Limits) (any, error) {
	return fetch.Run(context.Background(), request)
}

func forgetSources(request []byte, _ limits.Limits) (any, error) {
	return fetch.RunForget(request)
}
