package ingest

import (
	"context"
	"database/sql"
	"sync/atomic"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/shard"
	"datasync/ingest/walk"
	"datasync/internal/model"

	"github.com/google/uuid"
)

// batchAge is how long a batch collects pages before it is committed, if the cursor of its checkpoint lives
// long enough.
const batchAge = time.Second

// slowPage is how long a page takes at least for its batch not to wait for another, unless the page is large.
const slowPage = 250 * time.Millisecond

// maxBatchBytes is how much text of pages a batch has: a whole row group of events of up to 546 bytes. The
// text is in memory until the store has copied it, and DuckDB keeps a partial row group in memory until the
// commit.
const maxBatchBytes = 64 << 20

// batcher collects pages into batches, and has the store commit some while it collects the next.
type batcher struct {
	store    Store
	runID    uuid.UUID
	counters *counters
	progress *Progress
	buffers  *api.BufferPool
	// unordered is called when events are out of order. Walks returns how many walks share the memory for
	// batches.
	unordered func()
	walks     func() int

	// checkpoint is that of the last page that is wholly in a batch.
	checkpoint model.Checkpoint
	// beyond is the checkpoint after an open page.
	beyond *model.Checkpoint
	next   batch
	// rest is a page of which only the first events and rejects fitted into the batch, or none.
	rest   *walk.Page
	fitted struct{ events, rejects, bytes int }
	due    *time.Timer // for the batch that is collected

	// held is how many bytes of text the store has not copied yet, most how many the last batch had. Freed
	// says that held has become less.
	held  atomic.Int64
	most  int64
	freed chan struct{}

	// writing is how many batches the store is writing. Waits has their wait functions, ended the outcomes in
	// the same order. Each channel has room for as many batches as are written at a time.
	writing int
	waits   chan func() (model.Committed, error)
	ended   chan outcome
}

type outcome struct {
	committed model.Committed
	err       error
}

// batch is collected for one commit.
type batch struct {
	model.Batch
	buffers         []*api.Buffer // of each of its pages
	events, rejects int
	bytes           int
	// overdue says that the batch is to be committed although it is not full.
	overdue bool
}

// run takes pages until there are no more, and returns when all batches are committed. A full batch is
// committed as soon as the store can, an overdue one when no other is being written; until then it grows.
// After an error run takes and commits nothing more.
func (b *batcher) run(ctx context.Context, pages <-chan walk.Page) error {
	b.due = time.NewTimer(batchAge)
	defer b.due.Stop()
	b.freed = make(chan struct{}, 1)
	b.waits, b.ended = make(chan func() (model.Committed, error), model.Writers), make(chan outcome, model.Writers)
	defer close(b.waits)
	go func() {
		for wait := range b.waits {
			committed, err := wait()
			b.ended <- outcome{committed, err}
		}
	}()
	for more := true; more || len(b.next.Pages) > 0 || b.writing > 0; {
		if len(b.next.Pages) > 0 && (b.writing == 0 && (b.next.overdue || !more) || b.writing < model.Writers && b.full()) {
			if err := b.start(ctx); err != nil {
				return err
			}
			continue
		}
		from := pages
		if b.full() || !more || b.crowded() {
			from = nil
		}
		select {
		case p, ok := <-from:
			if more = ok; ok {
				b.add(&p)
			}
		case o := <-b.ended:
			if err := b.end(o); err != nil {
				return err
			}
		case <-b.freed:
		case <-b.due.C:
			b.next.overdue = len(b.next.Pages) > 0
		}
	}
	return nil
}

