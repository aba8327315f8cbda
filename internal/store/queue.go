package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"datasync/internal/model"
)

// concurrentRejects is how many rejects a batch may have that is written concurrently.
const concurrentRejects = 5000

// batchQueue has the batches that were started. Only StartBatch and Open use it.
type batchQueue struct {
	idle   chan *writer // those that no batch has
	begun  int64        // the number of the batch that was started last
	latest *started     // that batch, or nil
}

// started is a batch that was started.
type started struct {
	// lowest is the position of the last event if the next batch may be written concurrently,
	// and keys are those of its rejects; free is closed once it may begin.
	lowest sql.Null[model.Position]
	keys   map[string]bool
	free   chan struct{}
	// ended is closed once the batch is committed, or certain not to be; done and err are
	// valid from then on.
	ended chan struct{}
	done  model.Committed
	err   error
}

// queued is a batch that was started, and its place in the order of batches.
type queued struct {
	*started
	before *started // nil for the first batch
	// concurrent says that the batch is written while the one before it is.
	concurrent bool
}

// queue puts a batch after the one before it.
func queue(b *model.Batch, t texts, before *started) queued {
	q := queued{started: &started{free: make(chan struct{}), ended: make(chan struct{})}, before: before}
	if !mayBeConcurrent(b, t) {
		return q
	}
	first, last := b.Pages[0].Events, b.Pages[len(b.Pages)-1].Events
	q.lowest, q.keys = sql.Null[model.Position]{V: last[len(last)-1].Position(), Valid: true}, rejectKeys(b)
	q.concurrent = before != nil && before.lowest.Valid && first[0].Position().Compare(before.lowest.V) < 0
	return q
}

// keysBefore returns the keys of the rejects of the batch before, if that may not be stored yet.
func (q *queued) keysBefore() map[string]bool {
	if !q.concurrent {
		return nil
	}
	return q.before.keys
}

// waitToWrite waits until the batch may be written. It fails if the batch before it did.
func (q *queued) waitToWrite() error {
	if q.before == nil {
		return nil
	}
	if !q.concurrent {
		return q.waitToCommit()
	}
	select {
	case <-q.before.free:
	case <-q.before.ended:
	}
	return nil
}

// letNextWrite lets the next batch be written, if it may be concurrently.
func (q *queued) letNextWrite() {
	if q.lowest.Valid {
		close(q.free)
	}
}

// waitToCommit waits until the batch before has ended. It fails if that one did.
func (q *queued) waitToCommit() error {
	if q.before == nil {
		return nil
	}
	<-q.before.ended
	if q.before.err != nil {
		return notAfter(q.before.err)
	}
	return nil
}

// mayBeConcurrent reports whether the batch may be written at the same time as another one. It must
// be a whole row group, of which the log has only a reference: DuckDB replays the log into the file
// only while no other transaction writes. Its events must descend, and its rejects must be few.
func mayBeConcurrent(b *model.Batch, t texts) bool {
	events, rejects := b.Size()
	return events == model.MaxRows && rejects <= concurrentRejects && t.long == 0 && t.all <= concurrentBytes && descending(b.Pages) &&
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

// errBefore is the error of a batch that was not tried.
var errBefore = errors.New("the batch before this one was not stored")

// notAfter returns the error of a batch after one that failed with err.
func notAfter(err error) error {
	if errors.Is(err, errBefore) {
		return err
	}
	return fmt.Errorf("%w: %w", errBefore, err)
}
