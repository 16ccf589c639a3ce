package fetch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"maquette.dev/render/internal/failure"
)

// wire carries git's protocol to one repository.
type wire interface {
	// greet opens the conversation and returns what the server says first.
	greet(ctx context.Context) (*bufio.Reader, error)
	// ask sends a request and returns the server's answer to it.
	ask(ctx context.Context, request []byte) (*bufio.Reader, error)
	// finish ends the reading of an answer. It explains err, which may be nil, with what the server said beside it.
	finish(err error) error
}

// uploadPack speaks the client's half of git-upload-pack: version 2 of the protocol, and version 0 with servers that
// do not know it. It only ever asks as somebody who has nothing yet.
type uploadPack struct {
	wire         wire
	isVersion2   bool
	capabilities map[string]string
	advertised   []reference // version 0 names all references first
	spent        bool        // version 0 answers one fetch for every greeting
}

const agent = "agent=maquette-render"

// errNotServed: the server says that it does not hand out this commit. With version 2, git's own server says so only
// if there is no such commit.
var errNotServed = errors.New("commit is not served")

// references lists those with one of the names, see source.references.
func (client *uploadPack) references(ctx context.Context, names []string) ([]reference, error) {
	found := client.advertised
	if client.isVersion2 {
		var err error
		if found, err = client.askReferences(ctx, names); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(found), func(one reference) bool { return !one.isOneOf(names) }), nil
}

func (client *uploadPack) askReferences(ctx context.Context, names []string) ([]reference, error) {
	var request bytes.Buffer
	client.beginCommand(&request, "ls-refs")
	writeLine(&request, "symrefs\n")
	for _, name := range names {
		writeLine(&request, "ref-prefix %s\n", name)
	}
	request.WriteString(flush)
	answer, err := client.wire.ask(ctx, request.Bytes())
	if err != nil {
		return nil, err
	}
	found, err := readReferences(lines{answer})
	return found, client.wire.finish(err)
}

func readReferences(answer lines) ([]reference, error) {
	var found []reference
	for {
		line, more, err := answer.text()
		if err != nil || !more {
			return found, err
		}
		fields := strings.Split(line, " ")
		if len(fields) < 2 || !plumbing.IsHash(fields[0]) {
			continue
		}
		next := reference{name: fields[1], hash: plumbing.NewHash(fields[0])}
		for _, attribute := range fields[2:] {
			if target, is := strings.CutPrefix(attribute, "symref-target:"); is {
				next.target = target
			}
		}
		found = append(found, next)
	}
}

func (client *uploadPack) beginCommand(request *bytes.Buffer, command string) {
	writeLine(request, "command=%s\n", command)
	writeLine(request, "%s\n", agent)
	if client.capabilities["object-format"] != "" {
		writeLine(request, "object-format=sha1\n")
	}
	request.WriteString(delimiter)
}

// servesAny tells whether commits can be asked for that no reference points at.
func (client *uploadPack) servesAny() bool {
	_, reachable := client.capabilities["allow-reachable-sha1-in-want"]
	_, all := client.capabilities["allow-any-sha1-in-want"]
	return client.isVersion2 || reachable || all
}

// isShallow tells whether the server can leave history out.
func (client *uploadPack) isShallow() bool {
	_, has := client.capabilities["shallow"]
	return has || strings.Contains(client.capabilities["fetch"], "shallow")
}

// fetch writes a pack of the wanted commits to pack.
//
// depth is how many commits of history come with each; 0 is all of them.
// It returns errNotServed if the server does not want to hand one out.
func (client *uploadPack) fetch(ctx context.Context, wants []plumbing.Hash, depth int, pack io.Writer) error {
	if !client.isShallow() {
		depth = 0
	}
	request := client.fetchRequest2
	read := readPack2
	if !client.isVersion2 {
		if client.spent {
			if err := client.open(ctx); err != nil {
				return err
			}
		}
		client.spent = true
		request, read = client.fetchRequest0, client.readPack0
	}
	answer, err := client.wire.ask(ctx, request(wants, depth))
	if err != nil {
		return err
	}
	return client.wire.finish(read(lines{answer}, depth, pack))
}

func (client *uploadPack) fetchRequest2(wants []plumbing.Hash, depth int) []byte {
	var request bytes.Buffer
	client.beginCommand(&request, "fetch")
	writeLine(&request, "no-progress\n")
	writeLine(&request, "ofs-delta\n")
	for _, want := range wants {
		writeLine(&request, "want %s\n", want)
	}
	if depth > 0 {
		writeLine(&request, "deepen %d\n", depth)
	}
	writeLine(&request, "done\n")
	request.WriteString(flush)
	return request.Bytes()
}

func readPack2(answer lines, _ int, pack io.Writer) error {
	for {
		section, more, err := answer.text()
		if err != nil {
			return err
		}
		if !more {
			return failure.New(InvalidRepository, "Server answered without a pack")
		}
		if section == "packfile" {
			return readBands(answer, pack)
		}
		for more { // shallow-info and what else may come
			if _, more, err = answer.text(); err != nil {
				return err
			}
		}
	}
}

// fetchRequest0 asks in version 0. Some servers (Azure DevOps) insist on multi_ack, which changes nothing for
// somebody who has nothing.
func (client *uploadPack) fetchRequest0(wants []plumbing.Hash, depth int) []byte {
	chosen := ""
	for _, name := range []string{"multi_ack_detailed", "side-band-64k", "ofs-delta", "no-progress", "shallow"} {
		if _, has := client.capabilities[name]; has && (name != "shallow" || depth > 0) {
			chosen += " " + name
		}
	}
	if _, has := client.capabilities["agent"]; has {
		chosen += " " + agent
	}
	var request bytes.Buffer
	for _, want := range wants {
		writeLine(&request, "want %s%s\n", want, chosen)
		chosen = ""
	}
	if depth > 0 {
		writeLine(&request, "deepen %d\n", depth)
	}
	request.WriteString(flush)
	writeLine(&request, "done\n")
	return request.Bytes()
}

func (client *uploadPack) readPack0(answer lines, depth int, pack io.Writer) error {
	for more := depth > 0; more; { // "shallow …" lines
		var err error
		if _, more, err = answer.text(); err != nil {
			return err
		}
	}
	if _, _, err := answer.text(); err != nil { // NAK
		return err
	}
	if _, has := client.capabilities["side-band-64k"]; !has {
		_, err := io.Copy(pack, answer.source)
		return err
	}
	return readBands(answer, pack)
}

// readBands takes the pack out of what the server sends beside it.
func readBands(answer lines, pack io.Writer) error {
	for {
		kind, data, err := answer.next()
		if err != nil {
			return err
		}
		if kind != dataLine || len(data) == 0 {
			return nil
		}
		switch data[0] {
		case 1:
			if _, err := pack.Write(data[1:]); err != nil {
				return err
			}
		case 3:
			return serverSaid(string(data[1:]))
		}
	}
}
