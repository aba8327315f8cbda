package rows

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// Options says which file to read, and where to write files.
type Options struct {
	// Path is the path of the file, or of its copy. Messages use Name, or Path if Name is "".
	Path, Name string
	// Staging is the folder for the written files; "" if the caller only reads.
	Staging string
	// Memory bounds DuckDB's buffers, in bytes; 0 means DefaultMemory. Larger sorts spill to the staging
	// folder.
	Memory int64
}

// DefaultMemory is the default of Options.Memory.
const DefaultMemory = 384 << 20

// maxThreads bounds DuckDB's threads, because each takes memory.
const maxThreads = 4

// Source is a datasync file, open for reading. It is not safe for concurrent use.
type Source struct {
	session *inspect.Session
	opts    Options
	meta    map[string]string
}

// spill is the folder in the staging folder for DuckDB's temporary files.
const spill = ".spill"

// Open opens a file read-only. It fails with the errors of inspect.OpenSession, and with dbfile.ErrOlder
// for a file that the next pull must migrate. The caller closes the source.
func Open(ctx context.Context, opts Options) (*Source, error) {
	opts.Name = cmp.Or(opts.Name, opts.Path)
	opts.Memory = cmp.Or(opts.Memory, DefaultMemory)
	read := inspect.ReadOptions{MemoryLimit: fmt.Sprint(opts.Memory, "B"), Threads: min(maxThreads, runtime.NumCPU())}
	if opts.Staging != "" {
		folder, err := filepath.Abs(opts.Staging)
		if err != nil {
			return nil, err
		}
		opts.Staging, read.WritableFolder, read.TempFolder = folder, folder, filepath.Join(folder, spill)
		if err := os.MkdirAll(read.TempFolder, 0o700); err != nil {
			return nil, err
		}
	}
	session, err := inspect.OpenSession(ctx, opts.Path, read)
	if err != nil {
		return nil, renamed(err, opts)
	}
	s := &Source{session: session, opts: opts}
	if s.meta, err = inspect.ReadCurrentMeta(ctx, session.DB(), opts.Name); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes the file and removes its temporary files.
func (s *Source) Close() error {
	err := s.session.Close()
	if s.opts.Staging != "" {
		err = errors.Join(err, os.RemoveAll(filepath.Join(s.opts.Staging, spill)))
	}
	return err
}

// renamed replaces the path in an error by the name that the user gave.
func renamed(err error, opts Options) error {
	var file *model.FileError
	if errors.As(err, &file) && file.Path != "" {
		file.Path = opts.Name
	}
	return err
}

// failed explains the failure of a statement.
func (s *Source) failed(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	err = renamed(dbfile.Translate(s.opts.Path, err), s.opts)
	if errors.Is(err, dbfile.ErrMemory) {
		return fmt.Errorf("%w; raise --memory-limit", err)
	}
	return err
}

// Meta identifies the API and the file.
type Meta struct {
	// Origin is the origin of the API. Lineage is a UUID that only this file and its copies have.
	Origin, Lineage string
}

// LineageKey is the key of the lineage in table meta.
const LineageKey = "lineage"

// Meta returns the file's origin and lineage.
func (s *Source) Meta() Meta { return Meta{Origin: s.meta["origin"], Lineage: s.meta[LineageKey]} }

// Checked returns the last batch that an export takes: the closing check has removed second copies of ids
// up to it. It is 0 before the first closing check.
func (s *Source) Checked(context.Context) (int64, error) {
	text, ok := s.meta[inspect.CheckedKey]
	if !ok {
		return 0, nil
	}
	batch, err := strconv.ParseInt(text, 10, 64)
	if err != nil || batch < 0 {
		return 0, &model.FileError{Kind: dbfile.ErrDamaged, Path: s.opts.Name, Detail: fmt.Sprintf("%s is %q in table meta", inspect.CheckedKey, text)}
	}
	return batch, nil
}