// start has the store commit the batch, and begins the next one as soon as the store copies this one. The
// memory of each page is used again then, so that little more than one batch of pages is in memory.
func (b *batcher) start(ctx context.Context) error {
	if b.writing++; b.writing == 1 {
		b.counters.beginWriting()
	}
	copying, buffers := make(chan struct{}), b.next.buffers
	b.most = 0
	for _, s := range buffers {
		b.most += int64(s.Size())
	}
	b.held.Add(b.most)
	b.next.Copied = func(page int) {
		b.held.Add(-int64(buffers[page].Size()))
		b.buffers.Release(buffers[page])
		select {
		case b.freed <- struct{}{}:
		default:
		}
		if page == 0 {
			close(copying)
		}
	}
	b.waits <- b.store.StartBatch(ctx, b.next.Batch)
	for waiting := true; waiting; {
		select {
		case <-copying:
			waiting = false
		case o := <-b.ended:
			if err := b.end(o); err != nil {
				return err
			}
		}
	}
	b.next = batch{}
	if p := b.rest; p != nil {
		b.rest = nil
		b.add(p)
	}
	return nil
}

// end counts a committed batch. If a batch has failed, those after it have too, and end waits for them.
func (b *batcher) end(o outcome) error {
	if b.writing--; b.writing == 0 {
		b.counters.endWriting()
	}
	if o.err != nil {
		for ; b.writing > 0; b.writing-- {
			<-b.ended
		}
		return o.err
	}
	b.counters.committed(o.committed)
	return nil
}

// crowded reports whether memory holds as much text as one batch had, while the store still copies
// another one.
func (b *batcher) crowded() bool {
	held := b.held.Load()
	return held > 0 && held+int64(b.next.bytes) > b.most+b.most/8
}

func (b *batcher) full() bool {
	return b.rest != nil || b.next.events == model.MaxRows || b.next.rejects == model.MaxRejects
}

// add adds as much of a page to the batch as fits, and keeps the rest for the next ones: DuckDB stores whole
// row groups much faster. A page that two batches share does not move the checkpoint before the second: after
// a kill between them it is read again.
func (b *batcher) add(p *walk.Page) {
	if len(b.next.Pages) == 0 {
		age := batchAge
		if p.Took > slowPage && float64(p.Bytes) < shard.FastPage*p.Took.Seconds() {
			// The next page would come too late to be worth waiting for.
			age = 0
		}
		if p.CursorLife > 0 {
			age = min(age, p.CursorLife/4)
		}
		b.due.Reset(age)
	}
	events, rejects := p.Events[b.fitted.events:], p.Rejects[b.fitted.rejects:]
	n, m, bytes := b.fits(p, len(events), len(rejects))
	if n+m == 0 && len(events)+len(rejects) > 0 {
		b.rest = p
		return
	}
	if p.Unordered && !b.checkpoint.Unordered {
		b.checkpoint.Unordered = true
		b.unordered()
	}
	record := model.PageRecord{Endpoint: p.Endpoint, RequestID: p.RequestID, CursorSent: p.Request.Cursor, Resumed: p.Resumed}
	if p.Request.Bounded {
		record.Until = sql.Null[model.Instant]{V: model.Instant(p.Request.Until * 1000), Valid: true}
	}
	whole := n == len(events) && m == len(rejects)
	if whole {
		record.OutOfRange = p.OutOfRange
		if !p.Last {
			record.CursorReceived = p.NextCursor
		}
	}
	b.next.Pages = append(b.next.Pages, model.Page{Record: record, Events: events[:n], Rejects: rejects[:m], Descending: p.Descending})
	b.next.buffers = append(b.next.buffers, p.Buffer)
	b.next.events += n
	b.next.rejects += m
	b.next.bytes += bytes
	b.fetched(p, n+m, bytes, whole)
	b.checkpoint.Pages++
	b.checkpoint.Events += int64(n)
	if whole {
		b.pass(p)
	} else {
		p.Buffer.Retain()
		b.rest = p
		b.fitted.events += n
		b.fitted.rejects += m
	}
	b.next.Run, b.next.Checkpoint = b.runID, b.checkpoint
}

// fetched records how the page was fetched, or the last part of it; of other parts, that they have so many elements
// and bytes of text.
func (b *batcher) fetched(p *walk.Page, elements, bytes int, whole bool) {
	f := model.Fetched{Endpoint: p.Endpoint, Returned: int64(elements), Bytes: int64(bytes)}
	if whole {
		f.Pages, f.Wire, f.Took, f.InFlight = 1, p.Wire, p.Answered, int64(p.InFlight)
		f.Returned += p.OutOfRange
		f.Bytes = int64(p.Bytes - b.fitted.bytes)
		b.fitted.bytes = 0
	} else {
		b.fitted.bytes += bytes
	}
	facts := &b.next.Facts
	for i := range facts.Fetched {
		if g := &facts.Fetched[i]; g.Endpoint == f.Endpoint {
			g.Add(f)
			return
		}
	}
	facts.Fetched = append(facts.Fetched, f)
}

