package fetch

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"maquette.dev/render/internal/failure"
)

const (
	// maxObjects bounds the memory that an index of a pack needs.
	maxObjects = 500_000
	// maxInflation is how many times limits.bytes all objects of a pack may have when they are unpacked. The history
	// of a few files, of which one commit's are checked out, is many times what is checked out.
	maxInflation = 16
)

// pack is a downloaded pack, every object of which was hashed.
type pack struct {
	objects *packfile.Packfile
}

// openPack judges a pack before anything of it is unpacked into memory, then indexes it.
func openPack(ctx context.Context, file *os.File, limits Limits) (*pack, error) {
	if err := judgePack(ctx, file, limits); err != nil {
		return nil, explainPack(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, failure.New(CacheFailed, "Cannot read from the cache: %v", err)
	}
	index := new(idxfile.Writer)
	parser, err := packfile.NewParser(packfile.NewScanner(&patientFile{file, ctx}), index)
	if err == nil {
		_, err = parser.Parse()
	}
	if err != nil {
		return nil, explainPack(err)
	}
	found, err := index.Index()
	if err != nil {
		return nil, explainPack(err)
	}
	opened, err := osfs.New("/").Open(file.Name())
	if err != nil {
		return nil, failure.New(CacheFailed, "Cannot read from the cache: %v", err)
	}
	_ = file.Close()
	return &pack{packfile.NewPackfile(found, nil, opened, 0)}, nil
}

func (pack *pack) object(hash plumbing.Hash) (plumbing.EncodedObject, error) {
	return pack.objects.Get(hash)
}

func (pack *pack) close() error { return pack.objects.Close() }

// patientFile ends the parsing when the context ends.
type patientFile struct {
	*os.File
	ctx context.Context
}

func (file *patientFile) Read(into []byte) (int, error) {
	if err := file.ctx.Err(); err != nil {
		return 0, err
	}
	return file.File.Read(into)
}

// judgePack reads a pack from its beginning to its end and refuses it if unpacking would take too much: a few bytes
// of a pack can stand for gigabytes, plainly compressed or as the difference to another object.
func judgePack(ctx context.Context, file *os.File, limits Limits) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	scanner := packfile.NewScanner(&patientFile{file, ctx})
	_, count, err := scanner.Header()
	if err != nil {
		return err
	}
	if count > maxObjects {
		return failure.New(TooLarge, "Commit comes with %d git objects, %d are allowed: make the repository smaller", count, maxObjects)
	}
	var total int64
	for range count {
		size, err := judgeObject(scanner, limits.FileBytes)
		if err != nil {
			return err
		}
		if total += size; total > limits.Bytes*maxInflation {
			return failure.New(TooLarge, "Git objects of the commit unpack to more than %d bytes: make the repository smaller, "+
				"or raise the limit of bytes", limits.Bytes*maxInflation)
		}
	}
	return nil
}

// judgeObject reads one object and returns the size that it unpacks to.
func judgeObject(scanner *packfile.Scanner, limit int64) (int64, error) {
	header, err := scanner.NextObjectHeader()
	if err != nil {
		return 0, err
	}
	if header.Length > limit {
		return 0, fileTooLarge(limit)
	}
	var beginning prefix
	if _, _, err := scanner.NextObject(&beginning); err != nil {
		return 0, err
	}
	size := header.Length
	if header.Type.IsDelta() {
		// A difference begins with the size of what it starts from and of what it makes.
		data := bytes.NewReader(beginning.kept)
		from, fromErr := binary.ReadUvarint(data)
		makes, makesErr := binary.ReadUvarint(data)
		if err := errors.Join(fromErr, makesErr); err != nil {
			return 0, err
		}
		if from > uint64(limit) || makes > uint64(limit) {
			return 0, fileTooLarge(limit)
		}
		size += int64(makes)
	}
	return size, nil
}

func fileTooLarge(limit int64) *failure.Failure {
	return failure.New(TooLarge, "A file of the repository has more than %d bytes: take it out of the repository, "+
		"or raise the limit of bytes per file", limit)
}

// prefix keeps the first bytes that are written to it.
type prefix struct {
	kept []byte
}

func (prefix *prefix) Write(data []byte) (int, error) {
	prefix.kept = append(prefix.kept, data[:min(len(data), 32-len(prefix.kept))]...)
	return len(data), nil
}

func explainPack(err error) error {
	var known *failure.Failure
	if errors.As(err, &known) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return err
	}
	return failure.New(InvalidRepository, "What the server sent cannot be unpacked: %v", err)
}
