package walk

import (
	"context"

	"datasync/ingest/api"
)

// endsOddly reports whether a page says that it is the last one although it is empty, or its total is far
// below the previous one. A backend in trouble may answer so.
func (w *Walk) endsOddly(p *Page) bool {
	if p.HasMore || p.Request == (api.Request{}) || p.Request.Bounded || w.state.mode == starting {
		return false
	}
	before, now := w.last.total, p.Total
	return p.Elements == 0 || before.Valid && now.Valid && now.V < before.V-before.V/10
}

// confirmEnd requests a page that ends oddly once more, and trusts the second answer.
func (w *Walk) confirmEnd(ctx context.Context, p *Page) error {
	again, err := w.requestWhole(ctx, p.Request)
	if err != nil {
		return err
	}
	w.replace(p, &again, nil)
	p.Resumed = w.next.resumed
	return nil
}
