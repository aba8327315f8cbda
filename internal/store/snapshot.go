package store

import (
	"context"
	"strings"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/model"
)

// Snapshot is a copy of the database file that other processes can open during the pull. The caller
// removes it.
type Snapshot struct {
	// Path is a file beside the database that only this user can read.
	Path string
	// Batch is the last one that it holds, Events how many events it holds.
	Batch, Events int64
	// Change is the value of Changes when the copy was made.
	Change int64
}

const (
	// checkpointTries is how often the store tries a checkpoint that a transaction blocks for a
	// moment. checkpointPause is the time between two tries.
	checkpointTries = 20
	checkpointPause = 10 * time.Millisecond
)

// Changes counts the writes to the file since it was opened. As long as it is the same, so is a
// snapshot.
func (s *Store) Changes() int64 { return s.changes.Load() }

// Snapshot makes a copy of the file between two commits, which wait for it. It writes the write-ahead
// log into the file, which another process then copies: this one would lose DuckDB's lock with a
// second descriptor. It fails with dbfile.ErrNoRoomForCopy, before it copies anything, if the disk has too
// little space, and with dbfile.ErrLocked if the pull has failed or ended.
func (s *Store) Snapshot(ctx context.Context) (_ Snapshot, err error) {
	s.writeGate.Lock()
	defer s.writeGate.Unlock()
	if s.db == nil || s.failed.Load() {
		return Snapshot{}, &model.FileError{Kind: dbfile.ErrLocked, Path: s.path, Detail: "the pull that has it open is about to end", Hint: "try again in a moment"}
	}
	// A checkpoint without enough disk space would end the pull.
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

// room fails with dbfile.ErrNoRoomForCopy if the file's folder has too little space for that many bytes and some
// more that the pull needs.
func (s *Store) room(bytes int64) error { return dbfile.CheckRoom(s.path, bytes, s.free) }

// checkpoint writes the log into the file. It retries a checkpoint that meets a transaction; after any
// other failure the pull must end.
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
