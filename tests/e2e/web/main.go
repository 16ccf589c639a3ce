// A small web server that end-to-end tests deploy as a preview, and that tells what it can reach from where it runs.
//
//	web serve        answers on :8000: / (its version), /get?url=…, /lookup?name=…, /burn?for=100ms (keeps a processor busy)
//	web crash        writes a few lines and ends with exit code 1
//	web metadata     gives the node the address 169.254.169.254 and answers there, as a cloud's metadata service does
//	               (but on port 8775: a node's port 80 may be the ingress controller's, on every address)
//	web get URL      prints what it got
//	web touch PATH   tries to make a file
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// A connection that a network policy drops is noticed by nothing but this.
const reachTimeout = 2 * time.Second

// While endpoints are withdrawn, requests still come; a busy node takes its time.
const lameDuck = 5 * time.Second

func main() {
	if len(os.Args) < 2 {
		fail("usage: web serve | crash | metadata | get URL | touch PATH")
	}
	switch os.Args[1] {
	case "serve":
		serve(":8000", routes())
	case "crash":
		fmt.Println("starting version", os.Getenv("VERSION"))
		fmt.Println(`panic: cannot open "/etc/shop/config.yaml": no such file or directory`)
		os.Exit(1)
	case "metadata":
		check(setAddress("lo:1", net.IPv4(169, 254, 169, 254)))
		serve("169.254.169.254:8775", text("instance-id: i-0123456789"))
		check(setAddress("lo:1", net.IPv4zero))
	case "get":
		ctx, cancel := context.WithTimeout(context.Background(), reachTimeout)
		defer cancel()
		found, err := get(ctx, os.Args[2])
		check(err)
		fmt.Println(found)
	case "touch":
		file, err := os.Create(os.Args[2])
		check(err)
		check(file.Close())
	default:
		fail("no such command: " + os.Args[1])
	}
}

func routes() http.Handler {
	mux := http.NewServeMux()
	host, _ := os.Hostname()
	mux.Handle("/", text(fmt.Sprintf("web %s on %s", os.Getenv("VERSION"), host)))
	mux.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		answer(w, func(ctx context.Context) (string, error) { return get(ctx, r.URL.Query().Get("url")) })
	})
	mux.HandleFunc("/lookup", func(w http.ResponseWriter, r *http.Request) {
		answer(w, func(ctx context.Context) (string, error) {
			addresses, err := net.DefaultResolver.LookupHost(ctx, r.URL.Query().Get("name"))
			return strings.Join(addresses, " "), err
		})
	})
	mux.HandleFunc("/burn", func(w http.ResponseWriter, r *http.Request) {
		duration, err := time.ParseDuration(r.URL.Query().Get("for"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for start := time.Now(); time.Since(start) < duration; {
		}
		fmt.Fprintln(w, "busy for", duration)
	})
	return mux
}

func text(line string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, line) }
}

// Answers 200 with what was reached, or 502 with why it was not.
func answer(w http.ResponseWriter, reach func(context.Context) (string, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), reachTimeout)
	defer cancel()
	found, err := reach(ctx)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintln(w, found)
}

func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	return fmt.Sprintf("%d %s", response.StatusCode, strings.TrimSpace(string(body))), err
}

// Requests that are under way when the Pod is told to stop are finished.
func serve(address string, handler http.Handler) {
	server := &http.Server{Addr: address, Handler: handler}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		<-stop.Done()
		time.Sleep(lameDuck)
		server.Shutdown(context.Background())
		close(ended)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fail(err.Error())
	}
	<-ended
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(2)
}
