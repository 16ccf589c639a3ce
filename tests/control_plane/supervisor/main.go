// Command supervisor owns one local control plane: a temporary folder and the processes that work in it.
//
// It ends together with whoever started it. The parent holds the write end of its stdin; when that closes, for whatever
// reason (a clean stop, a crash, kill -9), the supervisor kills its children, removes the folder and exits.
//
// Stdin takes one JSON request a line, stdout gives one JSON event a line, the first of which names the folder:
//
//	{"start":"etcd","command":["/path/etcd","--flag"]}   ->  {"started":"etcd","pid":12}, later {"exited":"etcd","code":0}
//	{"stop":"etcd"}                                      SIGTERM, and SIGKILL two seconds later
//	{"kill":"etcd"}                                      SIGKILL
//
// The output of a child goes to <folder>/logs/<name>.log.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

const gracePeriod = 2 * time.Second

type request struct {
	Start   string   `json:"start"`
	Command []string `json:"command"`
	Stop    string   `json:"stop"`
	Kill    string   `json:"kill"`
}

type event struct {
	Folder  string `json:"folder,omitempty"`
	Started string `json:"started,omitempty"`
	Pid     int    `json:"pid,omitempty"`
	Exited  string `json:"exited,omitempty"`
	Code    int    `json:"code"`
	Error   string `json:"error,omitempty"`
}

type child struct {
	name    string
	process *os.Process
	code    int
}

type supervisor struct {
	folder   string
	children map[string]*child
	exits    chan *child
}

func main() {
	prefix := flag.String("prefix", "maquette-control-plane-", "how the names of the folders of control planes begin")
	flag.Parse()
	// Pdeathsig follows the thread that started the child, so all are started from this one, which lives to the end.
	runtime.LockOSThread()
	// Without a terminal's session a Ctrl-C reaches the parent only, whose end is then noticed in the usual way.
	_, _ = syscall.Setsid()
	// The parent may be gone when the last events are written.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	if err := run(*prefix); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(prefix string) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	removeAbandoned(prefix)
	folder, err := os.MkdirTemp("", prefix)
	if err != nil {
		return err
	}
	s := &supervisor{folder: folder, children: map[string]*child{}, exits: make(chan *child, 16)}
	defer s.end()
	held, err := lock(folder)
	if err != nil {
		return err
	}
	defer held.Close()
	if err := os.Mkdir(filepath.Join(folder, "logs"), 0o700); err != nil {
		return err
	}
	report(event{Folder: folder})
	requests := make(chan request)
	go read(os.Stdin, requests)
	s.serve(requests, signals)
	return nil
}

// read passes the requests on and closes the channel when the parent is gone or says something unintelligible.
func read(input io.Reader, requests chan<- request) {
	defer close(requests)
	decoder := json.NewDecoder(bufio.NewReader(input))
	for {
		var r request
		if err := decoder.Decode(&r); err != nil {
			return
		}
		requests <- r
	}
}

func (s *supervisor) serve(requests <-chan request, signals <-chan os.Signal) {
	for {
		select {
		case <-signals:
			return
		case c := <-s.exits:
			delete(s.children, c.name)
			report(event{Exited: c.name, Code: c.code})
		case r, open := <-requests:
			if !open {
				return
			}
			s.handle(r)
		}
	}
}

func (s *supervisor) handle(r request) {
	switch {
	case r.Start != "":
		if err := s.start(r.Start, r.Command); err != nil {
			report(event{Exited: r.Start, Code: -1, Error: err.Error()})
		}
	case r.Stop != "":
		if c := s.children[r.Stop]; c != nil {
			signalGroup(c, syscall.SIGTERM)
			time.AfterFunc(gracePeriod, func() { _ = c.process.Signal(syscall.SIGKILL) })
		}
	case r.Kill != "":
		if c := s.children[r.Kill]; c != nil {
			signalGroup(c, syscall.SIGKILL)
		}
	}
}

func (s *supervisor) start(name string, command []string) error {
	if s.children[name] != nil {
		return fmt.Errorf("%q is already running", name)
	}
	if len(command) == 0 {
		return fmt.Errorf("%q has no command", name)
	}
	log, err := os.OpenFile(filepath.Join(s.folder, "logs", name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = s.folder, log, log, childAttributes()
	if err := cmd.Start(); err != nil {
		return err
	}
	c := &child{name: name, process: cmd.Process}
	s.children[name] = c
	report(event{Started: name, Pid: cmd.Process.Pid})
	go func() {
		_ = cmd.Wait()
		c.code = cmd.ProcessState.ExitCode()
		s.exits <- c
	}()
	return nil
}

// end kills without a grace period: what the children still hold in memory goes away with the folder anyway.
func (s *supervisor) end() {
	for _, c := range s.children {
		signalGroup(c, syscall.SIGKILL)
	}
	for len(s.children) > 0 {
		delete(s.children, (<-s.exits).name)
	}
	if err := os.RemoveAll(s.folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func signalGroup(c *child, signal syscall.Signal) {
	_ = syscall.Kill(-c.process.Pid, signal)
}

func report(e event) {
	_ = json.NewEncoder(os.Stdout).Encode(e)
}

// lock marks the folder as in use until the file is closed, at the latest by the end of this process, however it ends.
// The name appears only once the lock is held, so that nobody takes a folder that is just being set up for abandoned.
func lock(folder string) (*os.File, error) {
	file, err := os.Create(filepath.Join(folder, "lock.new"))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, err
	}
	return file, os.Rename(file.Name(), filepath.Join(folder, "lock"))
}

// removeAbandoned removes the folders of supervisors that were themselves killed with SIGKILL. A folder without a lock
// file belongs to a supervisor that is just starting.
func removeAbandoned(prefix string) {
	locks, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*", "lock"))
	for _, name := range locks {
		file, err := os.Open(name)
		if err != nil {
			continue
		}
		if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(filepath.Dir(name))
		}
		_ = file.Close()
	}
}
