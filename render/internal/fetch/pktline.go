package fetch

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"

	"maquette.dev/render/internal/failure"
)

// The kinds of pkt-lines, the frames of git's protocol (gitprotocol-common, gitprotocol-v2).
const (
	flushLine = iota
	delimiterLine
	endLine
	dataLine
)

// longestLine is the most that a pkt-line may carry, in bytes.
const longestLine = 65516

// lines reads pkt-lines. It never reads beyond the line it returns.
type lines struct {
	source *bufio.Reader
}

// next returns the next line and its kind. The server's own error, "ERR …", is returned as an error.
func (lines lines) next() (kind int, data []byte, err error) {
	var size [4]byte
	if _, err := io.ReadFull(lines.source, size[:]); err != nil {
		return 0, nil, err
	}
	length, err := strconv.ParseUint(string(size[:]), 16, 16)
	if err != nil || length == 3 || length > longestLine+4 {
		return 0, nil, failure.New(InvalidRepository, "Server does not speak git: its answer begins with %q", size[:])
	}
	if length < 4 {
		return int(length), nil, nil
	}
	data = make([]byte, length-4)
	if _, err := io.ReadFull(lines.source, data); err != nil {
		return 0, nil, err
	}
	if bytes.HasPrefix(data, []byte("ERR ")) {
		return 0, nil, serverSaid(string(data[4:]))
	}
	return dataLine, data, nil
}

// text returns the next line without its line end; more is false at a flush or a delimiter.
func (lines lines) text() (text string, more bool, err error) {
	kind, data, err := lines.next()
	return string(bytes.TrimSuffix(data, []byte("\n"))), kind == dataLine, err
}

// writeLine adds a line to a request.
func writeLine(request *bytes.Buffer, format string, values ...any) {
	text := fmt.Sprintf(format, values...)
	fmt.Fprintf(request, "%04x%s", len(text)+4, text)
}

const (
	flush     = "0000"
	delimiter = "0001"
)
