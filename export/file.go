package export

import (
	"context"
	"errors"
	"path/filepath"

	"datasync/internal/inspect"
	"datasync/internal/outfile"
)

// fileTarget is a single file.
type fileTarget struct {
	file   *outfile.File
	path   string
	pipe   *pipe // compresses on the way to the file; nil if DuckDB writes it itself
	result Result
}

func newFileTarget(opts *Options) (*fileTarget, error) {
	file, err := outfile.Create(opts.Target, outfile.Rules{Force: opts.Force, Keep: opts.Keep})
	if err != nil {
		return nil, err
	}
	t := &fileTarget{file: file, path: opts.Target}
	if opts.Format == Parquet || opts.Compression == "none" {
		return t, nil
	}
	if t.pipe, err = newPipe(file, opts.Compression); err != nil {
		return nil, errors.Join(err, file.Abort())
	}
	return t, nil
}

func (t *fileTarget) access() (inspect.ReadOptions, string) {
	path := t.file.Path()
	if t.pipe != nil {
		path = t.pipe.path()
	}
	return inspect.ReadOptions{Writable: []string{path}}, filepath.Dir(t.path)
}

func (t *fileTarget) write(ctx context.Context, j *job) (err error) {
	if t.pipe != nil {
		t.result, err = t.pipe.write(ctx, j)
		return err
	}
	t.result.Files = 1
	t.result.Rows, err = j.copyAll(ctx, &j.opts.Layout, t.file.Path())
	t.result.Longest = t.result.Rows
	return err
}

func (t *fileTarget) commit() (_ Result, err error) {
	t.result.Bytes, err = t.file.Commit()
	return t.result, err
}

func (t *fileTarget) abort(err error) error {
	if t.pipe != nil {
		t.pipe.close()
	}
	return errors.Join(t.file.Explain(err), t.file.Abort())
}
