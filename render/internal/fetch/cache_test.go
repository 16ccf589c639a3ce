package fetch

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestHundredProcessesFetchACommitOnce(t *testing.T) {
	tree := newRepository(t)
	commit := tree.onMain(files{"a": noise(t, 1_000_000)})
	server := serveHttp(t, tree)
	request := server.request(t, Ref{Commit: commit})
	var lock sync.Mutex
	var paths []string
	cached := 0
	var group sync.WaitGroup
	for range 100 {
		process := command(t, request)
		group.Go(func() {
			output, err := process.Output()
			var answer Answer
			if err == nil {
				err = json.Unmarshal(output, &answer)
			}
			if err != nil {
				t.Errorf("%v: %s", err, output)
			}
			lock.Lock()
			defer lock.Unlock()
			paths = append(paths, answer.Path)
			if answer.Cached {
				cached++
			}
		})
	}
	group.Wait()
	_, fetches := server.counts()
	equal(t, "fetches of the server", fetches, 1)
	equal(t, "answers from the cache", cached, 99)
	equal(t, "different paths", len(slices.Compact(paths)), 1)
}

// stalling serves half of every pack and then waits until it is told to go on.
func stalling(server *gitServer) (halfway chan struct{}, goOn func()) {
	halfway, on := make(chan struct{}, 100), make(chan struct{})
	server.intercept = func(writer http.ResponseWriter, request *http.Request) bool {
		select {
		case <-on:
			return false
		default:
		}
		if !isDownload(request) {
			return false
		}
		writer.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		_, _ = writer.Write([]byte("000dpackfile\n0010\x01PACK\x00\x00\x00\x02\x00\x00\x00"))
		writer.(http.Flusher).Flush()
		halfway <- struct{}{}
		<-on
		return true
	}
	return halfway, sync.OnceFunc(func() { close(on) })
}

func TestProcessThatIsKilledLeavesNothingBehind(t *testing.T) {
	tree := newRepository(t)
	commit := tree.onMain(files{"a": "1"})
	server := serveHttp(t, tree)
	halfway, goOn := stalling(server)
	t.Cleanup(goOn)
	request := server.request(t, Ref{Commit: commit})
	first, second := command(t, request), command(t, request)
	check(t, first.Start())
	<-halfway
	made, err := os.ReadDir(filepath.Join(request.CacheDir, "tmp"))
	check(t, err)
	equal(t, "entries in the making", len(made), 1)

	var output strings.Builder
	second.Stdout = &output
	check(t, second.Start()) // it waits for the first
	check(t, first.Process.Kill())
	_ = first.Wait()
	goOn()
	check(t, second.Wait())
	contains(t, output.String(), `"cached":false`)
	equal(t, "cached", fetched(t, request).Cached, true)
	left, err := os.ReadDir(filepath.Join(request.CacheDir, "tmp"))
	check(t, err)
	equal(t, "what is left", len(left), 0)
}

func TestLeftoversOfAKilledProcessGoWithTheNextFetchOfAnything(t *testing.T) {
	tree := newRepository(t)
	commit := tree.onMain(files{"a": "1"})
	server := serveHttp(t, tree)
	halfway, goOn := stalling(server)
	t.Cleanup(goOn)
	request := server.request(t, Ref{Commit: commit})
	process := command(t, request)
	check(t, process.Start())
	<-halfway
	// Another fetch does not take it for a leftover while its process lives.
	other := request
	other.Ref = Ref{Branch: "none"}
	refused(t, other, RefNotFound)
	made, err := os.ReadDir(filepath.Join(request.CacheDir, "tmp"))
	check(t, err)
	equal(t, "entries in the making", len(made), 1)
	check(t, process.Process.Kill())
	_ = process.Wait()
	refused(t, other, RefNotFound)
	nothingIsLeft(t, request.CacheDir)
}

func TestFetchThatWaitsForAnotherIsNotKeptLongerThanItsTime(t *testing.T) {
	tree := newRepository(t)
	commit := tree.onMain(files{"a": "1"})
	server := serveHttp(t, tree)
	halfway, goOn := stalling(server)
	request := server.request(t, Ref{Commit: commit})
	done := make(chan error, 1)
	go func() { _, err := Fetch(t.Context(), request); done <- err }()
	<-halfway
	impatient := request
	impatient.Limits.Seconds = 0.1
	refused(t, impatient, TooSlow)
	goOn()
	if <-done == nil {
		t.Error("half a pack was taken for a whole one")
	}
}

// filled is a cache with one checkout of about 100 kB per name, each older than the next by an hour.
func filled(t *testing.T, server *gitServer, names ...string) (Request, map[string]Answer) {
	request := server.request(t, Ref{})
	request.Limits.KeepSeconds = seconds(0)
	answers := map[string]Answer{}
	for at, name := range names {
		server.tree.point("refs/heads/"+name, server.tree.commit("", files{"a": noise(t, 100_000)}))
		request.Ref = Ref{Branch: name}
		answers[name] = fetched(t, request)
		age(t, answers[name], time.Duration(len(names)-at)*time.Hour)
	}
	return request, answers
}

