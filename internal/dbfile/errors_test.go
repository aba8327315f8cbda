package dbfile_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/dbfile"
	"datasync/internal/model"
)

// TestTranslate: the driver's and the system's errors about a file, verbatim.
func TestTranslate(t *testing.T) {
	of := func(err error) error { return &fs.PathError{Op: "open", Path: "a.duckdb.lock", Err: err} }
	for _, tc := range []struct {
		err  error
		kind error
	}{
		{errors.New(`IO Error: Could not set lock on file "a.duckdb": Conflicting lock is held in x (PID 7)`), dbfile.ErrLocked},
		{errors.New(`IO Error: Could not write file "a.duckdb": No space left on device`), dbfile.ErrFull},
		{errors.New("Out of Memory Error: failed to offload data block of size 128.0 KiB"), dbfile.ErrFull},
		{errors.New("Out of Memory Error: Allocation failure"), dbfile.ErrMemory},
		{of(syscall.EACCES), dbfile.ErrAccess},
		{of(syscall.EROFS), dbfile.ErrAccess},
		{errors.New(`IO Error: Cannot open file "a.duckdb": Permission denied`), dbfile.ErrAccess},
		{errors.New(`IO Error: Cannot open file "a.duckdb": Read-only file system`), dbfile.ErrAccess},
		{of(syscall.EMFILE), dbfile.ErrLimit},
		{errors.New(`IO Error: Could not write file "a.duckdb": File too large`), dbfile.ErrLimit},
		{errors.New(`IO Error: Could not write file "a.duckdb": Input/output error`), nil},
		{errors.New("FATAL Error: fsync failed!"), nil},
		{of(syscall.EIO), nil},
		{errors.New(`IO Error: Failure while replaying WAL file "a.duckdb.wal": Corrupt WAL file`), dbfile.ErrLog},
		{errors.New("IO Error: Corrupt database file: computed checksum 1 does not match"), dbfile.ErrDamaged},
		{errors.New("IO Error: Trying to read a database file with version number 69"), dbfile.ErrNewer},
	} {
		err := dbfile.Translate("a.duckdb", tc.err)
		var e *model.FileError
		if tc.kind != nil && !errors.Is(err, tc.kind) || !errors.As(err, &e) || e.Hint == "" || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %v and a hint", err, tc.kind)
		}
		if errors.Is(err, dbfile.ErrLog) != errors.Is(tc.kind, dbfile.ErrLog) {
			t.Errorf("%v is one of the log", err)
		}
	}
	if err := dbfile.Translate("a.duckdb", of(os.ErrPermission)); !errors.Is(err, dbfile.ErrAccess) || !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if err := dbfile.Translate("a.duckdb", errors.New("INTERRUPT Error: Interrupted!")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
