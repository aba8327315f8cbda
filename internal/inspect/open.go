package inspect

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"datasync/internal/dbfile"
	"datasync/internal/duck"
	"datasync/internal/model"
)

// ReadOptions says how a file is opened for reading.
type ReadOptions struct {
	// Timezone is an IANA name: times are printed and days begin in it. "" is UTC.
	Timezone string
	// Writable are files that statements may write, and WritableFolder is a folder, as absolute
	// paths. DuckDB spills to TempFolder. If all of them are empty, nothing is written to disk.
	Writable                   []string
	WritableFolder, TempFolder string
	// MemoryLimit bounds DuckDB's buffers, in DuckDB's syntax, such as "1GB"; "" leaves its default.
	MemoryLimit string
	// Threads is how many threads a statement has at most; 0 leaves DuckDB's default.
	Threads int
}

// OpenReadOnly opens the file of that name in a sandbox: statements cannot write, open another
// file, use the network or change settings. All times are printed in timezone, an IANA name. The
// caller closes the database. It fails with dbfile.ErrPath, dbfile.ErrMissing, dbfile.ErrZone,
// dbfile.ErrUnreplayed or the errors of CheckMeta.
func OpenReadOnly(ctx context.Context, name, timezone string) (*sql.DB, error) {
	_, db, err := openToRead(ctx, name, ReadOptions{Timezone: timezone}, func(string) error { return nil })
	return db, err
}

// openToRead is OpenReadOnly with options, and returns the file's absolute path. It calls prepare
// with the path while settings can still be changed.
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

// restrict keeps an instance from all files but its own and those of the options. Without a
// TempFolder DuckDB spills nothing: a query that needs more memory than there is fails.
func restrict(ctx context.Context, db *sql.DB, opts ReadOptions) error {
	statements := []string{"SET GLOBAL temp_directory = " + duck.Quote(opts.TempFolder)}
	if opts.MemoryLimit != "" {
		statements = append(statements, "SET GLOBAL memory_limit = "+duck.Quote(opts.MemoryLimit))
	}
	if opts.Threads > 0 {
		statements = append(statements, fmt.Sprint("SET GLOBAL threads = ", opts.Threads))
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
		// Without this DuckDB lets statements write the log of the open file.
		statements = append(statements, "SET GLOBAL disabled_filesystems = 'LocalFileSystem'")
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// whyUnreadable returns why a file could not be opened for reading: err, unless the file was
// removed in the meantime, or its write-ahead log must be replayed first.
func whyUnreadable(path string, err error) error {
	if _, errFile := os.Lstat(path); errors.Is(errFile, fs.ErrNotExist) {
		return dbfile.Missing(path)
	}
	var e *model.FileError
	if !errors.As(err, &e) || errors.Is(err, dbfile.ErrLocked) || errors.Is(err, dbfile.ErrForeign) || errors.Is(err, dbfile.ErrUntrustedNeighbour) || errors.Is(err, dbfile.ErrNewer) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	if _, errLog := os.Lstat(path + ".wal"); errLog != nil {
		return err
	}
	return &model.FileError{Kind: dbfile.ErrUnreplayed, Path: path, Cause: e.Cause, Hint: "run datasync status --recover"}
}
