package limits

import (
	"os"

	"golang.org/x/sys/unix"
)

// boundData makes the kernel refuse private writable memory beyond the given bytes; failing to is no failure, because
// it stands behind the watch.
func boundData(bytes uint64) {
	_ = unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: bytes, Max: bytes})
}

// dieFirst makes the kernel choose this process, not the operator beside it, when a container runs out of memory.
func dieFirst() {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
}
