package export

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/outfile"
)

// toFile exports to one file.
func toFile(ctx context.Context, opts *Options) (result Result, err error) {
	file, err := outfile.Create(opts.Target, outfile.Rules{Force: opts.Force, Keep: opts.Keep})
	if err != nil {
		return Result{}, err
	}
	if opts.Format != Parquet && opts.Compression != "none" {
		result, err = throughPipe(ctx, opts, file, false, filepath.Dir(opts.Target))
	} else {
		result, err = copyAll(ctx, opts, file.Path(), filepath.Dir(opts.Target))
	}
	if err != nil {
		return Result{}, errors.Join(file.Explain(err), file.Abort())
	}
	result.Files = 1
	result.Bytes, err = file.Commit()
	return result, err
}

// copyAll has DuckDB write all rows to one path.
func copyAll(ctx context.Context, opts *Options, path, scratch string) (result Result, err error) {
	d, err := open(ctx, opts, inspect.ReadOptions{Writable: []string{path}}, scratch)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if result.Pull, err = readPull(ctx, d.Session, opts.Database); err != nil {
		return Result{}, err
	}
	src, err := newSource(ctx, d.Session, opts.Selection, false)
	if err != nil {
		return Result{}, err
	}
	rows := src.rows(opts.list(src.columns))
	if opts.Format == Parquet && src.sorted() {
		// Readers skip row groups by their statistics. The other formats have none, and
		// come in the order of the database, which is for free.
		rows += " ORDER BY " + src.order
	}
	defer opts.Progress.follow(d.Session)()
	result.Rows, err = d.Exec(ctx, opts.copyTo(rows, path))
	return result, err
}

// database is the open file, and where what does not fit into memory goes.
type database struct {
	*inspect.Session
	scratch *outfile.Folder // nil where there is none
	parent  string          // of scratch
}

// open opens the database to export from it. A folder in scratch takes what does not fit
// into memory.
func open(ctx context.Context, opts *Options, read inspect.ReadOptions, scratch string) (d database, err error) {
	if opts.needsScratch() {
		if d.scratch, err = outfile.Scratch(scratch); err != nil {
			return database{}, fmt.Errorf("make room for what does not fit into memory: %w", err)
		}
		read.TempFolder, d.parent = d.scratch.Path(), scratch
	}
	read.MemoryLimit = fmt.Sprint(opts.MemoryLimit, "B")
	if d.Session, err = inspect.OpenSession(ctx, opts.Database, read); err != nil && d.scratch != nil {
		err = errors.Join(err, d.scratch.Abort())
	}
	return d, err
}

func (d *database) close() error {
	err := d.Close()
	if d.scratch != nil {
		err = errors.Join(err, d.scratch.Abort())
	}
	return err
}

// Exec says what to do where there is too little memory.
func (d *database) Exec(ctx context.Context, statement string, bound ...sql.NullString) (int64, error) {
	n, err := d.Session.Exec(ctx, statement, bound...)
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "failed to offload data block"):
		err = fmt.Errorf("export: %w in %q, where what does not fit into memory goes; free some space there, or give more of it with --memory-limit", outfile.ErrFull, d.parent)
	case errors.Is(err, dbfile.ErrMemory):
		err = fmt.Errorf("export: %w; give it more with --memory-limit", err)
	}
	return n, err
}

// asStored is by how much events in memory are larger than in the database, at most.
const asStored = 8

// needsScratch reports whether what is in memory at a time may come to more than the
// limit: what is sorted, and what several processors have ready before its turn has come.
// What is small is kept from leaving a folder behind when it is killed.
func (o *Options) needsScratch() bool {
	if o.Query != "" {
		return true
	}
	info, err := os.Stat(o.Database)
	return err != nil || info.Size()*asStored > o.MemoryLimit
}
