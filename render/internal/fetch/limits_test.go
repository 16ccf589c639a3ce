package fetch

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func noise(t *testing.T, length int) string {
	t.Helper()
	text := make([]byte, length/2)
	_, err := rand.Read(text)
	check(t, err)
	return hex.EncodeToString(text)
}

func TestLimitsOfSizeAreKept(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{
		"noise": noise(t, 300_000), "flat": strings.Repeat("a", 200_000), "b": "1", "c": "1", "d/e": "1",
	})
	cases := map[string]struct {
		limits Limits
		reason string
		says   string
	}{
		"bytes on the wire":        {Limits{Bytes: 100_000}, TooLarge, "Server sent more than 100000 bytes"},
		"bytes of the checkout":    {Limits{Bytes: 400_000}, TooLarge, "Files of the commit have more than 400000 bytes"},
		"bytes of one file":        {Limits{FileBytes: 250_000}, TooLarge, "more than 250000 bytes"},
		"files":                    {Limits{Files: 5}, TooManyFiles, "more than 5 files"},
		"bytes of the whole cache": {Limits{CacheBytes: 100_000}, TooLarge, "whole cache"},
	}
	server := serveHttp(t, tree)
	for name, one := range cases {
		t.Run(name, func(t *testing.T) {
			request := server.request(t, Ref{})
			request.Limits = one.limits
			contains(t, refused(t, request, one.reason), one.says)
			nothingIsLeft(t, request.CacheDir)
		})
	}
	request := server.request(t, Ref{})
	request.Limits = Limits{Bytes: 500_100, Files: 6, FileBytes: 300_000, CacheBytes: 600_000}
	fetched(t, request)
}

func TestServerThatHangsIsLeftInTime(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	for name, method := range map[string]string{"before its first word": http.MethodGet, "in the middle": http.MethodPost} {
		t.Run(name, func(t *testing.T) {
			server := serveHttp(t, tree)
			server.intercept = func(writer http.ResponseWriter, request *http.Request) bool {
				if request.Method != method {
					return false
				}
				if method == http.MethodPost {
					_, _ = writer.Write([]byte("00"))
					writer.(http.Flusher).Flush()
				}
				<-request.Context().Done()
				return true
			}
			request := server.request(t, Ref{})
			request.Limits.Seconds = 0.3
			contains(t, refused(t, request, TooSlow), "300ms")
		})
	}
}

// packServer answers every fetch with one pack.
func packServer(t *testing.T, pack []byte) Request {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	server := serveHttp(t, tree)
	server.intercept = func(writer http.ResponseWriter, request *http.Request) bool {
		if !isDownload(request) {
			return false
		}
		writer.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		_, _ = writer.Write([]byte("000dpackfile\n"))
		for len(pack) > 0 {
			part := pack[:min(len(pack), 60_000)]
			pack = pack[len(part):]
			_, _ = fmt.Fprintf(writer, "%04x\x01%s", len(part)+5, part)
		}
		_, _ = writer.Write([]byte(flush))
		return true
	}
	request := server.request(t, Ref{})
	request.Limits = Limits{Bytes: 128 << 10, FileBytes: 64 << 10}
	return request
}

// packOf joins objects in the form of a pack to one.
func packOf(count uint32, objects ...[]byte) []byte {
	pack := append([]byte("PACK\x00\x00\x00\x02"), binary.BigEndian.AppendUint32(nil, count)...)
	pack = append(pack, bytes.Join(objects, nil)...)
	sum := sha1.Sum(pack)
	return append(pack, sum[:]...)
}

// packed is an object whose header says another size than it has, if it is told to.
func packed(t *testing.T, kind byte, says int, base, content []byte) []byte {
	t.Helper()
	first, rest := kind<<4|byte(says&15), says>>4
	var object bytes.Buffer
	for rest > 0 {
		object.WriteByte(first | 0x80)
		first, rest = byte(rest&0x7f), rest>>7
	}
	object.WriteByte(first)
	object.Write(base)
	writer := zlib.NewWriter(&object)
	_, err := writer.Write(content)
	check(t, err)
	check(t, writer.Close())
	return object.Bytes()
}

func TestPacksThatUnpackToTooMuchAreRefused(t *testing.T) {
	const blob, refDelta = 3, 7
	zeros := make([]byte, 64<<10)
	text := []byte("base")
	base := sha1.Sum([]byte("blob 4\x00base"))
	// A difference of 8 bytes that claims to make 2 GiB of a base of 4 bytes.
	delta := append(binary.AppendUvarint([]byte{4}, 2<<30), 0x90, 4)
	var many [][]byte
	for range 40 {
		many = append(many, packed(t, blob, len(zeros), nil, zeros))
	}
	cases := map[string]struct {
		pack   []byte
		reason string
	}{
		"one object":                         {packOf(1, packed(t, blob, 80<<10, nil, make([]byte, 80<<10))), TooLarge},
		"one object that says it is smaller": {packOf(1, packed(t, blob, 10, nil, zeros)), InvalidRepository},
		"a difference to another":            {packOf(2, packed(t, blob, 4, nil, text), packed(t, refDelta, len(delta), base[:], delta)), TooLarge},
		"many objects":                       {packOf(40, many...), TooLarge},
		"a number of objects":                {packOf(1 << 31), TooLarge},
		"fewer objects than it says":         {packOf(3, packed(t, blob, 4, nil, text)), InvalidRepository},
		"no pack":                            {[]byte("hello"), InvalidRepository},
		"a pack without the commit":          {packOf(1, packed(t, blob, 4, nil, text)), InvalidRepository},
		"nothing":                            {nil, InvalidRepository},
	}
	for name, one := range cases {
		t.Run(name, func(t *testing.T) {
			refused(t, packServer(t, one.pack), one.reason)
		})
	}
}

func TestObjectThatIsNotWhatItsNameSaysIsNotFound(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	honest := tree.git("rev-parse", "main")
	tree.onMain(files{"a": "evil"})
	server := serveHttp(t, tree)
	server.intercept = func(_ http.ResponseWriter, request *http.Request) bool {
		body := new(bytes.Buffer)
		_, _ = body.ReadFrom(request.Body)
		swapped := strings.ReplaceAll(body.String(), honest, tree.git("rev-parse", "main"))
		request.Body = http.NoBody
		if body.Len() > 0 {
			request.Body = readCloser{strings.NewReader(swapped)}
		}
		return false
	}
	refused(t, server.request(t, Ref{Commit: honest}), InvalidRepository)
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func TestDiskThatCannotBeWrittenIsSaid(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	request := serveHttp(t, tree).request(t, Ref{})
	file := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(file, nil, 0o600))
	request.CacheDir = file
	refused(t, request, CacheFailed)
	request.CacheDir = "relative"
	refused(t, request, "InvalidRequest")
}
