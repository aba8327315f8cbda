package ingest

import (
	"errors"
	"fmt"

	"datasync/ingest/decode"
)

// smaller has the endpoint asked for smaller pages after it sent a page that is too large, and
// returns how large they are: half as large as that page, and half of that again as long as that
// is more than what was read of it held. It is 0 where there are no smaller ones, or the endpoint
// sends more than it is asked for.
func (c *client) smaller(endpoint string, page *decode.TooLarge) int {
	if !page.Counted || page.Elements > page.Asked || page.Asked <= 1 {
		page.Final = page.Counted
		return 0
	}
	size := page.Asked / 2
	for size > max(page.Elements, 1) {
		size /= 2
	}
	for pageSize := c.pageSizes[endpoint]; ; {
		now := pageSize.Load()
		if now < int64(page.Asked) {
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
	if asked < most && bytes <= maxPage/4 && asked <= decode.MaxElements/4 {
		c.pageSizes[endpoint].CompareAndSwap(int64(asked), int64(min(2*asked, most)))
	}
}

// shrinks reports whether the endpoint is to be asked once more because err says that its last page
// was too large, and changes what it is to be asked for. That costs no time of those for retries. A
// single element that is too large for a page is asked for so that its beginning comes alone.
func (e *endpoints) shrinks(endpoint string, a *ask, err error) bool {
	var page *decode.TooLarge
	if !errors.As(err, &page) {
		return false
	}
	size := e.client.smaller(endpoint, page)
	switch {
	case size > 0 && a.limit > 0:
		a.limit = size
	case size == 0 && page.Final && page.Elements <= page.Asked && !a.squeezed:
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
	if page.Asked == 1 {
		return fmt.Sprintf("an event of the %s endpoint has more than %s: its beginning is kept", g.name, page.Limit)
	}
	return fmt.Sprintf("pages of %d events of the %s endpoint have more than %s: asking for %d at a time", page.Asked, g.name, page.Limit, g.shrunkTo)
}
