//go:build tools

// Package tools pins the registry of the tests.
package tools

import _ "github.com/distribution/distribution/v3/cmd/registry"