// fits returns how many of the page's remaining events and rejects the batch has room for. It also returns
// how much text they have, by the page's average. An empty batch has room for at least one.
func (b *batcher) fits(p *walk.Page, events, rejects int) (n, m, bytes int) {
	each := max(1, p.Bytes/max(1, len(p.Events)+len(p.Rejects)))
	room := max(0, maxBatchBytes/max(1, b.walks())-b.next.bytes) / each
	if len(b.next.Pages) == 0 {
		room = max(room, 1)
	}
	n = min(events, model.MaxRows-b.next.events, room)
	m = min(rejects, model.MaxRejects-b.next.rejects, room-n)
	return n, m, each * (n + m)
}

// pass counts a page that is wholly in the batch, or in it and those before.
func (b *batcher) pass(p *walk.Page) {
	b.fitted.events, b.fitted.rejects = 0, 0
	b.counters.page(p.Endpoint)
	if !p.Provisional {
		b.advance(p)
	}
	b.progress.page(b.checkpoint, p.Endpoint, p.Elements)
}

// advance moves the checkpoint past the page. After an open page it waits for one that is not: a walk that
// resumes there gives all rejects their keys.
func (b *batcher) advance(p *walk.Page) {
	k := b.checkpoint
	if b.beyond != nil {
		k = *b.beyond
		k.Pages, k.Events, k.Unordered = b.checkpoint.Pages, b.checkpoint.Events, b.checkpoint.Unordered
	}
	moveBehind(&k, p)
	if b.beyond = nil; p.Open && !p.Last {
		b.beyond = &k
		return
	}
	b.checkpoint = k
}

// moveBehind moves a checkpoint past the page.
func moveBehind(k *model.Checkpoint, p *walk.Page) {
	if p.Request == (api.Request{}) {
		// The walk is at the newest event, perhaps again: between this page and what it had read before, there
		// may be a gap.
		k.Total, k.Walked, k.Copies, k.RanOut = p.Total, 0, 0, false
		k.Upper, k.Last = sql.Null[model.Instant]{}, sql.Null[model.Position]{}
		k.TopAt = p.Received.Add(-p.Took)
	}
	k.PageTotal, k.CursorBefore = p.Total, sql.Null[string]{V: p.Request.Cursor, Valid: !p.Request.Bounded}
	if p.SecretRequest {
		k.CursorBefore.V = decode.WithheldCursor
	}
	k.Copies += p.Copies
	k.RanOut = k.RanOut || p.RanOut
	k.FailedRuns = 0
	k.State, k.Cursor, k.CursorExpiresAt = model.UnderWay, p.NextCursor, time.Time{}
	if p.CursorLife > 0 {
		k.CursorExpiresAt = p.Received.Add(p.CursorLife)
	}
	if p.SecretCursor {
		k.Cursor, k.CursorExpiresAt = decode.WithheldCursor, time.Time{}
	}
	if p.Last {
		k.State, k.Cursor, k.CursorExpiresAt = model.Done, "", time.Time{}
	}
	k.Walked += int64(p.Elements)
	if k.IsShard() && !k.First.Valid && p.First != (model.Position{}) {
		k.First = sql.Null[model.Position]{V: p.First, Valid: true}
	}
	if len(p.Events) == 0 {
		return
	}
	if newest := p.Newest.Timestamp; !k.Upper.Valid || newest > k.Upper.V {
		k.Upper = sql.Null[model.Instant]{V: newest, Valid: true}
	}
	if oldest := p.Oldest; !k.Last.Valid || oldest.Compare(k.Last.V) < 0 {
		k.Last = sql.Null[model.Position]{V: oldest, Valid: true}
	}
}
