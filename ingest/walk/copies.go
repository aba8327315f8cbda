package walk

import (
	"database/sql"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// repeated says whether events of earlier pages on this one are exact copies.
type repeated struct {
	// counts says that they are: the cursor counts, and no newer event arrived.
	counts bool
	// atBorder says that the page continues in order: then only last, the last event of the page before,
	// can be a copy.
	atBorder bool
	last     model.Position
}

// countCopies counts the exact copies on a page: elements equal in all fields. Low is how far the walk had
// read before. Elements that the shard below counts are left out, and those up to known, the newest event of
// older windows, which were counted then.
func (p *Page) countCopies(low sql.Null[model.Position], known sql.Null[model.Instant], again repeated) {
	events := p.Events
	if again.counts && len(events) > 0 {
		// The page repeats events of the page before although no newer event moved them here.
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
