package dispatch

import (
	"errors"
	"fmt"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/internal/human"
)

// ReducePageSize makes the request ask for less if err says that its page was too large, and reports whether
// to send it again. That costs none of the time for retries. A single element that is too large for a
// page is requested so that only its beginning is read.
func (d *Dispatcher) ReducePageSize(from string, req *api.Request, err error) bool {
	var page *decode.TooLarge
	if !errors.As(err, &page) {
		return false
	}
	size := d.client.PageTooLarge(from, page)
	switch {
	case size > 0 && req.Limit > 0:
		req.Limit = size
	case size == 0 && page.Final && page.Elements <= page.Requested && !req.Truncated:
		req.Limit, req.Truncated = 1, true
	case size == 0:
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.endpoints[from]
	if p.tooLarge == nil {
		p.tooLarge = page
	}
	p.shrunkTo = max(size, 1)
	return true
}

// shrinkNote says how large the endpoint's pages are now, with the first page after some were too large;
// else it is "".
func (p *endpoint) shrinkNote() string {
	page := p.tooLarge
	if page == nil || p.shrinkNoted {
		return ""
	}
	p.shrinkNoted = true
	if page.Requested == 1 {
		return fmt.Sprintf("an event of the %s endpoint has more than %s: its beginning is kept", p.name, page.Limit)
	}
	return fmt.Sprintf("pages of %s of the %s endpoint have more than %s: asking for %s at a time",
		human.Counted(int64(page.Requested), "event"), p.name, page.Limit, human.Thousands(int64(p.shrunkTo)))
}
