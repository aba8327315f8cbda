package store

import (
	"context"
	"database/sql"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// Read calls do with the file while the pull goes on: commits do not wait for it. do must be short and only read.
func (s *Store) Read(ctx context.Context, do func(ctx context.Context, db *sql.DB) error) error {
	s.concurrent.Lock()
	defer s.concurrent.Unlock()
	s.writeGate.RLock()
	defer s.writeGate.RUnlock()
	if s.db == nil || s.failed.Load() {
		return &model.FileError{Path: s.path, Detail: "the pull has ended"}
	}
	return dbfile.Translate(s.path, do(context.WithoutCancel(ctx), s.db)) // as in Status
}

// Status returns the status of the file between two commits, and up to n rejects of each reason.
// Commits wait for it.
func (s *Store) Status(ctx context.Context, n int) (status inspect.Status, samples []inspect.RejectSample, err error) {
	s.writeGate.Lock()
	defer s.writeGate.Unlock()
	if s.db == nil {
		return inspect.Status{}, nil, &model.FileError{Path: s.path, Detail: "the pull has ended"}
	}
	// database/sql ends a cancelled query some time later. A commit or Close could come first, and
	// could not replay the log while a transaction is open.
	ctx = context.WithoutCancel(ctx)
	if status, err = inspect.ReadLiveStatus(ctx, s.db, s.path, time.Now()); err != nil {
		return inspect.Status{}, nil, err
	}
	samples, err = inspect.RejectSamples(ctx, s.db, n)
	return status, samples, dbfile.Translate(s.path, err)
}
