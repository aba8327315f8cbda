package export

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/outfile"
)

// database is the open file, and the folder for what DuckDB spills to disk.
type database struct {
	session *inspect.Session
	scratch *outfile.Folder // nil if nothing can spill
	parent  string          // of scratch
}

// openDatabase opens the file to export from it. A hidden folder in scratch receives data
// that exceeds the memory limit. The caller closes the database.
func openDatabase(ctx context.Context, opts *Options, read inspect.ReadOptions, scratch string) (d database, err error) {
	if opts.maySpill() {
		if d.scratch, err = outfile.Scratch(scratch); err != nil {
			return database{}, fmt.Errorf("make a folder for data that exceeds the memory limit: %w", err)
		}
		read.TempFolder, d.parent = d.scratch.Path(), scratch
	}
	read.MemoryLimit = memoryLimit(opts)
	if d.session, err = inspect.OpenSession(ctx, opts.Database, read); err != nil && d.scratch != nil {
		err = errors.Join(err, d.scratch.Abort())
	}
	return d, err
}

func memoryLimit(opts *Options) string { return fmt.Sprint(opts.MemoryLimit, "B") }

func (d *database) close() error {
	err := d.session.Close()
	if d.scratch != nil {
		err = errors.Join(err, d.scratch.Abort())
	}
	return err
}

// exec runs a statement on one of the database's sessions and returns the number of its rows.
// Its errors say what to do about too little memory or space.
func (d *database) exec(ctx context.Context, s *inspect.Session, st statement) (int64, error) {
	n, err := s.Exec(ctx, st.sql, st.args...)
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "failed to offload data block"):
		err = fmt.Errorf("export: %w in %q, which holds data that exceeds the memory limit; free some space there, or raise --memory-limit", outfile.ErrFull, d.parent)
	case strings.Contains(err.Error(), "to DECIMAL(38,0)"):
		first, _, _ := strings.Cut(err.Error(), "\n")
		err = invalid("a number of more than 38 digits has no type in Parquet: write it as text, by CAST(... AS VARCHAR): %s", shorten(first))
	case errors.Is(err, dbfile.ErrMemory):
		err = fmt.Errorf("export: %w; raise --memory-limit", err)
	}
	return n, err
}

// inMemory bounds how many times larger events are in memory than in the database.
const inMemory = 8

// maySpill reports whether a sort, or the row groups that several threads have ready, may
// exceed the memory limit. A small export needs no folder, so a kill leaves none behind.
func (o *Options) maySpill() bool {
	if o.Query != "" {
		return true
	}
	info, err := os.Stat(o.Database)
	return err != nil || info.Size()*inMemory > o.MemoryLimit
}
