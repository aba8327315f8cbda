package inspect

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"strings"

	"datasync/internal/dbfile"
	"datasync/internal/duck"
	"datasync/internal/model"
)

// ReadOptions says how a file is opened for reading.
type ReadOptions struct {
	// Timezone is that in which times show and days begin, an IANA name; empty is UTC.
	Timezone string
	// Writable are files, and WritableFolder is a folder, that statements may write, as
	// absolute paths; TempFolder is where what does not fit into memory may go. Without
	// them nothing on disk is written.
	Writable                   []string
	WritableFolder, TempFolder string
	// MemoryLimit bounds DuckDB's buffers, as DuckDB writes sizes; empty leaves its default.
	MemoryLimit string
}

// OpenReadOnly opens the file for reading and for nothing else: no writing, no
// other file, no network, no change of settings. All times show in timezone, an
// IANA name. The caller closes it.
func OpenReadOnly(ctx context.Context, name, timezone string) (*sql.DB, error) {
	_, db, err := openToRead(ctx, name, ReadOptions{Timezone: timezone}, func(string) error { return nil })
	return db, err
}

// openToRead also returns the file's absolute path. It calls prepare with it while
// settings can still be changed.
func openToRead(ctx context.Context, name string, opts ReadOptions, prepare func(path string) error) (string, *sql.DB, error) {
	path, exists, err := dbfile.Resolve(name)
	if err != nil {
		return "", nil, err
	}
	if !exists {
		return "", nil, dbfile.Missing(name)
	}
	if err := dbfile.CheckHeader(path); err != nil {
		return "", nil, whyUnreadable(path, err)
	}
	db, err := dbfile.WithLockRetry(ctx, path, func() (*sql.DB, error) { return duck.OpenInstance(ctx, path, duck.ReadOnlyUntilRestricted()) })
	if err != nil {
		return "", nil, whyUnreadable(path, err)
	}
	_, errMeta := CheckMeta(ctx, db, path, "")
	if err := errors.Join(restrict(ctx, db, opts), errMeta, prepare(path), duck.LockDown(ctx, db, cmp.Or(opts.Timezone, "UTC"))); err != nil {
		return "", nil, errors.Join(dbfile.Translate(path, err), db.Close())
	}
	return path, db, nil
}

// restrict keeps an instance from all files but its own and those of the options.
// Without a folder for it, it keeps nothing else on disk, not even for a moment: a
// query that needs more memory than there is fails.
func restrict(ctx context.Context, db *sql.DB, opts ReadOptions) error {
	statements := []string{"SET GLOBAL temp_directory = " + duck.Quote(opts.TempFolder)}
	if opts.MemoryLimit != "" {
		statements = append(statements, "SET GLOBAL memory_limit = "+duck.Quote(opts.MemoryLimit))
	}
	if len(opts.Writable) > 0 {
		quoted := make([]string, len(opts.Writable))
		for i, path := range opts.Writable {
			quoted[i] = duck.Quote(path)
		}
		statements = append(statements, "SET GLOBAL allowed_paths = ["+strings.Join(quoted, ", ")+"]")
	}
	if opts.WritableFolder != "" {
		statements = append(statements, "SET GLOBAL allowed_directories = ["+duck.Quote(opts.WritableFolder)+"]")
	}
	statements = append(statements, "SET GLOBAL enable_external_access = false")
	if opts.TempFolder == "" && opts.WritableFolder == "" && len(opts.Writable) == 0 {
		// DuckDB still lets statements write the log of the file that it has open.
		statements = append(statements, "SET GLOBAL disabled_filesystems = 'LocalFileSystem'")
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// whyUnreadable says why a file could not be opened to read: err, unless it has gone in
// the meantime, or its write-ahead log is in the way.
func whyUnreadable(path string, err error) error {
	if _, errFile := os.Lstat(path); errors.Is(errFile, fs.ErrNotExist) {
		return dbfile.Missing(path)
	}
	var e *model.FileError
	if !errors.As(err, &e) || errors.Is(err, dbfile.ErrLocked) || errors.Is(err, dbfile.ErrForeign) || errors.Is(err, dbfile.ErrBeside) || errors.Is(err, dbfile.ErrNewer) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	if _, errLog := os.Lstat(path + ".wal"); errLog != nil {
		return err
	}
	return &model.FileError{Kind: dbfile.ErrUnreplayed, Path: path, Cause: e.Cause, Hint: "run datasync status --recover"}
}
