package export

import (
	"context"
	"errors"
	"io"
	"os"

	"datasync/internal/inspect"
	"datasync/internal/outfile"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// stdoutTarget is the caller's writer.
type stdoutTarget struct {
	pipe    *pipe
	scratch string
	result  Result
}

func newStdoutTarget(opts *Options) (*stdoutTarget, error) {
	p, err := newPipe(opts.Stdout, opts.Compression)
	if err != nil {
		return nil, err
	}
	p.mayStall = true
	return &stdoutTarget{pipe: p, scratch: opts.Scratch}, nil
}

func (t *stdoutTarget) access() (inspect.ReadOptions, string) {
	return inspect.ReadOptions{Writable: []string{t.pipe.path()}}, t.scratch
}

func (t *stdoutTarget) write(ctx context.Context, j *job) (err error) {
	t.result, err = t.pipe.write(ctx, j)
	return err
}

func (t *stdoutTarget) commit() (Result, error) { return t.result, nil }

func (t *stdoutTarget) abort(err error) error {
	t.pipe.close()
	return err
}

// pipe takes what DuckDB writes to a writer, as DuckDB only opens files by name, and compresses
// it: DuckDB compresses no pipes, and its gzip of files is slow.
type pipe struct {
	r, w        *os.File
	to          io.Writer
	compression string
	// mayStall says that the writer can block forever, so that after a cancellation write must not
	// wait for it.
	mayStall bool
}

// newPipe makes a pipe, which write or close ends.
func newPipe(to io.Writer, compression string) (*pipe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &pipe{r: r, w: w, to: to, compression: compression}, nil
}

// path is the name by which DuckDB opens the pipe.
func (p *pipe) path() string { return outfile.DescriptorPath(p.w) }

func (p *pipe) close() { _, _ = p.w.Close(), p.r.Close() }

// copied is the outcome of a pipe: the bytes that it has passed on, and its error.
type copied struct {
	bytes int64
	err   error
}

// write writes all rows of the job through the pipe. After a cancellation it fails with the
// cause.
func (p *pipe) write(ctx context.Context, j *job) (Result, error) {
	defer p.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan copied, 1) // one result: the goroutine ends even if write does not wait for it
	go func() {
		n, err := compress(p.to, untilDone{ctx, p.r}, p.compression)
		if err != nil {
			cancel(err)
		}
		done <- copied{n, err}
	}()
	// DuckDB cannot be interrupted while it blocks on a full pipe.
	defer context.AfterFunc(ctx, func() { _, _ = io.Copy(io.Discard, p.r) })()
	uncompressed := j.opts.Layout
	uncompressed.Compression = "none"
	rows, err := j.copyAll(ctx, &uncompressed, p.path())
	err = errors.Join(err, p.w.Close())
	var canceled <-chan struct{}
	if p.mayStall {
		canceled = ctx.Done()
	}
	result := Result{Rows: rows, Files: 1, Longest: rows}
	select {
	case c := <-done:
		result.Bytes = c.bytes
		err = errors.Join(err, c.err)
	case <-canceled:
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

// compress copies to a writer and returns how many bytes that received.
func compress(to io.Writer, from io.Reader, compression string) (int64, error) {
	counted := &counter{w: to}
	var compressor io.WriteCloser
	var err error
	switch compression {
	case "gzip":
		compressor = gzip.NewWriter(counted)
	case "zstd":
		compressor, err = zstd.NewWriter(counted)
	default:
		return io.Copy(to, from)
	}
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(compressor, from); err != nil {
		_ = compressor.Close() // repeats the error
		return counted.n, err
	}
	err = compressor.Close()
	return counted.n, err
}

// untilDone reads until ctx is done. After that another reader drains the pipe too, so the bytes
// read have gaps.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	if errDone := u.ctx.Err(); errDone != nil {
		return 0, errDone
	}
	return n, err
}

// counter counts the bytes that a writer took.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
