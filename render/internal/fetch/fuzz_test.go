package fetch

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// scripted is a wire whose server says what a test wants.
type scripted struct{ greeting, answer []byte }

func (wire scripted) greet(context.Context) (*bufio.Reader, error) {
	return bufio.NewReader(bytes.NewReader(wire.greeting)), nil
}

func (wire scripted) ask(context.Context, []byte) (*bufio.Reader, error) {
	return bufio.NewReader(bytes.NewReader(wire.answer)), nil
}

func (scripted) finish(err error) error { return broken(err, "host") }

func FuzzServersMaySayAnything(f *testing.F) {
	version2 := []byte("000eversion 2\n000bfetch=\n0000")
	version0 := []byte("0000000000000000000000000000000000000000 capabilities^{}")
	f.Add(version2, []byte("000dpackfile\n000a\x01PACK10000"))
	f.Add(version2, []byte("0032"+"a000000000000000000000000000000000000000 HEAD\n0000"))
	f.Add(append([]byte("001e# service=git-upload-pack\n0000003d"), version0...), []byte("0008NAK\n"))
	f.Add([]byte("0003"), []byte("fffe"))
	f.Fuzz(func(t *testing.T, greeting, answer []byte) {
		client := &uploadPack{wire: scripted{greeting, answer}}
		if client.open(t.Context()) != nil {
			return
		}
		_, _ = client.references(t.Context(), []string{"refs/"})
		_ = client.fetch(t.Context(), []plumbing.Hash{{}}, 1, io.Discard)
	})
}
