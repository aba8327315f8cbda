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
	result, err := throughPipe(ctx, opts, opts.Stdout, true, opts.Scratch)
	if errors.Is(err, syscall.EPIPE) {
		return Result{Broken: true}, nil
	}
	return result, err
}

// throughPipe exports to a writer, through a pipe, as DuckDB opens what it writes by name. A
// writer that may stall is not waited for when ctx has ended: nobody knows when it will go
// on. The compression is not DuckDB's: it has none for pipes, and for files its gzip is slow.
func throughPipe(ctx context.Context, opts *Options, to io.Writer, mayStall bool, scratch string) (Result, error) {
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
		n, err := pass(untilEnd{ctx, r}, to, opts.Compression)
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
	err = errors.Join(err, w.Close())
	ended := ctx.Done()
	if !mayStall {
		ended = nil
	}
	select {
	case c := <-done:
		result.Bytes, result.Files = c.bytes, 1
		err = errors.Join(err, c.err)
	case <-ended:
		err = errors.Join(err, ctx.Err())
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
		_ = compressed.Close() // which says the same once more
		return counted.n, err
	}
	err = compressed.Close()
	return counted.n, err
}

// untilEnd reads until ctx ends. What comes after that is not what follows: others read, too.
type untilEnd struct {
	ctx context.Context
	r   io.Reader
}

func (u untilEnd) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	if errEnd := u.ctx.Err(); errEnd != nil {
		return 0, errEnd
	}
	return n, err
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
