package walk

import (
	"database/sql"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// repeated says whether events of earlier pages that come again are copies: the cursor counts, and no
// event came on top. Where atBorder is set, the page goes on in order, and only the last event of the one before counts.
type repeated struct {
	counts, atBorder bool
	last             model.Position
}

// countCopies counts the elements of a page that came twice on it, alike in all fields: those below
// where the walk stood, above the part below, and above the newest event of older windows, whose
// copies were counted then.
func (p *Page) countCopies(low sql.Null[model.Position], known sql.Null[model.Instant], again repeated) {
	events := p.Events
	if again.counts && len(events) > 0 {
		// What the page before had comes once more, though nothing came on top.
		for i := range events {
			if at := events[i].Position(); low.Valid && at.Compare(low.V) >= 0 && (at == again.last || !again.atBorder) && (!known.Valid || at.Timestamp > known.V) {
				p.Copies++
			}
		}
	}
	if p.Descending {
		return
	}
	var first map[uuid.UUID]int
	if !p.Ordered {
		first = make(map[uuid.UUID]int, len(events))
	}
	for i := range events {
		earlier, twice := i-1, i > 0
		if first != nil {
			if earlier, twice = first[events[i].ID]; !twice {
				first[events[i].ID] = i
			}
		}
		at := events[i].Position()
		if twice && events[earlier] == events[i] && (!low.Valid || at.Compare(low.V) < 0) && (!known.Valid || at.Timestamp > known.V) &&
			(!p.Reached.Valid || at.Compare(p.Reached.V) > 0) {
			p.Copies++
		}
	}
}
