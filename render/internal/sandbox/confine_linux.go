//go:build amd64 || arm64

package sandbox

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data.
const (
	numberOffset     = 0
	archOffset       = 4
	thirdArgument    = 32
	x32Bit           = 0x40000000
	refuseWithEPERM  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	writingOpenFlags = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC
)

// refused system calls: sockets, other programs, other processes, and what could do the same in other ways.
var refused = [...]uint32{
	unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_IO_URING_SETUP,
	unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV,
	unix.SYS_MKDIRAT, unix.SYS_UNLINKAT, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_SYMLINKAT, unix.SYS_LINKAT,
	unix.SYS_OPENAT2,
}

// confine installs a seccomp filter on all threads.
func confine() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != nil {
		return
	}
	filter := program()
	all := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, _ = unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&all)))
	runtime.KeepAlive(filter)
}

// program refuses other architectures' calls, those in the list, and opening a file to write; it allows the rest.
func program() []unix.SockFilter {
	filter := []unix.SockFilter{
		load(archOffset),
		jump(unix.BPF_JEQ, auditArch, 1, 0),
		answer(refuseWithEPERM),
		load(numberOffset),
		jump(unix.BPF_JGE, x32Bit, 0, 1),
		answer(refuseWithEPERM),
	}
	for _, number := range refused {
		filter = append(filter, jump(unix.BPF_JEQ, number, 0, 1), answer(refuseWithEPERM))
	}
	return append(filter,
		jump(unix.BPF_JEQ, unix.SYS_OPENAT, 0, 3),
		load(thirdArgument),
		jump(unix.BPF_JSET, writingOpenFlags, 0, 1),
		answer(refuseWithEPERM),
		answer(unix.SECCOMP_RET_ALLOW),
	)
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func jump(test uint16, value uint32, whenTrue, whenFalse uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, K: value, Jt: whenTrue, Jf: whenFalse}
}

func answer(value uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value}
}
