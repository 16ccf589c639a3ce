package fetch

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"maquette.dev/render/internal/failure"
)

// lock is a lock between processes, on a file. The system gives it up when its process dies.
type lock struct {
	file *os.File
}

// How a lock is taken.
const (
	shared    = syscall.LOCK_SH
	exclusive = syscall.LOCK_EX
)

// lockPause is how long to wait before a lock that is held is tried again.
const lockPause = 20 * time.Millisecond

// tryLock takes a lock, or returns nil if another holds it.
func tryLock(path string, how int) (*lock, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o600)
		if err != nil {
			return nil, failure.New(CacheFailed, "Cannot lock the cache: %v", err)
		}
		err = syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, file.Close()
		}
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(failure.New(CacheFailed, "Cannot lock the cache: %v", err), file.Close())
		}
		if err == nil && isStill(file, path) {
			return &lock{file}, nil
		}
		_ = file.Close() // its last holder removed it
	}
}

// isStill tells whether the file is the one that has the path now.
func isStill(file *os.File, path string) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	current, err := os.Stat(path)
	return err == nil && os.SameFile(mine, current)
}

// takeLock waits for a lock until the context ends.
func takeLock(ctx context.Context, path string, how int) (*lock, error) {
	for {
		lock, err := tryLock(path, how)
		if lock != nil || err != nil {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

func (lock *lock) release() { _ = lock.file.Close() }

// remove releases the lock for good. Only its exclusive holder may.
func (lock *lock) remove() {
	_ = os.Remove(lock.file.Name())
	lock.release()
}
