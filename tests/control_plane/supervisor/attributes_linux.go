package main

import "syscall"

// childAttributes gives a child its own process group, so that one signal reaches all it starts, and has the kernel
// kill it when the supervisor dies, even by SIGKILL.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
