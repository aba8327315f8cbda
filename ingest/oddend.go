package ingest

import (
	"context"
	"datasync/ingest/api"
)

// endsOddly reports whether a page says that it is the last one although it is empty, or its total is
// far below the one before: a backend in trouble may answer so.
func (w *walk) endsOddly(p *walked) bool {
	if p.page.HasMore || p.from == (api.Request{}) || p.from.Bounded || w.starts {
		return false
	}
	before, now := w.last.total, p.page.Total
	return p.page.Elements == 0 || before.Valid && now.Valid && now.V < before.V-before.V/10
}

// confirmEnd asks once more for a page that ends oddly, and believes the second answer.
func (w *walk) confirmEnd(ctx context.Context, p *walked) error {
	again, err := w.get(ctx, p.from)
	if err != nil {
		return err
	}
	w.replace(p, &again, nil)
	p.resumed = w.resumed
	return nil
}
