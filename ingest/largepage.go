package ingest

import (
	"errors"
	"fmt"
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
	for pageSize := c.pageSizes[endpoint]; ; {
		now := pageSize.Load()
		if now < int64(page.asked) {
			return int(now) // another walk was there before
		}
		if pageSize.CompareAndSwap(now, int64(size)) {
			return size
		}
	}
}

// larger has the endpoint asked for larger pages again after a page of so many bytes: twice as large,
// if two such pages have half of what a page may have. So page sizes come to rest where events are
// alike, and a few large ones do not make all that follows slow.
func (c *client) larger(endpoint string, asked, bytes int) {
	most := int(c.mostPages[endpoint].Load())
	if asked < most && bytes <= maxPage/4 && asked <= maxElements/4 {
		c.pageSizes[endpoint].CompareAndSwap(int64(asked), int64(min(2*asked, most)))
	}
}

// shrinks reports whether the endpoint is to be asked once more because err says that its last page
// was too large, and changes what it is to be asked for. That costs no time of those for retries. A
// single element that is too large for a page is asked for so that its beginning comes alone.
func (e *endpoints) shrinks(endpoint string, a *ask, err error) bool {
	var page *largePage
	if !errors.As(err, &page) {
		return false
	}
	size := e.client.smaller(endpoint, page)
	switch {
	case size > 0 && a.limit > 0:
		a.limit = size
	case size == 0 && page.final && page.elements <= page.asked && !a.squeezed:
		a.limit, a.squeezed = 1, true
	case size == 0:
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.gates[endpoint]
	if g.tooLarge == nil {
		g.tooLarge = page
	}
	g.shrunkTo = max(size, 1)
	return true
}

// shrunk says, after the first page that came since the endpoint's pages were too large, how large
// they are now; else it is "". The lock must be held.
func (e *endpoints) shrunk(g *gate) string {
	page := g.tooLarge
	if page == nil || g.toldLarge {
		return ""
	}
	g.toldLarge = true
	if page.asked == 1 {
		return fmt.Sprintf("an event of the %s endpoint has more than %s: its beginning is kept", g.name, page.limit)
	}
	return fmt.Sprintf("pages of %d events of the %s endpoint have more than %s: asking for %d at a time", page.asked, g.name, page.limit, g.shrunkTo)
}
