package walk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
)

// New returns a walk that resumes at the checkpoint k. Known is the instant of the newest event of older
// windows, if this one does not go down to their end.
func New(common *Shared, bounds Bounds, k model.Checkpoint, known sql.Null[model.Instant]) *Walk {
	w := &Walk{
		Shared: common, bounds: bounds, scope: scope{isShard: k.IsShard(), startBound: k.StartBound, known: known}, decoder: decode.New(),
		next: nextRequest{request: api.Request{Cursor: k.Cursor}, expires: k.CursorExpiresAt, resumed: k.State == model.UnderWay || k.Pages > 0},
		last: readingOf(&k), recovery: recovery{startCursor: k.Cursor, failedRuns: k.FailedRuns},
		low: k.Last, oldestSeen: k.Last, loop: newLoopDetector(), unordered: k.Unordered, pages: k.Pages,
	}
	switch {
	case k.IsShard() && !k.First.Valid:
		w.state.mode = starting
		w.next.request, w.state.proof.Bound = bounds.FirstRequest()
		w.next.resumed = true
	case k.Cursor != "":
		w.state = w.confirm()
	default:
		// The walk begins at the newest event, and newer events may have come above low.
		w.low, w.oldestSeen = sql.Null[model.Position]{}, sql.Null[model.Position]{}
	}
	return w
}

// Run sends every page to out until the last one, or until gone is closed. It sends a page that came whole
// also after ctx has ended. It returns the errors of this package, of package dispatch and of package api.
func (w *Walk) Run(ctx context.Context, out chan<- Page, gone <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		w.discard()
	}()
	for {
		before := w.state.mode
		p, back, err := w.nextTrusted(ctx)
		if err != nil {
			if err := w.recoverOrEnd(ctx, err); err != nil {
				return err
			}
			continue
		}
		// The cursor of a page by time has yet to show where it leads.
		byTime := before == starting && w.state.mode != starting || w.state.met
		if back != nil {
			p.Resumed = true
			if !send(out, gone, *back) {
				return nil
			}
		}
		last := w.last.behind(&p)
		fault := w.follow(&p)
		if !send(out, gone, p) {
			return nil
		}
		if fault != nil && (w.state.mode != following || w.scope.isShard || errors.Is(fault, ErrEndsTooEarly) || w.cursorKeepsFailing(ctx, fault)) {
			// The way to resume that the walk chose does not lead to older pages.
			if err := w.recover(fmt.Errorf("%w: %w", ErrNotProven, fault)); err != nil {
				return err
			}
			continue
		}
		if fault != nil || p.Last {
			return fault
		}
		if byTime {
			w.state = w.confirm()
			w.state.afterTime = w.state.mode == confirming
		}
		w.step(&p, last)
	}
}

// send reports whether the page was taken. If not, the receiver has ended, and its own error says
// why.
func send(out chan<- Page, gone <-chan struct{}, p Page) bool {
	select {
	case out <- p:
		return true
	case <-gone:
		return false
	}
}

// nextTrusted returns the next page, proven as far as the mode demands it, and the page before it if that
// had to be read again.
func (w *Walk) nextTrusted(ctx context.Context) (p Page, back *Page, err error) {
	p, err = w.nextPage(ctx)
	if err == nil && w.endsOddly(&p) {
		err = w.confirmEnd(ctx, &p)
	}
	if err == nil {
		err = w.prove(&p)
	}
	if err == nil && w.mayHaveMoved(&p) {
		back, err = w.lookBack(ctx, &p)
	}
	if err != nil && p.Buffer != nil {
		w.Buffers.Release(p.Buffer)
	}
	return p, back, err
}

// recoverOrEnd finds another way to resume after err, or returns the error with which the walk ends.
func (w *Walk) recoverOrEnd(ctx context.Context, err error) error {
	switch {
	case ctx.Err() == nil && (w.lost(err) || w.cursorKeepsFailing(ctx, err)):
		return w.recover(err)
	case ctx.Err() != nil && w.lost(err):
		return ctx.Err() // there is no time for another way
	}
	return w.orClosed(ctx, err)
}

