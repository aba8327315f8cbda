package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"datasync/internal/failpoint"
	"datasync/internal/model"
)

// besideBytes is how much text a batch may have that is written beside another one: what
// both of them need must fit into a pull's memory.
const besideBytes = 24 << 20

// besideRejects is how many rejects such a batch may have.
const besideRejects = 5000

// flight is a batch that was started.
type flight struct {
	// lowest is the position of its last event, where the next batch might be written
	// beside it; free is closed once that is certain.
	lowest sql.Null[model.Position]
	keys   map[string]bool // of its rejects
	free   chan struct{}
	// ended is closed once it is committed, or certain not to be; what follows holds then.
	ended chan struct{}
	done  model.Committed
	err   error
}

// StartBatch begins what CommitBatch does and returns at once, where fewer than Writers
// batches are under way; wait waits for the end of it. Batches are committed in the order
// in which they were started, and none is after one that failed; one that is refused, as
// ctx has ended or it is too large, was never started. Most of the work of two
// of them is done at the same time where they are whole row groups that have nothing in
// common. It is called by one goroutine at a time.
func (s *Store) StartBatch(ctx context.Context, b model.Batch) (wait func() (model.Committed, error)) {
	err := ctx.Err()
	if events, rejects := b.Size(); max(events, rejects) > model.MaxRows {
		err = fmt.Errorf("commit a batch: %d events and %d rejects are more than %d", events, rejects, model.MaxRows)
	}
	if err != nil {
		return func() (model.Committed, error) { return model.Committed{}, err }
	}
	s.turn.RLock()
	s.begun++
	c := &commit{s: s, w: <-s.idle, batch: s.begun, now: model.InstantOf(time.Now()), reasons: map[string]int64{}}
	f, before := &flight{free: make(chan struct{}), ended: make(chan struct{})}, s.latest
	s.latest = f
	beside, texts := false, textsOf(&b)
	if fitsBeside(&b, texts) {
		first, last := b.Pages[0].Events, b.Pages[len(b.Pages)-1].Events
		f.lowest, f.keys = sql.Null[model.Position]{V: last[len(last)-1].Position(), Valid: true}, rejectKeys(&b)
		if beside = before != nil && before.lowest.Valid && first[0].Position().Compare(before.lowest.V) < 0; beside {
			c.keysBefore = before.keys
		}
	}
	go func() {
		defer close(f.ended)
		f.done, f.err = c.inOrder(&b, texts, f, before, beside)
		s.wrote(f.err)
		s.idle <- c.w
		s.turn.RUnlock()
	}()
	return func() (model.Committed, error) {
		<-f.ended
		return f.done, f.err
	}
}

// fitsBeside reports whether the batch may be written at the same time as another one: it
// is a whole row group, which leaves no more in the log than its name (DuckDB writes the
// log into the file only where no other transaction writes), its events descend, and the
// keys of its rejects are few.
func fitsBeside(b *model.Batch, t texts) bool {
	events, rejects := b.Size()
	return events == model.MaxRows && rejects <= besideRejects && t.long == 0 && t.all <= besideBytes && descending(b.Pages) &&
		len(b.Pages[0].Events) > 0 && len(b.Pages[len(b.Pages)-1].Events) > 0
}

func rejectKeys(b *model.Batch) map[string]bool {
	keys := map[string]bool{}
	for i := range b.Pages {
		for j := range b.Pages[i].Rejects {
			keys[strings.Clone(b.Pages[i].Rejects[j].Key)] = true
		}
	}
	return keys
}

// errBefore says why a batch was not tried.
var errBefore = errors.New("the batch before this one was not stored")

// notAfter is the error of a batch after one that failed: it has the same cause.
func notAfter(err error) error {
	if errors.Is(err, errBefore) {
		return err
	}
	return fmt.Errorf("%w: %w", errBefore, err)
}

// inOrder writes and commits a batch after the one before it, or beside it.
func (c *commit) inOrder(b *model.Batch, t texts, f, before *flight, beside bool) (model.Committed, error) {
	if before != nil {
		if beside {
			select {
			case <-before.free:
			case <-before.ended:
			}
		} else if <-before.ended; before.err != nil {
			return model.Committed{}, notAfter(before.err)
		}
	}
	if err := c.s.inPlace(); err != nil {
		return model.Committed{}, err
	}
	failpoint.Hit("f4")
	if _, err := c.w.exec("BEGIN TRANSACTION"); err != nil {
		return model.Committed{}, translate(c.s.path, err)
	}
	failpoint.Hit("f5")
	err := c.makeRoom(t)
	if err == nil {
		err = c.write(b, func() {
			if f.lowest.Valid {
				close(f.free)
			}
		})
	}
	if before != nil {
		if <-before.ended; before.err != nil && err == nil {
			err = notAfter(before.err)
		}
	}
	if err != nil {
		_, errRollback := c.w.exec("ROLLBACK")
		return model.Committed{}, translate(c.s.path, errors.Join(err, errRollback))
	}
	failpoint.Hit("f8")
	failpoint.Soon("f9")
	if _, err := c.w.exec("COMMIT"); err != nil {
		return model.Committed{}, translate(c.s.path, err)
	}
	// DuckDB syncs its log, but not the folder, in which that got its name with the first
	// commit after a checkpoint.
	if err := syncFolder(filepath.Dir(c.s.path)); err != nil {
		return model.Committed{}, translate(c.s.path, err)
	}
	failpoint.Hit("f10")
	c.s.batch = c.batch
	done := model.Committed{Batch: c.batch, Reasons: c.reasons}
	for i := range c.pages {
		done.Add(c.pages[i].counts)
	}
	return done, nil
}
