package export

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"datasync/internal/outfile"
)

// toStdout exports to Stdout, through a pipe, as DuckDB opens what it writes by name. Where
// the reader has gone that is no error.
func toStdout(ctx context.Context, opts *Options) (Result, error) {
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
		n, err := io.Copy(opts.Stdout, r)
		if err != nil {
			cancel(err)
		}
		done <- copied{n, err}
	}()
	// A reader that takes nothing must not keep DuckDB from ending.
	defer context.AfterFunc(ctx, func() { _, _ = io.Copy(io.Discard, r) })()
	result, err := copyAll(ctx, opts, outfile.DescriptorPath(w), opts.Scratch)
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
	if errors.Is(err, syscall.EPIPE) {
		return Result{Broken: true}, nil
	}
	return Result{}, err
}
