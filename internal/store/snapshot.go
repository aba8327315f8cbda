package store

import (
	"context"
	"strings"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/model"
)

// Snapshot is a copy of the database file, which others can open while the pull goes
// on. Whoever asked for it removes it.
type Snapshot struct {
	// Path is a file beside the database, which nobody else can read.
	Path string
	// Batch is the last one that it holds, Events how many events it holds.
	Batch, Events int64
	// Change is what Changes returned when it was made.
	Change int64
}

const (
	// checkpointTries is how often a checkpoint is tried that something keeps off for a
	// moment, checkpointPause how long is waited in between.
	checkpointTries = 20
	checkpointPause = 10 * time.Millisecond
)

// Changes counts what was written to the file since it was opened. While it stays the
// same, a snapshot of the file does too.
func (s *Store) Changes() int64 { return s.changes.Load() }

// Snapshot makes a copy of the file between two commits, which wait for it: all that is
// committed is brought from the write-ahead log into the file, and another process
// copies that, as a second descriptor of it would cost this one DuckDB's lock. It fails
// with an *Error of kind ErrRoom where the disk has too little space left, before
// anything is copied, and of kind ErrLocked where the pull has failed or ended.
func (s *Store) Snapshot(ctx context.Context) (_ Snapshot, err error) {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.db == nil || s.failed.Load() {
		return Snapshot{}, &model.FileError{Kind: dbfile.ErrLocked, Path: s.path, Detail: "the pull that has it open is about to end", Hint: "try again in a moment"}
	}
	// A checkpoint for which there is no room would end the pull.
	log, err := dbfile.SizeOf(s.path + ".wal")
	if err != nil {
		return Snapshot{}, dbfile.Translate(s.path, err)
	}
	if err := s.room(log); err != nil {
		return Snapshot{}, err
	}
	if err := s.checkpoint(ctx); err != nil {
		return Snapshot{}, err
	}
	c := Snapshot{Batch: s.batch, Change: s.changes.Load(), Path: dbfile.NewSnapshot(s.path)}
	if c.Events, err = s.writer.count("SELECT count(*) FROM events"); err != nil {
		return Snapshot{}, dbfile.Translate(s.path, err)
	}
	return c, dbfile.CopyFile(ctx, s.path, c.Path, s.room)
}

// room fails with ErrRoom where the file's folder has no space for so many bytes and
// for some more of the pull's own.
func (s *Store) room(bytes int64) error { return dbfile.CheckRoom(s.path, bytes, s.free) }

// checkpoint brings all that is committed into the file. One that meets a transaction
// is tried again; any other failure is one of the file.
func (s *Store) checkpoint(ctx context.Context) error {
	for tries := 1; ; tries++ {
		_, err := s.writer.exec("CHECKPOINT")
		if err == nil {
			return nil
		}
		if !strings.Contains(err.Error(), "Cannot CHECKPOINT") {
			s.failed.Store(true)
			return dbfile.Translate(s.path, err)
		}
		if tries == checkpointTries {
			return &model.FileError{Kind: dbfile.ErrLocked, Path: s.path, Cause: err, Hint: "try again in a moment"}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(checkpointPause):
		}
	}
}
