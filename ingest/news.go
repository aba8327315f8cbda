package ingest

import "datasync/internal/store"

// news counts what is new in a window above others. When as much has come from
// above the newest event that is stored as the API has more than is stored, nothing
// can have come late, below it, and the walk need not look down to its lower border.
// That holds where the file had just as many elements before as the API then said. (It
// is not seen where since then as many events were deleted by the API as came late.)
type news struct {
	held store.Held // before the walk
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
		n.expected, n.unsure = p.total.V-n.held.Elements, !p.total.Valid || !n.held.Newest.Valid
	}
	n.unsure = n.unsure || !p.descending || trail.begun && len(p.events) > 0 && p.events[0].Position() == trail.before
	top := n.held.Newest.V
	newer := 0
	for newer < len(p.events) && p.events[newer].Position().Compare(top) > 0 {
		newer++
	}
	n.above += int64(newer)
	reached := newer < len(p.events)
	for i, r := range p.rejects {
		switch {
		case r.Timestamp.Valid && r.Timestamp.V > max(top.Timestamp, n.held.NewestReject.V), !r.Timestamp.Valid && p.rejectAfter[i] < newer:
			n.above++
		case !r.Timestamp.Valid && p.rejectAfter[i] == newer:
			// It stands on the border: it may be new or not.
			n.unsure = true
		}
	}
	return reached && !n.unsure && n.above == n.expected
}

// left is how many new elements have not come yet.
func (n *news) left() int64 { return max(0, n.expected-n.above) }
