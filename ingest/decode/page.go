package decode

import (
	"database/sql"
	"slices"
	"time"

	"datasync/internal/model"
)

// Page is a whole, decoded page.
type Page struct {
	// Events and Rejects are the elements of data, each in the order of the page.
	Events   []model.Event
	Rejects  []model.Reject
	Elements int // events and rejects together
	// Damaged counts the rejects that are malformed JSON or nested too deep. Counted says that
	// meta.returned confirms the number of elements.
	Damaged int
	Counted bool
	// RejectAfter has, for each reject, the number of events before it.
	RejectAfter []int
	// anonymous has the indexes of the rejects without an identity of their own.
	anonymous []int
	// Ordered says that the positions of the events never rise, Descending that they descend
	// strictly, so that no event occurs twice.
	Ordered, Descending bool
	// Newest and Oldest are the extreme positions of the events; undefined without events.
	Newest, Oldest model.Position

	HasMore    bool
	NextCursor string        // "" if null, missing or ""
	CursorLife time.Duration // 0 if the page does not say
	Total      sql.Null[int64]
	RequestID  string
	// SecretCursor says that NextCursor contains a secret and must not be stored.
	SecretCursor bool
}

// WithheldCursor is stored in place of a cursor that contains a secret. The next run cannot use it, and
// resumes as after any expired cursor.
const WithheldCursor = "withheld"

// RedactSecrets keeps secrets outside of the elements from being stored: it clears such a request id and marks
// such a cursor.
func (p *Page) RedactSecrets(isSecret func(string) bool) {
	if isSecret(p.RequestID) {
		p.RequestID = ""
	}
	p.SecretCursor = isSecret(p.NextCursor)
}

// CutBelow removes the elements older than the start bound and returns how many: events, rejects with an
// older timestamp, and rejects without one that follow an older event. Below says that the page itself
// follows such an event.
func (p *Page) CutBelow(bound model.Instant, below bool) (removed int64) {
	before := len(p.Events) + len(p.Rejects)
	if len(p.Rejects) == 0 && len(p.Events) > 0 && p.Oldest.Timestamp >= bound {
		return 0
	}
	older := make([]bool, len(p.Events)+1) // by the number of events before an element
	older[0] = below
	for i := range p.Events {
		older[i+1] = p.Events[i].Timestamp < bound
	}
	var kept []model.Reject
	for i, r := range p.Rejects {
		if r.Timestamp.Valid && r.Timestamp.V >= bound || !r.Timestamp.Valid && !older[p.RejectAfter[i]] {
			kept = append(kept, r)
		}
	}
	p.Rejects, p.RejectAfter = kept, nil
	p.Events = slices.DeleteFunc(p.Events, func(e model.Event) bool { return e.Timestamp < bound })
	p.SetRange()
	return int64(before - len(p.Events) - len(p.Rejects))
}

// CutAbove removes the rejects before the first event, and returns how many.
func (p *Page) CutAbove() (removed int64) {
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

// SetRange sets Newest and Oldest. It needs Ordered.
func (p *Page) SetRange() {
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

// Reaches reports whether the page has the event, or begins below its position. Unordered says that the
// positions of the API's events may rise, so that only the event itself counts.
func (p *Page) Reaches(event model.Position, unordered bool) bool {
	if !unordered && p.Newest.Compare(event) < 0 {
		return true
	}
	return (unordered || p.Oldest.Compare(event) <= 0) &&
		slices.ContainsFunc(p.Events, func(e model.Event) bool { return e.Position() == event })
}
