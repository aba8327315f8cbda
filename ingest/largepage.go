package ingest

import (
	"datasync/ingest/api"
	"datasync/ingest/decode"
	"errors"
	"fmt"
)

// shrinks reports whether the endpoint is to be asked once more because err says that its last page
// was too large, and changes what it is to be asked for. That costs no time of those for retries. A
// single element that is too large for a page is asked for so that its beginning comes alone.
func (e *endpoints) shrinks(endpoint string, a *api.Request, err error) bool {
	var page *decode.TooLarge
	if !errors.As(err, &page) {
		return false
	}
	size := e.client.PageTooLarge(endpoint, page)
	switch {
	case size > 0 && a.Limit > 0:
		a.Limit = size
	case size == 0 && page.Final && page.Elements <= page.Asked && !a.Squeezed:
		a.Limit, a.Squeezed = 1, true
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
