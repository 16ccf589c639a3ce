package fetch

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"maquette.dev/render/internal/failure"
)

// discarded begins the names of entries that are being removed.
const discarded = "discarded-"

// cached is an entry as eviction sees it.
type cached struct {
	key  string
	used time.Time
	disk int64
}

// makeRoom evicts what was used longest ago until there is room for so many bytes. It leaves what is in use, or was a
// moment ago. The caller holds the store's lock.
func (store *store) makeRoom(bytes int64, limits Limits) error {
	if bytes > limits.CacheBytes {
		return failure.New(TooLarge, "Checkout takes %d bytes on disk and the whole cache may take %d: make the repository "+
			"smaller, or raise the limit of the cache's bytes", bytes, limits.CacheBytes)
	}
	entries, err := store.list()
	if err != nil {
		return err
	}
	total := bytes
	for _, entry := range entries {
		total += entry.disk
	}
	slices.SortFunc(entries, func(one, other cached) int { return one.used.Compare(other.used) })
	for _, entry := range entries {
		if total <= limits.CacheBytes {
			return nil
		}
		if time.Since(entry.used) < limits.keep() {
			break
		}
		removed, err := store.remove(entry.key)
		if err != nil {
			return err
		}
		if removed {
			total -= entry.disk
		}
	}
	if total > limits.CacheBytes {
		return failure.New(CacheFull, "Cache is full of checkouts in use: it is tried again, or raise the limit of the cache's bytes")
	}
	return nil
}

func (store *store) list() ([]cached, error) {
	folders, err := os.ReadDir(filepath.Join(store.folder, "entries"))
	if err != nil {
		return nil, failure.New(CacheFailed, "Cannot read the cache: %v", err)
	}
	var entries []cached
	for _, folder := range folders {
		next := cached{key: folder.Name()}
		if info, err := os.Stat(filepath.Join(store.entryPath(next.key), "entry.json")); err == nil {
			next.used = info.ModTime()
		}
		if found := store.read(next.key); found != nil {
			next.disk = found.Disk
		} else {
			next.used = time.Time{} // of no use to anybody: the first to go
		}
		entries = append(entries, next)
	}
	return entries, nil
}

// remove removes an entry unless it is in use.
func (store *store) remove(key string) (bool, error) {
	held, err := tryLock(store.lockPath(key), exclusive)
	if err != nil || held == nil {
		return false, err
	}
	defer held.remove()
	return true, store.discard(key)
}

// discard takes an entry out of its place in one step, then removes it. The caller holds its lock.
func (store *store) discard(key string) error {
	away := store.tmpPath(discarded + rand.Text())
	err := os.Rename(store.entryPath(key), away)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = removeTree(away)
	}
	if err != nil {
		return failure.New(CacheFailed, "Cannot remove from the cache: %v", err)
	}
	return nil
}
