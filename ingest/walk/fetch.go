package walk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"

	"github.com/google/uuid"
)

// nextPage returns the next page, whole. It retries failures, and finds out whether an error means that the
// cursor has expired.
func (w *Walk) nextPage(ctx context.Context) (got Page, err error) {
	doubted, failures, broken := false, 0, 0
	err = w.Dispatcher.Retry(ctx, dispatch.Patience{Limit: w.retryTime, Waited: w.waited}, func() (endpoint string, err error) {
		got, err = w.tryPage(ctx)
		if broken = w.countBroken(broken, err); w.isExpired(ctx, got.Endpoint, err, broken) {
			w.Dispatcher.CursorRefused(got.Endpoint, err)
			return got.Endpoint, fmt.Errorf("%w: %w", api.ErrCursorExpired, err)
		}
		if errors.Is(err, api.ErrCursorExpired) && !doubted && time.Now().Before(w.next.expires) {
			// The walk believes an early expiry only after it has sent the cursor once more.
			doubted = true
			err = doubt(err, w.next.expires)
		}
		if err != nil {
			// The other endpoint is asked before the cursor expires because of this one's failures.
			if failures++; failures > 1 || w.next.life > 0 && time.Until(w.next.expires) < w.next.life/2 {
				w.requester.AvoidEndpoint = got.Endpoint
			}
		}
		return got.Endpoint, err
	})
	return got, err
}

// waited returns how long the walk has waited because endpoints were closed.
func (w *Walk) waited() time.Duration { return w.requester.WaitedForLimits }

// requestWhole returns a page again that was read before, whole. The walk stays where it is.
func (w *Walk) requestWhole(ctx context.Context, at api.Request) (got Page, err error) {
	w.discard()
	limit := func() time.Duration { return min(w.retryTime(), longestBounded) }
	err = w.Dispatcher.Retry(ctx, dispatch.Patience{Limit: limit, Waited: w.waited}, func() (endpoint string, err error) {
		for {
			got, err = w.requestWholeOnce(ctx, at)
			if !w.Dispatcher.ReducePageSize(got.Endpoint, &api.Request{}, err) {
				return got.Endpoint, err
			}
		}
	})
	return got, err
}

func (w *Walk) requestWholeOnce(ctx context.Context, at api.Request) (got Page, err error) {
	f := w.requestUncached(ctx, at)
	got, err = f.page(), f.err
	if err == nil {
		err = w.decode(f, &got)
	}
	if err == nil && got.Damaged > 0 {
		err = w.readAgain(ctx, at, f, &got)
	}
	if err != nil {
		w.Buffers.Release(f.Buffer)
		got.Buffer = nil
	}
	return got, err
}

// tryPage requests the next page once. After a failure, Endpoint of the page that it returns names the
// endpoint that failed.
func (w *Walk) tryPage(ctx context.Context) (Page, error) {
	f := w.fetch(ctx)
	got := f.page()
	got.Resumed = w.next.resumed
	if f.err != nil {
		w.Buffers.Release(f.Buffer)
		return got, f.err
	}
	w.requester.AvoidEndpoint = ""
	w.lookAhead(ctx, f)
	err := w.decode(f, &got)
	p := &got.Page
	if err == nil {
		err = w.readAgain(ctx, w.next.request, f, &got)
	}
	if err != nil {
		w.Buffers.Release(f.Buffer)
		got.Buffer = nil
		w.discard()
		if w.Dispatcher.ReducePageSize(f.Endpoint, &api.Request{}, err) {
			return w.tryPage(ctx)
		}
		return got, err
	}
	p.NameAnonymous(w.before(), &w.anonymous)
	got.Open = len(w.anonymous.Counts) > 0
	if p.Elements == 0 && p.HasMore && p.NextCursor == w.next.request.Cursor {
		// Retried as a failure first: it may pass.
		return got, fmt.Errorf("%w: an empty page leads to itself", ErrLoop)
	}
	return got, nil
}

// before returns the event after which the next page begins, if that is known.
func (w *Walk) before() uuid.NullUUID {
	switch {
	case w.loop.begun:
		return uuid.NullUUID{UUID: w.loop.last.ID, Valid: true}
	case w.state.mode == confirming:
		return uuid.NullUUID{UUID: w.state.proof.Anchor.ID, Valid: true}
	}
	return uuid.NullUUID{}
}

// longestBounded is how long a request may go on failing if it is not the only way to resume.
const longestBounded = 30 * time.Second

// retryTime returns how long the request may go on failing. If the API has not answered yet, a wrong
// address is more likely than a failure that passes. A request by time is not the only way to resume.
func (w *Walk) retryTime() time.Duration {
	if !w.Client.HasAnswered() {
		return min(w.MaxRetryTime, dispatch.FirstConnect)
	}
	if w.byTime() {
		return min(w.MaxRetryTime, longestBounded)
	}
	return w.MaxRetryTime
}

// lookAhead sends the request for the next page as soon as the tail of this one has shown its cursor, while
// this one is decoded. It does not if the window may end with this page, or the page is not proven yet:
// then the next one may not be wanted.
func (w *Walk) lookAhead(ctx context.Context, f fetched) {
	if f.Buffer.LargeSlot != nil {
		return // another large page would have to wait for its memory
	}
	t, ok := decode.PeekTail(f.body)
	if !ok || !t.HasMore || t.NextCursor == "" || t.NextCursor == w.next.request.Cursor || w.loop.hasLed(t.NextCursor) ||
		w.state.mode != following {
		return
	}
	if border := w.bounds.Border(); border.Valid && !w.loop.staysAbove(border.V) {
		return
	}
	cursor := strings.Clone(t.NextCursor)
	// Room for the answer, so that the goroutine ends even if the walk has ended.
	result := make(chan fetched, 1)
	go func() { result <- w.requestFresh(ctx, api.Request{Cursor: cursor}) }()
	w.ahead = &ahead{cursor, result}
}

// fetch returns the body of the next page, by the request ahead if that is in flight for it.
func (w *Walk) fetch(ctx context.Context) fetched {
	if w.ahead != nil && w.next.request == (api.Request{Cursor: w.ahead.cursor}) {
		f := <-w.ahead.result
		w.ahead = nil
		return f
	}
	w.discard()
	return w.requestFresh(ctx, w.next.request)
}
