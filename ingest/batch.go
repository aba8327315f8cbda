package ingest

import (
	"context"
	"database/sql"
	"time"

	"datasync/internal/store"

	"github.com/google/uuid"
)

// batchAge is how long a batch is collected before it is committed, if the cursor that
// its checkpoint will hold lives for long enough.
const batchAge = time.Second

// maxBatchBytes is how much text of pages a batch holds on to.
const maxBatchBytes = 64 << 20

// batcher collects pages and commits them.
type batcher struct {
	store      Store
	runID      uuid.UUID
	checkpoint store.Checkpoint
	summary    *Summary
	progress   *Progress
	// unordered is called where events do not come in their order.
	unordered func()

	pending []store.Page
	rows    int
	bytes   int
	due     *time.Timer // for what is pending
}

func (b *batcher) run(ctx context.Context, pages <-chan walked) error {
	b.due = time.NewTimer(batchAge)
	defer b.due.Stop()
	for {
		select {
		case p, ok := <-pages:
			if !ok {
				return b.commit(ctx)
			}
			if err := b.add(ctx, p); err != nil {
				return err
			}
		case <-b.due.C:
			if err := b.commit(ctx); err != nil {
				return err
			}
		}
	}
}

// add takes a page into the batch and commits what is full. A page of more than a
// batch is committed in parts under the checkpoint before it, so that a kill
// between two of them reads it again.
func (b *batcher) add(ctx context.Context, p walked) error {
	if len(b.pending) > 0 && (b.rows+p.page.elements > store.MaxRows || b.bytes+p.bytes > maxBatchBytes) {
		if err := b.commit(ctx); err != nil {
			return err
		}
	}
	if len(b.pending) == 0 {
		age := batchAge
		if p.page.cursorLife > 0 {
			age = min(age, p.page.cursorLife/4)
		}
		b.due.Reset(age)
	}
	if p.unordered && !b.checkpoint.Unordered {
		b.checkpoint.Unordered = true
		b.unordered()
	}
	events, rejects := p.page.events, p.page.rejects
	record := store.PageRecord{Endpoint: p.endpoint, RequestID: p.page.requestID, CursorSent: p.from.cursor, Resumed: p.resumed}
	if p.from.bounded {
		record.Until = sql.Null[store.Instant]{V: store.Instant(p.from.until * 1000), Valid: true}
	}
	for len(events)+len(rejects) > store.MaxRows {
		n := min(len(events), store.MaxRows)
		m := min(len(rejects), store.MaxRows-n)
		b.take(store.Page{Record: record, Events: events[:n], Rejects: rejects[:m], Descending: p.page.descending}, p.bytes)
		events, rejects = events[n:], rejects[m:]
		if err := b.commit(ctx); err != nil {
			return err
		}
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
	return nil
}

func (b *batcher) take(p store.Page, bytes int) {
	b.pending = append(b.pending, p)
	b.checkpoint.Pages++
	b.checkpoint.Events += int64(len(p.Events))
	b.rows += len(p.Events) + len(p.Rejects)
	b.bytes += bytes
}

// advance moves the checkpoint behind the page.
func (b *batcher) advance(p walked) {
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

func (b *batcher) commit(ctx context.Context) error {
	if len(b.pending) == 0 {
		return nil
	}
	began := time.Now()
	done, err := b.store.CommitBatch(ctx, store.Batch{Run: b.runID, Pages: b.pending, Checkpoint: b.checkpoint})
	b.summary.Writing += time.Since(began)
	if err != nil {
		return err
	}
	b.summary.Add(done.Counts)
	for reason, n := range done.Reasons {
		b.summary.Reasons[reason] += n
	}
	b.pending, b.rows, b.bytes = nil, 0, 0
	return nil
}
