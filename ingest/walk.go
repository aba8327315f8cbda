package ingest

import (
	"context"
	"errors"
	"strings"
	"time"
)

// walk goes from page to page, newer to older.
type walk struct {
	endpoints    *endpoints
	maxRetryTime time.Duration
	notice       func(string)
	// cursor leads to the next page; resumed says that it, or the lack of one,
	// is not the word of the page before.
	cursor  string
	resumed bool
}

// walked is a whole page and how it was come by.
type walked struct {
	page     page
	endpoint string
	cursor   string // that asked for it
	resumed  bool
	received time.Time
	bytes    int
}

// fetched is a body on its way to become a page.
type fetched struct {
	body, endpoint string
	received       time.Time
	err            error
}

// maxIdlePages is how many pages in a row may fail to lead further down.
const maxIdlePages = 100

// run sends every page to out until the last one. The next request starts as soon
// as a page's tail has told its cursor, while the page is decoded.
func (w *walk) run(ctx context.Context, out chan<- walked) error {
	seen := map[string]bool{}
	idle := 0
	var ahead <-chan fetched
	aheadOf := ""
	ctx, cancel := context.WithCancel(ctx)
	// One request at a time is under way: what was asked for ahead and is not
	// wanted is waited for before anything else is asked.
	defer func() {
		cancel()
		if ahead != nil {
			<-ahead
		}
	}()
	for {
		p, next, err := w.page(ctx, ahead, func(cursor string) bool { return !seen[cursor] }, &aheadOf)
		ahead = next
		if errors.Is(err, ErrCursorDead) && w.cursor != "" {
			w.notice("the cursor has expired: walking again from the newest event, skipping what is stored")
			w.cursor, w.resumed, ahead = "", true, nil
			clear(seen)
			continue
		}
		if err != nil {
			return err
		}
		select {
		case out <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
		w.resumed = false
		switch {
		case !p.page.hasMore:
			return nil
		case p.page.nextCursor == "":
			return ErrNoCursor
		case seen[p.page.nextCursor] || p.page.nextCursor == p.cursor:
			return ErrLoop
		}
		if len(p.page.events) > 0 {
			idle = 0
		} else if idle++; idle > maxIdlePages {
			return ErrLoop
		}
		seen[p.cursor] = true
		w.cursor = p.page.nextCursor
		if ahead != nil && aheadOf != w.cursor {
			<-ahead
			ahead = nil
		}
	}
}

// page gets the page at the cursor, whole, and starts to fetch the one after it.
func (w *walk) page(ctx context.Context, ahead <-chan fetched, fresh func(string) bool, aheadOf *string) (walked, <-chan fetched, error) {
	var got walked
	var next <-chan fetched
	err := retry(ctx, w.maxRetryTime, func() time.Duration { return w.endpoints.waited }, func() error {
		var f fetched
		if ahead != nil {
			f, ahead = <-ahead, nil
		} else {
			f = w.fetch(ctx, w.cursor)
		}
		if f.err != nil {
			return f.err
		}
		if t, ok := peekTail(f.body); ok && t.hasMore && t.nextCursor != "" && t.nextCursor != w.cursor && fresh(t.nextCursor) {
			*aheadOf = strings.Clone(t.nextCursor)
			next = w.fetchAhead(ctx, *aheadOf)
		}
		p, err := decodePage(f.body)
		if err != nil {
			if next != nil {
				<-next
				next = nil
			}
			return err
		}
		// A cursor is remembered for the whole walk: as a part of the body it would
		// keep all of that in memory.
		p.nextCursor = strings.Clone(p.nextCursor)
		got = walked{page: p, endpoint: f.endpoint, cursor: w.cursor, resumed: w.resumed, received: f.received, bytes: len(f.body)}
		return nil
	})
	return got, next, err
}

func (w *walk) fetch(ctx context.Context, cursor string) fetched {
	body, endpoint, err := w.endpoints.page(ctx, cursor)
	return fetched{body, endpoint, time.Now(), err}
}

func (w *walk) fetchAhead(ctx context.Context, cursor string) <-chan fetched {
	// One answer, so that the goroutine ends even where nobody waits for it.
	c := make(chan fetched, 1)
	go func() { c <- w.fetch(ctx, cursor) }()
	return c
}
