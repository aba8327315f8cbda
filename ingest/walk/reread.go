package walk

import (
	"context"
	"fmt"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/human"
)

// The service sends malformed elements on purpose, in one response only: it omits fields, or writes
// invalid timestamps. So the walk requests a page with rejects once more.

// readAgain requests a page with rejects once more and replaces each reject by the valid event of
// the second response. It prefers the same endpoint. If the request fails, it keeps the rejects and
// counts them as not read again.
//
// An element that is not JSON may also mean that the network damaged the page. So such a page fails if it
// cannot be requested again. If the API does not say how many elements the page has, one such element may
// be two that lost the separator between them. Then a second response without such elements replaces the
// first, and one with some must have the same number of elements.
func (w *Walk) readAgain(ctx context.Context, at api.Request, f fetched, got *Page) error {
	first := &got.Page
	if len(first.Rejects) == 0 {
		return nil
	}
	doubtful := first.Damaged > 0 && !first.Counted
	if !w.rereads.may(w.Dispatcher.Requests()) && !doubtful {
		w.Observer.NotReadAgain(len(first.Rejects))
		return nil
	}
	if w.ahead != nil {
		// Of two requests at a time, one would go to the endpoint with smaller pages.
		f := <-w.ahead.result
		w.ahead.result <- f
	}
	at.Only, at.IfSoon, at.SharesSlot = f.Endpoint, true, f.Buffer.LargeSlot != nil // its pages are as large
	if at.Limit == 0 && first.Damaged == 0 {
		at.Limit = first.Elements // the same page, but not the same URL for a cache
	}
	again := w.requestUncached(ctx, at)
	defer w.Buffers.Release(again.Buffer)
	err := w.repair(f, again, got)
	if err == nil || doubtful || first.Damaged > 0 && !dispatch.Permanent(err) {
		return err
	}
	w.Observer.NotReadAgain(len(first.Rejects))
	return nil
}

// repair replaces the rejects of a page by events of the second response.
func (w *Walk) repair(f, again fetched, got *Page) error {
	first := &got.Page
	if again.err != nil {
		return again.err
	}
	second, err := again.Buffer.Decode(decode.New())
	if err != nil {
		return w.Client.DecodeError(again.Endpoint, again.Buffer, err)
	}
	if first.Damaged > 0 && !first.Counted {
		if second.Damaged == 0 {
			f.Buffer.SwapText(again.Buffer)
			return w.decode(f, got)
		}
		if second.Elements != first.Elements {
			err := fmt.Errorf("%w: %s, some of which are not JSON, and %s when read again", decode.ErrMalformed, human.Counted(int64(first.Elements), "element"), human.Thousands(int64(second.Elements)))
			return w.Client.DecodeError(again.Endpoint, again.Buffer, err)
		}
	}
	again.Buffer.Events = second.Events
	w.Observer.NotReadAgain(first.RejectsAfter(second.Elements))
	first.Repair(&second)
	f.Buffer.Events = first.Events
	return nil
}
