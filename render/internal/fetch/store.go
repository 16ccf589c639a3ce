package fetch

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"maquette.dev/render/internal/failure"
)

// store is the cache on disk. The package's comment draws its folders.
type store struct {
	folder string
	salt   []byte
}

// entry is what entry.json says of a checkout. Disk is the space it takes, Boot the boot of the machine that it was
// written in: what was written before a crash of the machine may be half on disk.
type entry struct {
	Repository string    `json:"repository"`
	Commit     string    `json:"commit"`
	Files      int       `json:"files"`
	Bytes      int64     `json:"bytes"`
	Disk       int64     `json:"disk"`
	Boot       string    `json:"boot"`
	Warnings   []Warning `json:"warnings"`
}

const saltSize = 32

// openStore makes the folders where they are missing, and removes what fetches that died have left.
func openStore(folder string) (*store, error) {
	store := &store{folder: folder}
	for _, name := range []string{"entries", "locks", "tmp"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o700); err != nil {
			return nil, failure.New(CacheFailed, "Cannot make the cache's folder: %v", err)
		}
	}
	var err error
	if store.salt, err = readSalt(filepath.Join(folder, "salt")); err != nil {
		return nil, failure.New(CacheFailed, "Cannot use the cache's folder: %v", err)
	}
	return store, store.sweep()
}

// readSalt reads the salt, or makes one. Of several processes that make one, the first wins.
func readSalt(path string) ([]byte, error) {
	salt, err := os.ReadFile(path)
	if err == nil && len(salt) == saltSize {
		return salt, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		return nil, errors.New("file \"salt\" is damaged: empty the folder")
	}
	mine := path + "-" + rand.Text()
	salt = make([]byte, saltSize)
	_, _ = rand.Read(salt)
	if err := os.WriteFile(mine, salt, 0o600); err != nil {
		return nil, err
	}
	defer os.Remove(mine)
	if err := os.Link(mine, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}

// key is the name of a checkout: of one commit, of one repository, for one credential.
func (store *store) key(repo repository, commit string, credentials Credentials) string {
	hash := hmac.New(sha256.New, store.salt)
	username, password := credentials.basic()
	// JSON, since no two lists of words have the same.
	_ = json.NewEncoder(hash).Encode([]string{repo.String(), commit, username, password, credentials.SshPrivateKey})
	return hex.EncodeToString(hash.Sum(nil))
}

func (store *store) lockPath(key string) string { return filepath.Join(store.folder, "locks", key) }
func (store *store) entryPath(key string) string {
	return filepath.Join(store.folder, "entries", key)
}
func (store *store) tmpPath(name string) string { return filepath.Join(store.folder, "tmp", name) }

// sourcePath is where the checkout itself is.
func (store *store) sourcePath(key string) string {
	return filepath.Join(store.entryPath(key), "source")
}

// read returns the entry, or nil if there is none that can be used.
func (store *store) read(key string) *entry {
	text, err := os.ReadFile(filepath.Join(store.entryPath(key), "entry.json"))
	if err != nil {
		return nil
	}
	var found entry
	if json.Unmarshal(text, &found) != nil || found.Boot != bootId() {
		return nil
	}
	if _, err := os.Stat(store.sourcePath(key)); err != nil {
		return nil
	}
	return &found
}

// find returns the entry and notes that it was used; nil if there is none.
func (store *store) find(ctx context.Context, key string) (*entry, error) {
	if store.read(key) == nil {
		return nil, nil
	}
	held, err := takeLock(ctx, store.lockPath(key), shared)
	if err != nil {
		return nil, err
	}
	defer held.release()
	found := store.read(key)
	if found != nil {
		store.touch(key)
	}
	return found, nil
}

func (store *store) touch(key string) {
	now := time.Now()
	_ = os.Chtimes(filepath.Join(store.entryPath(key), "entry.json"), now, now)
}

// fill returns the entry, which make makes if no other process did meanwhile.
//
// make gets two empty folders: one for what it downloads, which is removed, and one for the checkout.
func (store *store) fill(
	ctx context.Context, key string, limits Limits, make func(scratch, source string) (entry, error),
) (found *entry, isNew bool, err error) {
	held, err := takeLock(ctx, store.lockPath(key), exclusive)
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if err != nil {
			held.remove()
			return
		}
		held.release()
	}()
	if found = store.read(key); found != nil {
		store.touch(key)
		return found, false, nil
	}
	made, err := store.make(key, make)
	if err == nil {
		err = store.install(ctx, key, made, limits)
	}
	if err != nil {
		return nil, false, errors.Join(err, removeTree(store.tmpPath(key)))
	}
	return &made, true, nil
}

func (store *store) make(key string, make func(scratch, source string) (entry, error)) (entry, error) {
	folder := store.tmpPath(key)
	scratch, source := filepath.Join(folder, "scratch"), filepath.Join(folder, "source")
	err := errors.Join(removeTree(folder), os.Mkdir(folder, 0o700), os.Mkdir(scratch, 0o700), os.Mkdir(source, 0o700))
	if err != nil {
		return entry{}, failure.New(CacheFailed, "Cannot write to the cache: %v", err)
	}
	made, err := make(scratch, source)
	if err != nil {
		return entry{}, err
	}
	made.Boot = bootId()
	text, err := json.Marshal(made)
	err = errors.Join(err, removeTree(scratch), os.WriteFile(filepath.Join(folder, "entry.json"), text, 0o600))
	if err != nil {
		return entry{}, failure.New(CacheFailed, "Cannot write to the cache: %v", err)
	}
	return made, nil
}

// install moves a made entry to its place, once there is room for it.
func (store *store) install(ctx context.Context, key string, made entry, limits Limits) error {
	whole, err := takeLock(ctx, filepath.Join(store.folder, "lock"), exclusive)
	if err != nil {
		return err
	}
	defer whole.release()
	if err := store.discard(key); err != nil {
		return err
	}
	if err := store.makeRoom(made.Disk, limits); err != nil {
		return err
	}
	if err := os.Rename(store.tmpPath(key), store.entryPath(key)); err != nil {
		return failure.New(CacheFailed, "Cannot write to the cache: %v", err)
	}
	return nil
}

var isKey = regexp.MustCompile(`^[0-9a-f]{64}$`)

// abandonedAfter is when a file without a lock is taken for a leftover.
const abandonedAfter = time.Hour

// sweep removes what fetches that died have left.
func (store *store) sweep() error {
	leftovers, err := os.ReadDir(store.tmpPath(""))
	if err != nil {
		return failure.New(CacheFailed, "Cannot read the cache: %v", err)
	}
	for _, leftover := range leftovers {
		if isKey.MatchString(leftover.Name()) {
			if held, err := tryLock(store.lockPath(leftover.Name()), exclusive); err == nil && held != nil {
				_ = removeTree(store.tmpPath(leftover.Name()))
				held.remove()
			}
			continue
		}
		info, err := leftover.Info()
		if strings.HasPrefix(leftover.Name(), discarded) || err == nil && time.Since(info.ModTime()) > abandonedAfter {
			_ = removeTree(store.tmpPath(leftover.Name()))
		}
	}
	return nil
}

// bootId names the time since the machine started, or nothing where the system has no name for it.
func bootId() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}

// removeTree removes a folder with its read-only folders.
func removeTree(path string) error {
	_ = filepath.WalkDir(path, func(path string, file fs.DirEntry, err error) error {
		if err == nil && file.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(path)
}
