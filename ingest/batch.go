package ingest

import (
	"context"
	"database/sql"
	"time"

	"datasync/internal/store"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// batchAge is how long a batch is collected before it is committed, if the cursor that
// its checkpoint will hold lives for long enough.
const batchAge = time.Second

// maxBatchBytes is how much text of pages a batch holds on to.
const maxBatchBytes = 48 << 20

// batcher collects pages into batches, and commits one while it collects the next.
type batcher struct {
	store    Store
	runID    uuid.UUID
	summary  *Summary
	progress *Progress
	// unordered is called where events do not come in their order.
	unordered func()

	// checkpoint is where the walk stands behind the last page that is wholly in a batch.
	checkpoint store.Checkpoint
	next       batch
	// rest is what did not fit into the batch any more.
	rest *walked
	due  *time.Timer // for what is collected
}

// batch is what is collected for one commit.
type batch struct {
	pages           []store.Page
	events, rejects int
	bytes           int
	// overdue says that it is to be committed though it is not full.
	overdue bool
}

// run takes pages until there are no more and all is committed.
func (b *batcher) run(ctx context.Context, pages <-chan walked) error {
	full := make(chan store.Batch)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(full)
		b.collect(ctx, pages, full)
		return nil
	})
	group.Go(func() error {
		for next := range full {
			if err := b.commit(ctx, next); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// collect makes batches of pages until there are no more, or until ctx ends because one
// could not be committed. While a batch is being committed it collects on: what is due
// then grows until it is full.
func (b *batcher) collect(ctx context.Context, pages <-chan walked, full chan<- store.Batch) {
	b.due = time.NewTimer(batchAge)
	defer b.due.Stop()
	for more := true; more || len(b.next.pages) > 0; {
		from, to := pages, full
		if b.full() || !more {
			from = nil
		} else if !b.next.overdue {
			to = nil
		}
		select {
		case p, ok := <-from:
			if more = ok; ok {
				b.add(&p)
			}
		case to <- store.Batch{Run: b.runID, Pages: b.next.pages, Checkpoint: b.checkpoint}:
			b.next = batch{}
			if p := b.rest; p != nil {
				b.rest = nil
				b.add(p)
			}
		case <-b.due.C:
			b.next.overdue = len(b.next.pages) > 0
		case <-ctx.Done():
			return
		}
	}
}

func (b *batcher) full() bool {
	return b.rest != nil || b.next.events == store.MaxRows || b.next.rejects == store.MaxRows
}

// add takes into the batch what fits of a page, and keeps the rest for the next ones:
// batches that are full to the row are stored much faster. A page that is
// committed in parts is so under the checkpoint before it: a kill between two of them
// reads it again.
func (b *batcher) add(p *walked) {
	if len(b.next.pages) == 0 {
		age := batchAge
		if p.page.cursorLife > 0 {
			age = min(age, p.page.cursorLife/4)
		}
		b.due.Reset(age)
	} else if b.next.bytes+p.bytes > maxBatchBytes {
		b.rest = p
		return
	}
	if p.unordered && !b.checkpoint.Unordered {
		b.checkpoint.Unordered = true
		b.unordered()
	}
	record := store.PageRecord{Endpoint: p.endpoint, RequestID: p.page.requestID, CursorSent: p.from.cursor, Resumed: p.resumed}
	if p.from.bounded {
		record.Until = sql.Null[store.Instant]{V: store.Instant(p.from.until * 1000), Valid: true}
	}
	events, rejects := p.page.events, p.page.rejects
	n, m := min(len(events), store.MaxRows-b.next.events), min(len(rejects), store.MaxRows-b.next.rejects)
	if n < len(events) || m < len(rejects) {
		b.take(store.Page{Record: record, Events: events[:n], Rejects: rejects[:m], Descending: p.page.descending}, p.bytes)
		p.page.events, p.page.rejects = events[n:], rejects[m:]
		b.rest = p
		return
	}
	if !p.last {
		record.CursorReceived = p.page.nextCursor
	}
	record.Outside = p.outside
	b.take(store.Page{Record: record, Events: events, Rejects: rejects, Descending: p.page.descending}, p.bytes)
	b.summary.Pages[p.endpoint]++
	if !p.held {
		b.advance(p)
	}
	b.progress.page(b.checkpoint, p.page.elements)
}

func (b *batcher) take(p store.Page, bytes int) {
	b.next.pages = append(b.next.pages, p)
	b.next.events += len(p.Events)
	b.next.rejects += len(p.Rejects)
	b.next.bytes += bytes
	b.checkpoint.Pages++
	b.checkpoint.Events += int64(len(p.Events))
}

// advance moves the checkpoint behind the page.
func (b *batcher) advance(p *walked) {
	k := &b.checkpoint
	if p.from == (ask{}) {
		// The walk is, or is again, at the top of the window: between what it reads
		// now and what it had read before, there may be a gap.
		k.Total, k.Walked = p.page.total, 0
		k.Upper, k.Last = sql.Null[store.Instant]{}, sql.Null[store.Position]{}
	}
	k.State, k.Cursor, k.CursorExpiresAt = store.UnderWay, p.page.nextCursor, time.Time{}
	if p.page.cursorLife > 0 {
		k.CursorExpiresAt = p.received.Add(p.page.cursorLife)
	}
	if p.last {
		k.State, k.Cursor, k.CursorExpiresAt = store.Done, "", time.Time{}
	}
	k.Walked += int64(p.page.elements)
	for i := range p.page.events {
		at := p.page.events[i].Position()
		if !k.Upper.Valid || at.Timestamp > k.Upper.V {
			k.Upper = sql.Null[store.Instant]{V: at.Timestamp, Valid: true}
		}
		if !k.Last.Valid || at.Compare(k.Last.V) < 0 {
			k.Last = sql.Null[store.Position]{V: at, Valid: true}
		}
	}
}

func (b *batcher) commit(ctx context.Context, next store.Batch) error {
	began := time.Now()
	done, err := b.store.CommitBatch(ctx, next)
	b.summary.Writing += time.Since(began)
	if err != nil {
		return err
	}
	b.summary.Add(done.Counts)
	for reason, n := range done.Reasons {
		b.summary.Reasons[reason] += n
	}
	return nil
}
