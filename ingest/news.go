package ingest

import "datasync/internal/store"

// news counts what is new in a window above others. When as much has come from
// above their top as the API has more than is stored, nothing can have come late,
// below it, and the walk need not look down to its lower border. (That is not seen
// where as many events were deleted by the API as came late.)
type news struct {
	top  store.Instant // newest of what is stored
	have int64         // elements that are stored
	// expected is how many elements the API has more, as of the first page.
	expected int64
	begun    bool
	above    int64
	unsure   bool // what was counted cannot be told from what is stored
}

// allRead takes in a page that follows after trail, and reports whether all that is
// new has been read with it.
func (n *news) allRead(p *page, trail *trail) bool {
	if !n.begun {
		n.begun = true
		n.expected, n.unsure = p.total.V-n.have, !p.total.Valid
	}
	n.unsure = n.unsure || !p.descending || trail.begun && len(p.events) > 0 && p.events[0].Position() == trail.before
	reached := false
	for i := range p.events {
		if p.events[i].Timestamp > n.top {
			n.above++
		} else {
			reached = true
		}
	}
	// A reject on a page that reaches the top may be new or not.
	n.above += int64(len(p.rejects))
	n.unsure = n.unsure || reached && len(p.rejects) > 0
	return reached && !n.unsure && n.above == n.expected
}
