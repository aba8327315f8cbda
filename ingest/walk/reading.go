package walk

import (
	"database/sql"
	"slices"

	"datasync/ingest/api"
	"datasync/internal/model"
)

// reading is the page that a walk has read last.
type reading struct {
	// known says that from is the request for the page.
	known bool
	from  api.Request
	total sql.Null[int64]
	// number is that of its answer among the walk's.
	number int64
	// mayCount says that the page's cursor may count from the newest event.
	mayCount bool
	// stored says that an earlier run read it. The API may have deleted events since then.
	stored bool
}

// readingOf returns the page that was read last before a checkpoint.
func readingOf(k *model.Checkpoint) reading {
	if k.Cursor == "" || api.CursorNamesEvent(k.Cursor, k.Last.V) {
		return reading{}
	}
	return reading{known: k.CursorBefore.Valid, from: api.Request{Cursor: k.CursorBefore.V}, total: k.PageTotal, mayCount: true, stored: true}
}

// behind returns the page as the one that is read last now.
func (r reading) behind(p *Page) reading {
	next := reading{known: !p.Request.Bounded || p.Request.Cursor == "", from: p.Request, total: p.Total, number: p.number}
	if n := len(p.Events); n > 0 && p.lastIsEvent {
		next.mayCount = !api.CursorNamesEvent(p.NextCursor, p.lastEvent)
	} else {
		// The cursor may name an element that is no event. All cursors of an API are of one kind.
		next.mayCount = r.mayCount || !r.known
	}
	return next
}

// totals are the API's totals in all answers of a walk, in their order. A total in an answer that the walk
// does not use otherwise may also show that the API deleted events.
type totals []seenTotal

// seenTotal is the total in the answer of that number.
type seenTotal struct{ number, total int64 }

// see records the total of an answer.
func (t *totals) see(number int64, total sql.Null[int64]) {
	if !total.Valid {
		return
	}
	i := len(*t)
	for i > 0 && (*t)[i-1].number > number {
		i--
	}
	*t = slices.Insert(*t, i, seenTotal{number, total.V})
}

// forget drops the totals before that answer.
func (t *totals) forget(before int64) {
	*t = slices.DeleteFunc(*t, func(s seenTotal) bool { return s.number < before })
}

// between returns the totals of the answers from one to another, both included.
func (t totals) between(from, to int64) (seen []int64) {
	for _, s := range t {
		if s.number >= from && s.number <= to {
			seen = append(seen, s.total)
		}
	}
	return seen
}

// fell reports whether one of these totals is less than the one before it.
func (t totals) fell(from, to int64) bool {
	return !slices.IsSorted(t.between(from, to))
}

// stayed reports whether there are at least two of these totals, and all are equal.
func (t totals) stayed(from, to int64) bool {
	seen := t.between(from, to)
	return len(seen) > 1 && slices.Min(seen) == slices.Max(seen)
}
