// A small application with a database and a volume. End-to-end tests roll it from version to version while the schema
// of its database changes: versions differ in nothing but the column that a text is in, which COLUMN names.
//
//	POST /items        the body becomes a row; answers "<version> <number of the row>"
//	GET  /items/N      answers "<version> <text of the row>"
//	PUT  /files/NAME   the body becomes a file in /data
//	GET  /files/NAME   answers with the file
//
// Without DATABASE_URL there are no items.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/lib/pq"
)

const folder = "/data"

// While endpoints are withdrawn, requests still come; some ingress controllers look every few seconds only.
const lameDuck = 5 * time.Second

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /files/{name}", writeFile)
	mux.HandleFunc("GET /files/{name}", readFile)
	if url := os.Getenv("DATABASE_URL"); url != "" {
		items, err := openItems(url, os.Getenv("COLUMN"))
		if err != nil {
			log.Fatalf("cannot start version %s: %v", os.Getenv("VERSION"), err)
		}
		mux.HandleFunc("POST /items", items.write)
		mux.HandleFunc("GET /items/{id}", items.read)
	}
	serve(&http.Server{Addr: ":8080", Handler: mux})
}

type items struct {
	database *sql.DB
	column   string
}

// A version whose column does not exist does not start.
func openItems(url, column string) (*items, error) {
	database, err := sql.Open("postgres", url)
	if err != nil {
		return nil, err
	}
	database.SetMaxOpenConns(8)
	database.SetMaxIdleConns(8)
	found := &items{database, pq.QuoteIdentifier(column)}
	_, err = database.Exec("SELECT " + found.column + " FROM items LIMIT 0")
	return found, err
}

func (i *items) write(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	var id int64
	if err == nil {
		query := "INSERT INTO items (" + i.column + ") VALUES ($1) RETURNING id"
		err = i.database.QueryRowContext(r.Context(), query, string(text)).Scan(&id)
	}
	answer(w, fmt.Sprint(id), err)
}

func (i *items) read(w http.ResponseWriter, r *http.Request) {
	var text string
	query := "SELECT " + i.column + " FROM items WHERE id = $1"
	err := i.database.QueryRowContext(r.Context(), query, r.PathValue("id")).Scan(&text)
	answer(w, text, err)
}

func writeFile(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, r.PathValue("name")), content, 0o644)
	}
	answer(w, fmt.Sprint(len(content)), err)
}

func readFile(w http.ResponseWriter, r *http.Request) {
	content, err := os.ReadFile(filepath.Join(folder, r.PathValue("name")))
	answer(w, string(content), err)
}

func answer(w http.ResponseWriter, text string, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "%s %s", os.Getenv("VERSION"), text)
}

// Requests that are under way when the Pod is told to stop are finished.
func serve(server *http.Server) {
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
		log.Fatal(err)
	}
	<-ended
}
