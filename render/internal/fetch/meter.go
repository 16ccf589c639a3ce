package fetch

import (
	"context"
	"io"

	"maquette.dev/render/internal/failure"
)

// meter counts what comes over the wire in one fetch, however many answers it takes.
type meter struct {
	limit, count int64
}

// reader returns a reader that fails with TooLarge beyond the limit, and with the context's error beyond its end.
func (meter *meter) reader(ctx context.Context, source io.Reader) io.Reader {
	return &meteredReader{ctx, meter, source}
}

type meteredReader struct {
	ctx    context.Context
	meter  *meter
	source io.Reader
}

func (reader *meteredReader) Read(into []byte) (int, error) {
	if err := reader.ctx.Err(); err != nil {
		return 0, err
	}
	count, err := reader.source.Read(into)
	reader.meter.count += int64(count)
	if reader.meter.count > reader.meter.limit {
		return 0, failure.New(TooLarge, "Server sent more than %d bytes: make the repository smaller, "+
			"or raise the limit of bytes", reader.meter.limit)
	}
	if err != nil && err != io.EOF && reader.ctx.Err() != nil {
		err = reader.ctx.Err()
	}
	return count, err
}
