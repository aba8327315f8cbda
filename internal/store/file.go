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

// Store is a database file that is open for writing. Its methods may be called
// from one goroutine at a time, but for SetNotBefore, Snapshot, Changes and Status,
// which may be called from any.
type Store struct {
	path    string
	version string
	file    os.FileInfo // as it was opened
	lock    *dbfile.Lock
	db      *sql.DB
	// writer is the first of the writers that batches share; all but batches use it alone.
	writer  *writer
	writers []*writer
	idle    chan *writer // those that no batch has
	// beside is held by what writes beside batches: two that change one row would fail.
	beside sync.Mutex
	// gate is shared by batches, which order themselves, and by what writes beside them, and
	// held by whatever else writes, and between two writes by Snapshot and Status: a
	// transaction that reads would keep DuckDB from the checkpoint of a commit, too. It
	// guards what follows.
	gate   sync.RWMutex
	batch  int64       // the last one committed
	failed atomic.Bool // something was not written: nobody knows what the file holds now
	// removed is how many events of a batch that was not committed were found and removed.
	removed int64
	// implausible and forgotten are waits that were dropped when it was opened.
	implausible, forgotten []inspect.Wait
	// begun is the number of the batch that was started last, and latest what became of it.
	begun  int64
	latest *flight
	// changes counts what was written.
	changes atomic.Int64
	// free says how many bytes a folder's file system has left.
	free   func(folder string) (int64, error)
	memory memory
	// search bounds what the closing check keeps.
	search searchLimits
}

// write keeps Snapshot and Status off until the function that it returns is called, with
// the error of what was written in *err.
func (s *Store) write(err *error) (done func()) {
	s.gate.Lock()
	return func() {
		s.wrote(*err)
		s.gate.Unlock()
	}
}

// wrote notes that something was written, or not.
func (s *Store) wrote(err error) {
	s.changes.Add(1)
	if err != nil {
		s.failed.Store(true)
	}
}

// inPlace fails where the path does not lead any more to the file that is open: what is
// written to that would be gone, or lie elsewhere.
func (s *Store) inPlace() error {
	if now, err := os.Stat(s.path); err == nil && os.SameFile(s.file, now) {
		return nil
	}
	return &model.FileError{Kind: dbfile.ErrMissing, Path: s.path, Detail: "it was removed, renamed or replaced while the pull wrote to it",
		Hint: "put it back with its .wal file, if there is one, and run the command again"}
}

// Path returns the file's absolute path.
func (s *Store) Path() string { return s.path }

// inTransaction runs do in a transaction of its own, beside those of the batches, for
// which it does not wait: a wait that was asked for must not be lost.
func (s *Store) inTransaction(ctx context.Context, do func(*sql.Tx) error) (err error) {
	s.beside.Lock()
	s.gate.RLock()
	defer func() {
		s.wrote(err)
		s.gate.RUnlock()
		s.beside.Unlock()
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
