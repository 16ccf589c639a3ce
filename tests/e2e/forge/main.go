// A git server that end-to-end tests run as a Pod: the bare repositories of a folder over HTTPS with a login, and over
// SSH with a key. What is said in git's own protocol, git says.
//
//	forge install PATH   puts a copy of itself there: the image that has git is somebody else's
//	forge keys HOST      prints new keys for a server of that name in JSON
//	forge serve          answers HTTPS on :8443 and SSH on :2222; its settings are environment variables
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: forge install PATH | keys HOST | serve"))
	}
	switch os.Args[1] {
	case "install":
		check(install(os.Args[2]))
	case "keys":
		keys, err := newKeys(os.Args[2])
		check(err)
		check(json.NewEncoder(os.Stdout).Encode(keys))
	case "serve":
		ended := make(chan error)
		of := os.Getenv
		go func() {
			ended <- serveHttps(of("FORGE_CERTIFICATE"), of("FORGE_KEY"), of("FORGE_USERNAME"), of("FORGE_PASSWORD"))
		}()
		go func() { ended <- serveSsh(of("FORGE_HOST_KEY"), of("FORGE_CLIENT_KEY")) }()
		check(<-ended)
	default:
		fail(fmt.Errorf("no such command: %s", os.Args[1]))
	}
}

func install(path string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	source, err := os.Open(program)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	return target.Close()
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}
