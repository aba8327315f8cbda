package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/failpoint"
	"datasync/internal/human"
	"datasync/internal/model"
)

// CommitBatch stores the batch's events, rejects, page log and checkpoint in one
// transaction. If it fails, nothing of the batch is stored. A failure of COMMIT itself leaves
// open whether all or nothing is stored: the caller must then close the store, open it again
// and read the checkpoint. It must not be called again after an error.
func (s *Store) CommitBatch(ctx context.Context, b model.Batch) (model.Committed, error) {
	return s.StartBatch(ctx, b)()
}

// StartBatch starts the work of CommitBatch and returns at once if fewer than model.Writers batches
// are under way; wait returns when the batch is committed or has failed.
//
// Batches are committed in the order in which they were started, and none after one that
// failed. A batch that is refused, because ctx has ended or it is too large, was never started.
// Two batches do most of their work at the same time if both are whole row groups that have
// nothing in common. One goroutine calls StartBatch at a time.
func (s *Store) StartBatch(ctx context.Context, b model.Batch) (wait func() (model.Committed, error)) {
	err := ctx.Err()
	if events, rejects := b.Size(); max(events, rejects) > model.MaxRows {
		err = fmt.Errorf("commit a batch: %s and %s are more than %s", human.Counted(int64(events), "event"), human.Counted(int64(rejects), "reject"), human.Thousands(int64(model.MaxRows)))
	}
	if err != nil {
		return func() (model.Committed, error) { return model.Committed{}, err }
	}
	w := <-s.batches.idle
	texts := textsOf(&b)
	q := queue(&b, texts, s.batches.latest)
	s.batches.latest = q.started
	s.batches.begun++
	c := &commit{w: w, batch: s.batches.begun, now: model.InstantOf(time.Now()), keysBefore: q.keysBefore(), reasons: map[string]int64{}}
	if s.tally != nil {
		c.tally = s.tally()
	}
	admitted := make(chan struct{})
	go func() {
		defer close(q.ended)
		// Close and Snapshot wait for a batch from the moment at which StartBatch returns.
		s.writeGate.RLock()
		defer s.writeGate.RUnlock()
		close(admitted)
		q.done, q.err = s.commitInOrder(c, &b, texts, &q)
		s.wrote(q.err)
		s.batches.idle <- w
	}()
	<-admitted
	return func() (model.Committed, error) {
		<-q.ended
		return q.done, q.err
	}
}

// commitInOrder writes a batch after the one before it, or concurrently, and commits it after
// that one.
func (s *Store) commitInOrder(c *commit, b *model.Batch, t texts, q *queued) (model.Committed, error) {
	if err := q.waitToWrite(); err != nil {
		return model.Committed{}, err
	}
	if err := s.inPlace(); err != nil {
		return model.Committed{}, err
	}
	failpoint.Hit("f4")
	if _, err := c.w.exec("BEGIN TRANSACTION"); err != nil {
		return model.Committed{}, dbfile.Translate(s.path, err)
	}
	failpoint.Hit("f5")
	err := s.memory.reserve(c.w, t)
	if err == nil {
		err = c.write(b, q.letNextWrite)
	}
	if errBefore := q.waitToCommit(); err == nil {
		err = errBefore
	}
	if err == nil {
		err = c.writeFacts(&b.Facts, b.Run)
	}
	if err != nil {
		_, errRollback := c.w.exec("ROLLBACK")
		return model.Committed{}, dbfile.Translate(s.path, errors.Join(err, errRollback))
	}
	failpoint.Hit("f8")
	failpoint.Soon("f9")
	if _, err := c.w.exec("COMMIT"); err != nil {
		return model.Committed{}, dbfile.Translate(s.path, err)
	}
	// DuckDB syncs its log, but not the folder, in which the log got its name with the first
	// commit after a checkpoint.
	if err := dbfile.SyncFolder(filepath.Dir(s.path)); err != nil {
		return model.Committed{}, dbfile.Translate(s.path, err)
	}
	failpoint.Hit("f10")
	s.batch = c.batch
	if c.tally != nil {
		c.tally.Committed(c.batch)
	}
	done := model.Committed{Batch: c.batch, Reasons: c.reasons}
	for i := range c.pages {
		done.Add(c.pages[i].counts)
	}
	return done, nil
}
