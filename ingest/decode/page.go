package decode

import (
	"database/sql"
	"slices"
	"time"

	"datasync/internal/model"
)

// Page is a whole, decoded page.
type Page struct {
	// Events and Rejects are the elements of data, each in the order they came.
	Events   []model.Event
	Rejects  []model.Reject
	Elements int // events and rejects together
	// Damaged counts the rejects that are no JSON; Counted says that the page tells how many
	// elements it has.
	Damaged int
	Counted bool
	// RejectAfter says of each reject how many events came before it; anonymous has the
	// indexes of those that show nothing by which they could be told from their like.
	RejectAfter []int
	anonymous   []int
	// Ordered says that the positions of the events never rise, Descending that they
	// descend strictly: no event comes twice.
	Ordered, Descending bool
	// Newest and Oldest are the positions of events between which all others lie. They
	// mean nothing where there are no events.
	Newest, Oldest model.Position

	HasMore    bool
	NextCursor string        // "" where null, missing or ""
	CursorLife time.Duration // 0 where the page does not say
	Total      sql.Null[int64]
	RequestID  string
	// SecretCursor says that a secret stands in NextCursor, which is not to be stored.
	SecretCursor bool
}

// WithheldCursor is stored in the place of a cursor with a secret in it. It leads nowhere: the
// next run finds another way on, as after any cursor that has died.
const WithheldCursor = "withheld"

// Withhold sees to it that nothing is stored of a page but its elements that has a secret in it.
func (p *Page) Withhold(isSecret func(string) bool) {
	if isSecret(p.RequestID) {
		p.RequestID = ""
	}
	p.SecretCursor = isSecret(p.NextCursor)
}

// CutBelow leaves out what is older than floor: events, and rejects that show an
// older instant or stand behind an event which is older; below says that the page itself stands
// behind such a one. It returns how many.
func (p *Page) CutBelow(floor model.Instant, below bool) (outside int64) {
	before := len(p.Events) + len(p.Rejects)
	if len(p.Rejects) == 0 && len(p.Events) > 0 && p.Oldest.Timestamp >= floor {
		return 0
	}
	older := make([]bool, len(p.Events)+1) // one place further: what stands behind it
	older[0] = below
	for i := range p.Events {
		older[i+1] = p.Events[i].Timestamp < floor
	}
	var kept []model.Reject
	for i, r := range p.Rejects {
		if r.Timestamp.Valid && r.Timestamp.V >= floor || !r.Timestamp.Valid && !older[p.RejectAfter[i]] {
			kept = append(kept, r)
		}
	}
	p.Rejects, p.RejectAfter = kept, nil
	p.Events = slices.DeleteFunc(p.Events, func(e model.Event) bool { return e.Timestamp < floor })
	p.Bound()
	return int64(before - len(p.Events) - len(p.Rejects))
}

// CutAbove leaves out the rejects that stand above the first event, and returns how many
// there were.
func (p *Page) CutAbove() (outside int64) {
	n := 0
	for n < len(p.Rejects) && p.RejectAfter[n] == 0 {
		n++
	}
	p.Rejects, p.RejectAfter = p.Rejects[n:], p.RejectAfter[n:]
	p.anonymous = slices.DeleteFunc(p.anonymous, func(i int) bool { return i < n })
	for i := range p.anonymous {
		p.anonymous[i] -= n
	}
	return int64(n)
}

// Bound finds the newest and the oldest position.
func (p *Page) Bound() {
	n := len(p.Events)
	if n == 0 {
		p.Newest, p.Oldest = model.Position{}, model.Position{}
		return
	}
	p.Newest, p.Oldest = p.Events[0].Position(), p.Events[n-1].Position()
	if p.Ordered {
		return
	}
	for i := range p.Events {
		at := p.Events[i].Position()
		if at.Compare(p.Newest) > 0 {
			p.Newest = at
		}
		if at.Compare(p.Oldest) < 0 {
			p.Oldest = at
		}
	}
}

// Reaches reports whether the page has the event, or begins below where it should have been.
func (p *Page) Reaches(event model.Position, unordered bool) bool {
	if !unordered && p.Newest.Compare(event) < 0 {
		return true
	}
	return (unordered || p.Oldest.Compare(event) <= 0) &&
		slices.ContainsFunc(p.Events, func(e model.Event) bool { return e.Position() == event })
}
