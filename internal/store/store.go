package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// Store is a database file that is open for writing. Its methods may be called from one goroutine
// at a time, except for SetNotBefore, Snapshot, Changes, Status and Read, which may be called from any.
type Store struct {
	path    string
	version string
	lock    *dbfile.Lock // nil in the store of a Preflight
	db      *sql.DB
	opened  opened
	// writer is the first of the writers. Batches take any that is idle; all else uses this one.
	writer  *writer
	writers []*writer
	batches batchQueue
	// concurrent is held by transactions that run concurrently with batches: two of them that
	// change one row would fail.
	concurrent sync.Mutex
	// writeGate is the write gate. Batches, which order themselves, and concurrent transactions share
	// it. All other writes hold it alone, as do Snapshot and Status: a transaction that reads
	// keeps DuckDB from the checkpoint of a commit too. It guards batch, and db until Close.
	writeGate sync.RWMutex
	batch     int64       // the last one committed
	failed    atomic.Bool // a write failed, and the file's contents are unknown
	// changes counts writes.
	changes atomic.Int64
	memory  memory
	// search limits the closing check.
	search searchLimits
	// free returns how many bytes a folder's file system has left.
	free func(folder string) (int64, error)
	// tally is that of the options.
	tally func() model.Tally
}

// opened has the findings of Open.
type opened struct {
	file os.FileInfo
	// batch is the last batch that the file had.
	batch int64
	// removed is how many events of an uncommitted batch Open removed.
	removed int64
	// implausible and forgotten are waits that Open dropped.
	implausible, forgotten []inspect.Wait
}

// write keeps all others from the file until the returned function is called, with the error of the
// write in *err.
func (s *Store) write(err *error) (done func()) {
	s.writeGate.Lock()
	return func() {
		s.wrote(*err)
		s.writeGate.Unlock()
	}
}

// wrote records that a write ended.
func (s *Store) wrote(err error) {
	s.changes.Add(1)
	if err != nil {
		s.failed.Store(true)
	}
}

// inPlace fails with dbfile.ErrMissing if the path is not the path of the open file any more: all
// later writes would be lost.
func (s *Store) inPlace() error {
	if now, err := os.Stat(s.path); err == nil && os.SameFile(s.opened.file, now) {
		return nil
	}
	return &model.FileError{Kind: dbfile.ErrMissing, Path: s.path, Detail: "it was removed, renamed or replaced while the pull wrote to it",
		Hint: "put it back with its .wal file, if there is one, and run the command again"}
}

// Path returns the file's absolute path.
func (s *Store) Path() string { return s.path }

// inTransaction runs do in a transaction concurrently with batches. It does not wait for them, so
// that a wait that an endpoint asked for is stored at once.
func (s *Store) inTransaction(ctx context.Context, do func(*sql.Tx) error) (err error) {
	s.concurrent.Lock()
	s.writeGate.RLock()
	defer func() {
		s.wrote(err)
		s.writeGate.RUnlock()
		s.concurrent.Unlock()
	}()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return dbfile.Translate(s.path, err)
	}
	if err := do(tx); err != nil {
		return dbfile.Translate(s.path, errors.Join(err, tx.Rollback()))
	}
	return dbfile.Translate(s.path, tx.Commit())
}
