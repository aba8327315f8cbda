package export

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"datasync/internal/outfile"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// toStdout exports to Stdout. Where the reader has gone that is no error.
func toStdout(ctx context.Context, opts *Options) (Result, error) {
	result, err := throughPipe(ctx, opts, opts.Stdout, opts.Scratch)
	if errors.Is(err, syscall.EPIPE) {
		return Result{Broken: true}, nil
	}
	return result, err
}

// throughPipe exports to a writer, through a pipe, as DuckDB opens what it writes by name.
// The compression is not DuckDB's: it has none for pipes, and for files its gzip is slow.
func throughPipe(ctx context.Context, opts *Options, to io.Writer, scratch string) (Result, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = r.Close() }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type copied struct {
		bytes int64
		err   error
	}
	done := make(chan copied, 1)
	go func() {
		n, err := pass(r, to, opts.Compression)
		if err != nil {
			cancel(err)
		}
		done <- copied{n, err}
	}()
	// A writer that takes nothing must not keep DuckDB from ending.
	defer context.AfterFunc(ctx, func() { _, _ = io.Copy(io.Discard, r) })()
	plain := *opts
	plain.Compression = "none"
	result, err := copyAll(ctx, &plain, outfile.DescriptorPath(w), scratch)
	if err = errors.Join(err, w.Close()); err == nil {
		select {
		case c := <-done:
			result.Bytes, result.Files, err = c.bytes, 1, c.err
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err == nil {
		return result, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return Result{}, err
}

// pass compresses what it reads and returns how many bytes it has written.
func pass(from io.Reader, to io.Writer, compression string) (int64, error) {
	counted := &counter{w: to}
	var compressed io.WriteCloser
	var err error
	switch compression {
	case "gzip":
		compressed = gzip.NewWriter(counted)
	case "zstd":
		compressed, err = zstd.NewWriter(counted)
	default:
		return io.Copy(to, from)
	}
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(compressed, from); err != nil {
		return counted.n, errors.Join(err, compressed.Close())
	}
	err = compressed.Close()
	return counted.n, err
}

// counter counts the bytes that go through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
