//go:build !linux

package main

import "syscall"

// childAttributes gives a child its own process group, so that one signal reaches all it starts.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
