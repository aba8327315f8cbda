package walk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/model"

	"github.com/google/uuid"
)

// A cursor contains an event's id or timestamp, or it is an offset from the newest event. If the
// API deletes a newer event, an offset skips one event between two pages, and the total falls.
// Then the walk reads the previous page again, which has the skipped event.

// errMoved: events may have slid past the walk, and reading the page before again has not shown
// that none did.
var errMoved = errors.New("events were deleted while pages were read, and others may have slid past")

// mostLookBacks is how often a page and the one before it are read again for them to fit.
const mostLookBacks = 5

// reading is the page behind which a walk stands.
type reading struct {
	known bool
	from  api.Request
	total sql.Null[int64]
	// number is that of its answer among the walk's.
	number int64
	// shifts says that the cursor which came with it may count from the newest event.
	shifts bool
	// stored says that an earlier run read it. The API may have deleted events since then.
	stored bool
}

// readingOf returns the page behind which a checkpoint stands.
func readingOf(k *model.Checkpoint) reading {
	if k.Cursor == "" || NamesEvent(k.Cursor, k.Last.V) {
		return reading{}
	}
	return reading{known: k.CursorBefore.Valid, from: api.Request{Cursor: k.CursorBefore.V}, total: k.PageTotal, shifts: true, stored: true}
}

// behind returns the page as the one behind which the walk stands now.
func (r reading) behind(p *Page) reading {
	next := reading{known: !p.Request.Bounded || p.Request.Cursor == "", from: p.Request, total: p.Total, number: p.number}
	if n := len(p.Events); n > 0 && p.lastIsEvent {
		next.shifts = !NamesEvent(p.NextCursor, p.lastEvent)
	} else {
		// The cursor may name an element that is no event. Cursors are of one kind.
		next.shifts = r.shifts || !r.known
	}
	return next
}

// totals are those of all answers that a walk has got, in the order in which they came: one that
// is not used otherwise may show that events left the API, too.
type totals []seenTotal

type seenTotal struct{ came, total int64 }

// see takes in the total of the page of an answer.
func (t *totals) see(came int64, total sql.Null[int64]) {
	if !total.Valid {
		return
	}
	i := len(*t)
	for i > 0 && (*t)[i-1].came > came {
		i--
	}
	*t = slices.Insert(*t, i, seenTotal{came, total.V})
}

// forget drops what came before that answer.
func (t *totals) forget(before int64) {
	*t = slices.DeleteFunc(*t, func(s seenTotal) bool { return s.came < before })
}

// between returns the totals of the answers from one to another, both included.
func (t totals) between(from, to int64) (seen []int64) {
	for _, s := range t {
		if s.came >= from && s.came <= to {
			seen = append(seen, s.total)
		}
	}
	return seen
}

// fell reports whether a total was less than the one before it among those.
func (t totals) fell(from, to int64) bool {
	seen := t.between(from, to)
	return !slices.IsSorted(seen)
}

// stayed reports whether there are some among those, and all of them are the same.
func (t totals) stayed(from, to int64) bool {
	seen := t.between(from, to)
	return len(seen) > 1 && slices.Min(seen) == slices.Max(seen)
}

// mayHaveMoved reports whether events may have slid past between the page behind which the walk
// stands and p.
func (w *Walk) mayHaveMoved(p *Page) bool {
	if p.Request.Cursor == "" || !w.last.shifts {
		return false
	}
	return w.last.stored || fell(w.last.total, p.Total) || w.totals.fell(w.last.number, p.number)
}

// lookBack reads the page before p again. If the two pages do not overlap, it reads p again, too. It
// returns the page before p if the walk must store it, or nil. It fails with errMoved if the walk
// may have skipped events.
func (w *Walk) lookBack(ctx context.Context, p *Page) (*Page, error) {
	if !w.last.known {
		return nil, errMoved
	}
	for range mostLookBacks {
		back, err := w.requestWhole(ctx, w.last.from)
		if err != nil {
			return nil, w.notRead(err)
		}
		if !w.follows(&back.Page) {
			w.Buffers.Release(back.Buffer)
			return nil, errMoved
		}
		fits := w.fits(&back, p)
		if !fits && back.HasMore {
			next, err := w.requestWhole(ctx, api.Request{Cursor: back.NextCursor})
			if err != nil {
				w.Buffers.Release(back.Buffer)
				return nil, w.notRead(err)
			}
			w.replace(p, &next, &back)
			fits = !fell(back.Total, p.Total) && !w.totals.fell(back.number, p.number)
		} else if !fits {
			// Nothing follows any more.
			w.replace(p, &back, nil)
			return nil, nil
		}
		if fits {
			back.Provisional, back.Resumed, back.Unordered = true, true, w.unordered
			back.OutOfRange += back.DropAnonymous()
			if w.scope.floor.Valid {
				back.OutOfRange += back.CutBelow(w.scope.floor.V, false)
			}
			return &back, nil
		}
		w.Buffers.Release(back.Buffer)
	}
	return nil, errMoved
}

// notRead is the error where a page cannot be read again, as its cursor has expired since, say.
// There may be other ways on.
func (w *Walk) notRead(err error) error {
	var file *model.FileError
	if errors.Is(err, api.ErrKeyRefused) || errors.Is(err, dispatch.ErrClosed) || errors.Is(err, dispatch.ErrLimited) || errors.As(err, &file) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNotProven, err)
}

// replace puts another reading in the place of p, which comes behind before.
func (w *Walk) replace(p, by, before *Page) {
	w.Buffers.Release(p.Buffer)
	by.Resumed = true
	*p = *by
	event := w.before()
	if before != nil && before.lastIsEvent {
		event = uuid.NullUUID{UUID: before.lastEvent.ID, Valid: true}
	}
	w.anonymous.Counts = nil
	p.NameAnonymous(event, &w.anonymous)
	p.Open = len(w.anonymous.Counts) > 0
}

// fell reports whether a total is less than the one before.
func fell(before, after sql.Null[int64]) bool {
	return before.Valid && after.Valid && after.V < before.V
}

// follows reports whether the page before, as read again, begins no later than where the walk has
// stored events.
func (w *Walk) follows(back *decode.Page) bool {
	switch {
	case !w.low.Valid:
		return true
	case w.unordered || !back.Ordered:
		// Positions say nothing: no more than a page may have slid.
		return w.last.total.Valid && back.Total.Valid && w.last.total.V-back.Total.V < int64(back.Elements)
	}
	return len(back.Events) > 0 && back.Newest.Compare(w.low.V) >= 0
}

// fits reports whether nothing lies between the page before, which was read again, and the one
// after it, which was read earlier: they overlap, or nothing has changed in between.
func (w *Walk) fits(before, after *Page) bool {
	back, next := &before.Page, &after.Page
	if back.Total.Valid && back.Total == next.Total && w.totals.stayed(after.number, before.number) && !w.last.from.Bounded {
		return true
	}
	return !w.unordered && back.Ordered && next.Ordered && len(back.Events) > 0 && len(next.Events) > 0 && back.Oldest.Compare(next.Newest) <= 0
}
