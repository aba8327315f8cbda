package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"datasync/internal/store"
)

// maxDeaths is how many times in a row a cursor may die before the walk has got
// further down than before.
const maxDeaths = 3

// walk goes from page to page of one window, newer to older.
type walk struct {
	endpoints    *endpoints
	maxRetryTime time.Duration
	notice       func(string)
	summary      *Summary

	window store.Checkpoint // as it was when the walk began
	// cursor leads to the next page, and dies at dies, if that is known. Resumed
	// says that it, or the lack of one, is not the word of the page before.
	cursor  string
	dies    time.Time
	resumed bool

	trail     *trail
	unordered bool
	ahead     *ahead

	deepest store.Position
	deeper  bool // than at the last death, or at all
	reached bool // deepest is known
	deaths  int
	pages   int64 // since the walk was at the top
}

// walked is a page on its way to the writer.
type walked struct {
	page     page
	endpoint string
	cursor   string // that asked for it
	resumed  bool
	received time.Time
	bytes    int
	// last says that the window ends with it; stuck that it leads nowhere, and
	// must be asked for again.
	last, stuck bool
}

// ahead is a request that is under way before it is known for certain that its
// page is the next one.
type ahead struct {
	cursor string
	result <-chan fetched
}

// fetched is a body on its way to become a page.
type fetched struct {
	body, endpoint string
	received       time.Time
	err            error
}

func newWalk(p *pull, k store.Checkpoint) *walk {
	return &walk{
		endpoints: p.endpoints, maxRetryTime: p.MaxRetryTime, notice: p.Notice, summary: &p.summary,
		window: k, cursor: k.Cursor, dies: k.CursorExpiresAt, resumed: k.State == store.UnderWay,
		trail: newTrail(), unordered: k.Unordered, pages: k.Pages,
	}
}

// run sends every page to out until the last one.
func (w *walk) run(ctx context.Context, out chan<- walked) error {
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		w.discard()
	}()
	for {
		p, err := w.next(ctx)
		if errors.Is(err, ErrCursorDead) && w.cursor != "" {
			if err := w.restart(err); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		fault := w.follow(&p)
		select {
		case out <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
		if fault != nil || p.last {
			return fault
		}
		w.cursor, w.resumed, w.dies = p.page.nextCursor, false, time.Time{}
		if p.page.cursorLife > 0 {
			w.dies = p.received.Add(p.page.cursorLife)
		}
	}
}

// follow looks where the page leads.
func (w *walk) follow(p *walked) error {
	w.pages++
	lowest := len(p.page.events) > 0
	for i := range p.page.events {
		at := p.page.events[i].Position()
		if !w.reached || at.Compare(w.deepest) < 0 {
			w.deepest, w.reached, w.deeper = at, true, true
		}
		below := w.window.Lower.Valid && at.Timestamp < w.window.Lower.V
		lowest = lowest && below
		p.last = p.last || below
	}
	w.unordered = w.unordered || !p.page.descending && len(p.page.events) > 0
	if w.unordered {
		// Below the border something newer may still follow, but hardly after a
		// whole page.
		p.last = lowest
	}
	err := w.trail.follow(p.cursor, &p.page)
	p.last = p.last || !p.page.hasMore
	if p.last {
		return nil
	}
	p.stuck = err != nil
	return err
}

// restart goes back to the newest event after a cursor's death.
func (w *walk) restart(cause error) error {
	if w.deeper {
		w.deaths = 0
	}
	if w.deaths++; w.deaths > maxDeaths {
		return fmt.Errorf("%w: %d cursors in a row died before the walk got any further (%w)", ErrNoHeadway, w.deaths, cause)
	}
	w.notice(fmt.Sprintf("%v: walking again from the newest event, %d pages again, skipping what is stored", cause, w.pages))
	w.discard()
	w.cursor, w.dies, w.resumed, w.deeper, w.pages = "", time.Time{}, true, false, 0
	w.trail = newTrail()
	w.summary.restarted = true
	return nil
}

// next gets the page at the cursor, whole. A cursor that should still live and is
// refused is sent once more before that is believed.
func (w *walk) next(ctx context.Context) (walked, error) {
	var got walked
	doubted := false
	err := retry(ctx, w.retryTime, w.endpoints.timeWaited, w.notice, func() error {
		f := w.fetch(ctx)
		if errors.Is(f.err, ErrCursorDead) && !doubted && time.Now().Before(w.dies) {
			doubted = true
			//nolint:errorlint // it must not be taken for a dead cursor yet
			return fmt.Errorf("%v, though it should live until %s", f.err, w.dies.UTC().Format(time.TimeOnly))
		}
		if f.err != nil {
			return f.err
		}
		w.lookAhead(ctx, f.body)
		p, err := decodePage(f.body)
		if err != nil {
			w.discard()
			return fmt.Errorf("read a page of the %s endpoint: %w", f.endpoint, err)
		}
		if p.elements == 0 && p.hasMore && p.nextCursor == w.cursor {
			// As long as it may be a fault that passes, it is no circle.
			return fmt.Errorf("%w: an empty page leads to itself", ErrLoop)
		}
		// What is remembered for longer than the page must not be a part of its
		// body, or it would keep all of that in memory.
		p.nextCursor = strings.Clone(p.nextCursor)
		got = walked{page: p, endpoint: f.endpoint, cursor: w.cursor, resumed: w.resumed, received: f.received, bytes: len(f.body)}
		return nil
	})
	return got, err
}

// retryTime is how long the request may go on failing. One that never reached
// the API at all is more likely a wrong address than a passing fault.
func (w *walk) retryTime() time.Duration {
	if !w.endpoints.client.answered.Load() {
		return min(w.maxRetryTime, firstConnect)
	}
	return w.maxRetryTime
}

// lookAhead starts the request for the next page as soon as the tail of this one
// has told its cursor, while this one is decoded. In a window with a lower border
// it first has to be known whether there is a next page.
func (w *walk) lookAhead(ctx context.Context, body string) {
	t, ok := peekTail(body)
	if !ok || !t.hasMore || t.nextCursor == "" || t.nextCursor == w.cursor || w.trail.led(t.nextCursor) || w.window.Lower.Valid {
		return
	}
	cursor := strings.Clone(t.nextCursor)
	// One answer, so that the goroutine ends even where nobody waits for it.
	result := make(chan fetched, 1)
	go func() { result <- w.ask(ctx, cursor) }()
	w.ahead = &ahead{cursor, result}
}

// fetch gets the body at the cursor, by the request ahead if it asked for that.
func (w *walk) fetch(ctx context.Context) fetched {
	if w.ahead != nil && w.ahead.cursor == w.cursor {
		f := <-w.ahead.result
		w.ahead = nil
		return f
	}
	w.discard()
	return w.ask(ctx, w.cursor)
}

// discard waits for a request ahead that is not wanted: one request is under way
// at a time.
func (w *walk) discard() {
	if w.ahead != nil {
		<-w.ahead.result
		w.ahead = nil
	}
}

func (w *walk) ask(ctx context.Context, cursor string) fetched {
	body, endpoint, err := w.endpoints.page(ctx, cursor)
	return fetched{body, endpoint, time.Now(), err}
}
