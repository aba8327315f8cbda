package ingest

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// largePage is the error of a page that is larger than one may be. An endpoint that sends such a
// page is asked for smaller ones.
type largePage struct {
	endpoint string // "" where an error around it names the endpoint
	limit    string // that the page exceeds
	// counted says that the text begins as a page does, elements how many elements are whole in what
	// was read of it, asked how many were asked for.
	counted         bool
	elements, asked int
	// final says that no smaller page is left to ask for.
	final bool
}

func (e *largePage) Error() string {
	text := errBadPage.Error() + ": "
	if e.endpoint != "" {
		text += fmt.Sprintf("the %s endpoint sent ", e.endpoint)
	}
	text += "more than " + e.limit
	switch {
	case !e.final:
	case e.elements > e.asked:
		text += fmt.Sprintf(", though it was asked for %d events at most", e.asked)
	default:
		text += " for a page of one event"
	}
	return text
}

func (e *largePage) Unwrap() error { return errBadPage }

// smaller has the endpoint asked for smaller pages after it sent a page that is too large, and
// returns how large they are: half as large as that page, and half of that again as long as that
// is more than what was read of it held. It is 0 where there are no smaller ones, or the endpoint
// sends more than it is asked for.
func (c *client) smaller(endpoint string, page *largePage) int {
	if !page.counted || page.elements > page.asked || page.asked <= 1 {
		page.final = page.counted
		return 0
	}
	size := page.asked / 2
	for size > max(page.elements, 1) {
		size /= 2
	}
	return lower(c.pageSizes[endpoint], page.asked, size)
}

// lower lowers a page size, unless another walk has made it smaller than asked already, and
// returns what it is.
func lower(pageSize *atomic.Int64, asked, size int) int {
	for {
		now := pageSize.Load()
		if now < int64(asked) {
			return int(now)
		}
		if pageSize.CompareAndSwap(now, int64(size)) {
			return size
		}
	}
}

// shrinks reports whether the endpoint is to be asked once more, for a page of so many elements,
// because err says that its last page was too large. That costs no time of those for retries.
func (e *endpoints) shrinks(endpoint string, err error) (size int, again bool) {
	var page *largePage
	if !errors.As(err, &page) {
		return 0, false
	}
	size = e.client.smaller(endpoint, page)
	if size == 0 {
		return 0, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.gates[endpoint]
	if g.tooLarge == nil {
		g.tooLarge = page
	}
	return size, true
}

// shrunk says, once a page came, that the endpoint's pages had been too large before it; else it is
// "". The lock must be held.
func (e *endpoints) shrunk(g *gate) string {
	page := g.tooLarge
	if page == nil {
		return ""
	}
	g.tooLarge = nil
	return fmt.Sprintf("pages of %d events of the %s endpoint have more than %s: asking for %d at a time", page.asked, g.name, page.limit, e.client.pageSizes[g.name].Load())
}
