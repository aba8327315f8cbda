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

// batchAge is how long a batch is collected before it is committed, if the cursor that
// its checkpoint will hold lives for long enough.
const batchAge = time.Second

// slowPage is how long a page may take for others to be collected with it, unless it is large.
const slowPage = 250 * time.Millisecond

// maxBatchBytes is how much text of pages a batch holds, which is a whole row group of events
// of up to 546 bytes. It is in memory until it is copied, and DuckDB keeps what is no whole
// row group in memory until it is committed.
const maxBatchBytes = 64 << 20

// batcher collects pages into batches, and has some committed while it collects the next.
type batcher struct {
	store    Store
	runID    uuid.UUID
	counters *counters
	progress *Progress
	buffers  *api.BufferPool
	// unordered is called where events do not come in their order. Walks returns how many
	// walks share the memory for batches.
	unordered func()
	walks     func() int

	// checkpoint is where the walk stands behind the last page that is wholly in a batch.
	checkpoint model.Checkpoint
	// beyond is where it stands, where that is behind a page that is open.
	beyond *model.Checkpoint
	next   batch
	// rest is a page that did not fit into the batch any more, but for its first events
	// and rejects, of which there may be none.
	rest   *walk.Page
	fitted struct{ events, rejects int }
	due    *time.Timer // for what is collected

	// held is how much text of pages batches have that the store has not copied yet, and
	// most how much the last one had; freed tells that held has become less.
	held  atomic.Int64
	most  int64
	freed chan struct{}

	// underWay is how many batches are. What they wait by goes into waits, what became of
	// each comes out of ended, in the same order.
	underWay int
	waits    chan func() (model.Committed, error)
	ended    chan outcome
}

type outcome struct {
	committed model.Committed
	err       error
}

// batch is what is collected for one commit.
type batch struct {
	model.Batch
	sheets          []*api.Buffer // of each of its pages
	events, rejects int
	bytes           int
	// overdue says that it is to be committed though it is not full.
	overdue bool
}

// run takes pages until there are no more and all is committed. What is full is committed
// as soon as the store can, what is due once nothing else is under way: it grows until
// then, or until it is full. After an error nothing more is taken or committed.
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
	for more := true; more || len(b.next.Pages) > 0 || b.underWay > 0; {
		if len(b.next.Pages) > 0 && (b.underWay == 0 && (b.next.overdue || !more) || b.underWay < model.Writers && b.full()) {
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

// start has the batch committed, and begins the next one as soon as the store copies what
// it stores of this one: the memory of each page is then used again, so that little more
// than one batch of pages is in memory.
func (b *batcher) start(ctx context.Context) error {
	if b.underWay++; b.underWay == 1 {
		b.counters.beginWriting()
	}
	copying, sheets := make(chan struct{}), b.next.sheets
	b.most = 0
	for _, s := range sheets {
		b.most += int64(s.Size())
	}
	b.held.Add(b.most)
	b.next.Copied = func(page int) {
		b.held.Add(-int64(sheets[page].Size()))
		b.buffers.Release(sheets[page])
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

// end counts a batch that is committed. Where one is not, neither are those after it,
// whose end it waits for.
func (b *batcher) end(o outcome) error {
	if b.underWay--; b.underWay == 0 {
		b.counters.endWriting()
	}
	if o.err != nil {
		for ; b.underWay > 0; b.underWay-- {
			<-b.ended
		}
		return o.err
	}
	b.counters.committed(o.committed)
	return nil
}

// crowded reports whether as much text is in memory as one batch had, while another one
// is still being copied.
func (b *batcher) crowded() bool {
	held := b.held.Load()
	return held > 0 && held+int64(b.next.bytes) > b.most+b.most/8
}

func (b *batcher) full() bool {
	return b.rest != nil || b.next.events == model.MaxRows || b.next.rejects == model.MaxRejects
}

// add takes into the batch what fits of a page, and keeps the rest for the next ones:
// batches that are full to the row are stored much faster. A page that is
// committed in parts is so under the checkpoint before it: a kill between two of them
// reads it again.
func (b *batcher) add(p *walk.Page) {
	if len(b.next.Pages) == 0 {
		age := batchAge
		if p.Took > slowPage && float64(p.Bytes) < shard.FastPage*p.Took.Seconds() {
			// Nothing more comes soon that would be worth waiting for.
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
		record.Outside = p.OutOfRange
		if !p.Last {
			record.CursorReceived = p.NextCursor
		}
	}
	b.next.Pages = append(b.next.Pages, model.Page{Record: record, Events: events[:n], Rejects: rejects[:m], Descending: p.Descending})
	b.next.sheets = append(b.next.sheets, p.Buffer)
	b.next.events += n
	b.next.rejects += m
	b.next.bytes += bytes
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

// fits returns how many of the events and rejects that are left of a page the batch has
// room for, and how much text they have, at the page's average: at least one where the
// batch is empty.
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

// pass takes note that the whole page is in the batch, or in it and those before.
func (b *batcher) pass(p *walk.Page) {
	b.fitted.events, b.fitted.rejects = 0, 0
	b.counters.page(p.Endpoint)
	if !p.Provisional {
		b.advance(p)
	}
	b.progress.page(b.checkpoint, p.Elements)
}

// advance moves the checkpoint behind the page, or, where that is open, keeps it where it
// is until one comes that is not: a walk that begins there gives all rejects their keys.
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

// moveBehind moves a checkpoint behind the page.
func moveBehind(k *model.Checkpoint, p *walk.Page) {
	if p.Request == (api.Request{}) {
		// The walk is, or is again, at the top of the window: between what it reads
		// now and what it had read before, there may be a gap.
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
	if k.IsPart() && !k.First.Valid && p.First != (model.Position{}) {
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