func age(t *testing.T, answer Answer, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	check(t, os.Chtimes(filepath.Join(filepath.Dir(answer.Path), "entry.json"), then, then))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestWhatWasUsedLongestAgoIsEvicted(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": noise(t, 100_000)})
	request, answers := filled(t, serveHttp(t, tree), "one", "two", "three")
	request.Ref = Ref{Branch: "one"} // used now: no longer the oldest
	equal(t, "cached", fetched(t, request).Cached, true)
	request.Ref, request.Limits.CacheBytes = Ref{Branch: "main"}, 350_000
	fetched(t, request)
	for name, kept := range map[string]bool{"one": true, "two": false, "three": true} {
		equal(t, name+" is kept", exists(answers[name].Path), kept)
	}
	request.Ref = Ref{Branch: "two"}
	again := fetched(t, request)
	equal(t, "cached", again.Cached, false)
	equal(t, "path", again.Path, answers["two"].Path)
	var locks []os.DirEntry
	locks, err := os.ReadDir(filepath.Join(request.CacheDir, "locks"))
	check(t, err)
	equal(t, "locks", len(locks), 3)
}

func TestWhatIsInUseIsNotEvicted(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": noise(t, 100_000)})
	request, answers := filled(t, serveHttp(t, tree), "one", "two")
	request.Ref, request.Limits.CacheBytes = Ref{Branch: "main"}, 250_000
	release, err := Hold(filepath.Join(answers["one"].Path, "a"))
	check(t, err)
	age(t, answers["one"], 3*time.Hour)
	fetched(t, request)
	equal(t, "the held one is kept", exists(answers["one"].Path), true)
	equal(t, "the other is kept", exists(answers["two"].Path), false)

	request.Limits.CacheBytes, request.Limits.KeepSeconds = 150_000, seconds(3600)
	tree.point("refs/heads/more", tree.commit("", files{"a": noise(t, 100_000)}))
	request.Ref = Ref{Branch: "more"}
	refused(t, request, CacheFull)
	release()
	request.Limits.KeepSeconds = seconds(0)
	fetched(t, request)
	equal(t, "the released one is kept", exists(answers["one"].Path), false)
	if _, err := Hold(answers["one"].Path); !os.IsNotExist(err) {
		t.Errorf("hold of what is gone: %v", err)
	}
}

func TestForgottenCheckoutsAreRemoved(t *testing.T) {
	tree := newRepository(t)
	request, answers := filled(t, serveHttp(t, tree), "one", "two")
	release, err := Hold(answers["two"].Path)
	check(t, err)
	paths := []string{answers["one"].Path, answers["two"].Path}
	answer, err := Forget(ForgetRequest{request.CacheDir, paths})
	check(t, err)
	equal(t, "removed", strings.Join(answer.Removed, " "), paths[0])
	equal(t, "in use", strings.Join(answer.InUse, " "), paths[1])
	release()
	_, err = Forget(ForgetRequest{request.CacheDir, paths})
	check(t, err)
	nothingIsLeft(t, request.CacheDir)
	for _, path := range []string{"/etc", request.CacheDir, filepath.Join(t.TempDir(), "entries", strings.Repeat("a", 64), "source")} {
		if _, err := Forget(ForgetRequest{request.CacheDir, []string{path}}); err == nil {
			t.Errorf("%q was forgotten", path)
		}
	}
}

func TestEntryThatCannotBeTrustedIsFetchedAnew(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	request := serveHttp(t, tree).request(t, Ref{})
	first := fetched(t, request)
	note := filepath.Join(filepath.Dir(first.Path), "entry.json")
	for name, damage := range map[string]func(text string) string{
		"of another boot": func(text string) string { return strings.ReplaceAll(text, bootId(), "another") },
		"half written":    func(text string) string { return text[:len(text)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(note)
			check(t, err)
			check(t, os.WriteFile(note, []byte(damage(string(text))), 0o600))
			answer := fetched(t, request)
			equal(t, "cached", answer.Cached, false)
			equal(t, "path", answer.Path, first.Path)
			equal(t, "content", contentOf(t, answer, "a"), "1")
		})
	}
}

// A user that is not root cannot remove what is in read-only folders just so.
func TestCacheWorksForAnOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		return // every test is run by one
	}
	tree := newRepository(t)
	server := serveHttp(t, tree)
	request := server.request(t, Ref{Branch: "main"})
	var err error
	request.CacheDir, err = os.MkdirTemp("", "maquette-fetch-")
	check(t, err)
	check(t, os.Chmod(request.CacheDir, 0o777))
	t.Cleanup(func() { _ = removeTree(request.CacheDir) })
	request.Limits = Limits{CacheBytes: 30_000, KeepSeconds: seconds(0)}
	binary := filepath.Join(request.CacheDir, "command")
	text, err := os.ReadFile(os.Args[0])
	check(t, err)
	check(t, os.WriteFile(binary, text, 0o755))
	for _, content := range []string{"1", "2"} { // the second evicts the first
		tree.onMain(files{"deep/er/a": content})
		process := command(t, request)
		process.Path, process.Dir = binary, "/"
		process.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		output, err := process.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
	found, err := os.ReadDir(filepath.Join(request.CacheDir, "entries"))
	check(t, err)
	equal(t, "entries", len(found), 1)
}
