package walk

import (
	"context"
	"strings"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
)

// discard waits for a request ahead that is not wanted, because a walk has one request in flight at a time.
func (w *Walk) discard() {
	if w.ahead == nil {
		return
	}
	f := <-w.ahead.result
	w.ahead = nil
	if f.err == nil && w.last.mayCount {
		if p, err := f.Buffer.Decode(decode.New()); err == nil {
			w.totals.see(f.number, p.Total)
		}
	}
	w.Buffers.Release(f.Buffer)
}

func (w *Walk) request(ctx context.Context, at api.Request) fetched {
	memory, began := w.Buffers.Take(), time.Now()
	memory.SharesSlot = at.SharesSlot
	body, endpoint, err := w.Dispatcher.Page(ctx, &w.requester, at, memory)
	now := time.Now()
	return fetched{Response{
		Buffer: memory, Endpoint: endpoint, Request: at, Received: now, Took: now.Sub(began), Bytes: len(body),
		Wire: memory.Wire, Answered: memory.Took, InFlight: memory.InFlight, number: w.answers.Add(1),
	}, body, err}
}

// decode decodes a body into a page.
func (w *Walk) decode(f fetched, to *Page) error {
	p, err := f.Buffer.Decode(w.decoder)
	if err != nil {
		return w.Client.DecodeError(f.Endpoint, f.Buffer, err)
	}
	w.totals.see(f.number, p.Total)
	p.RedactSecrets(w.Client.HasSecret)
	// The cursor lives longer than the page. As a part of its body it would keep all of that in memory.
	p.NextCursor = strings.Clone(p.NextCursor)
	if n := len(p.Events); n > 0 {
		to.lastIsEvent = len(p.Rejects) == 0 || p.RejectAfter[len(p.Rejects)-1] < n
		to.lastEvent = p.Events[n-1].Position()
	}
	to.Page, to.Buffer, f.Buffer.Events = p, f.Buffer, p.Events
	to.SecretRequest = w.Client.HasSecret(to.Request.Cursor)
	return nil
}

// page returns the answer as a page without content. The buffer becomes its own once it is decoded.
func (f *fetched) page() Page {
	p := Page{Response: f.Response}
	p.Buffer = nil
	return p
}