// step continues the walk after the page.
func (w *Walk) step(p *Page, last reading) {
	if !p.Provisional {
		w.last = last
		w.totals.forget(last.number)
	}
	w.next = nextRequest{request: api.Request{Cursor: p.NextCursor}, received: p.Received, life: p.CursorLife}
	if p.CursorLife > 0 {
		w.next.expires = p.Received.Add(p.CursorLife)
	}
}

// orClosed returns an ErrWaitTooLong with the end of the wait if the feed failed while the events endpoint
// asked for too long a wait. Else it returns err.
func (w *Walk) orClosed(ctx context.Context, err error) error {
	var file *model.FileError
	until, tooLong := w.Dispatcher.EventsClosedUntil()
	if !tooLong || ctx.Err() != nil || errors.As(err, &file) || errors.Is(err, api.ErrKeyRefused) || errors.Is(err, dispatch.ErrWaitTooLong) || errors.Is(err, ErrUnreachable) {
		return err
	}
	//nolint:errorlint // the wait is why the pull ends, whatever the feed's error is
	return fmt.Errorf("%w: come back at %s; meanwhile %v", dispatch.ErrWaitTooLong, until.UTC().Format(time.RFC3339), err)
}

// lost reports whether the walk has to find another way to resume after err: the current one has failed, or it
// uses the feed, on which the walk does not depend.
func (w *Walk) lost(err error) bool {
	var file *model.FileError
	switch {
	case err == nil, w.next.request == api.Request{}, errors.Is(err, api.ErrKeyRefused), errors.As(err, &file):
		return false
	}
	return w.byTime() || errors.Is(err, api.ErrCursorExpired) || errors.Is(err, ErrNotProven) || errors.Is(err, errMoved)
}

// follow records a page and its cursor. It fails with ErrLoop, ErrNoCursor or ErrEndsTooEarly if the page
// leads nowhere.
func (w *Walk) follow(p *Page) error {
	w.pages++
	p.First = w.first
	rises := w.loop.rises(&p.Page)
	// A page above the last one breaks the order. The same event again does not, nor does the page of a
	// cursor that counts, after newer events arrived.
	w.unordered = w.unordered || !p.Ordered || rises && !w.last.mayCount
	p.Unordered = w.unordered
	above := w.low
	again := repeated{
		counts: w.last.mayCount && !w.last.stored && !p.Resumed && p.Total.Valid && p.Total == w.last.total, atBorder: !rises, last: w.loop.last,
	}
	below := w.scope.startBound.Valid && w.loop.begun && w.loop.last.Timestamp < w.scope.startBound.V
	w.descend(p)
	err := w.loop.check(p.Request.Cursor, &p.Page)
	if !p.Provisional {
		last, errEnd := w.bounds.AddPage(p, w.unordered)
		if p.Last = last; errEnd != nil {
			err = errEnd
		}
		p.countCopies(above, w.scope.known, again)
	}
	if w.scope.startBound.Valid {
		p.OutOfRange += p.CutBelow(w.scope.startBound.V, below)
	}
	if len(p.Rejects) > 0 && !w.Client.HasSecret(p.Rejects[0].Raw) {
		w.Observer.RejectSeen(&p.Rejects[0])
	}
	if p.Last {
		return nil
	}
	p.Provisional = p.Provisional || err != nil
	return err
}

// descend notes how far down the page goes.
func (w *Walk) descend(p *Page) {
	if len(p.Events) == 0 {
		return
	}
	oldest := sql.Null[model.Position]{V: p.Oldest, Valid: true}
	if !p.Provisional && (!w.low.Valid || p.Oldest.Compare(w.low.V) < 0) {
		w.low = oldest
	}
	if !w.oldestSeen.Valid || p.Oldest.Compare(w.oldestSeen.V) < 0 {
		w.oldestSeen, w.recovery.deeper = oldest, true
	}
}
