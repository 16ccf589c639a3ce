package fetch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"maquette.dev/render/internal/failure"
)

// remote is a repository behind git's protocol.
type remote struct {
	protocol *uploadPack
	limits   Limits
	packs    []*pack
}

// closer is a wire that holds a connection.
type closer interface{ close() }

func openRemote(ctx context.Context, wire wire, limits Limits) (source, error) {
	remote := &remote{protocol: &uploadPack{wire: wire}, limits: limits}
	if err := remote.protocol.open(ctx); err != nil {
		remote.close()
		return nil, err
	}
	return remote, nil
}

func (remote *remote) references(ctx context.Context, prefixes []string) ([]reference, error) {
	return remote.protocol.references(ctx, prefixes)
}

// commit downloads the commit without its history. Where the server serves only what a reference points at, it
// downloads the history of the hinted references, further back each time, until the commit is in it.
func (remote *remote) commit(ctx context.Context, wanted wanted) (objects, error) {
	isAdvertised := wanted.resolved || slices.ContainsFunc(remote.protocol.advertised,
		func(reference reference) bool { return reference.hash == wanted.commit })
	if isAdvertised || remote.protocol.servesAny() {
		found, err := remote.download(ctx, []plumbing.Hash{wanted.commit}, 1, wanted.scratch)
		if !errors.Is(err, errNotServed) {
			return found, err
		}
	}
	return remote.commitInHistory(ctx, wanted)
}

// How far back to look, in commits; 0 is all the way.
var depths = []int{50, 1000, 0}

func (remote *remote) commitInHistory(ctx context.Context, wanted wanted) (objects, error) {
	references, err := remote.references(ctx, wanted.hints)
	if err != nil {
		return nil, err
	}
	var starts []plumbing.Hash
	for _, reference := range references {
		if !slices.Contains(starts, reference.hash) {
			starts = append(starts, reference.hash)
		}
	}
	for _, depth := range depths {
		if len(starts) == 0 {
			break
		}
		found, err := remote.download(ctx, starts, depth, wanted.scratch)
		if err != nil {
			return nil, err
		}
		if _, err := found.object(wanted.commit); err == nil {
			return found, nil
		}
	}
	return nil, failure.New(CommitNotFound, "Commit %q is not in the history of %s, and this server serves no other commits: "+
		"name the branch that contains it, or set uploadpack.allowReachableSHA1InWant at the server",
		wanted.commit, strings.Join(wanted.hints, ", "))
}

// download brings a pack into the scratch folder and opens it.
func (remote *remote) download(ctx context.Context, wants []plumbing.Hash, depth int, scratch string) (objects, error) {
	file, err := os.Create(filepath.Join(scratch, "pack"))
	if err != nil {
		return nil, failure.New(CacheFailed, "Cannot write to the cache: %v", err)
	}
	err = remote.protocol.fetch(ctx, wants, depth, file)
	if err == nil {
		var opened *pack
		if opened, err = openPack(ctx, file, remote.limits); err == nil {
			remote.packs = append(remote.packs, opened)
			return opened, nil
		}
	}
	_ = file.Close()
	return nil, err
}

func (remote *remote) close() {
	if held, is := remote.protocol.wire.(closer); is {
		held.close()
	}
	for _, pack := range remote.packs {
		_ = pack.close()
	}
}
