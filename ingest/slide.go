package ingest

import (
	"context"
	"database/sql"
	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// A cursor contains an event's id or timestamp, or it is an offset from the newest event. If the
// API deletes a newer event, an offset skips one event between two pages, and the total falls.
// Then the walk reads the previous page again, which has the skipped event.

// errSlid: events may have slid past the walk, and reading the page before again has not shown
// that none did.
var errSlid = errors.New("events were deleted while pages were read, and others may have slid past")

// mostLookBacks is how often a page and the one before it are read again for them to fit.
const mostLookBacks = 5

// reading is the page behind which a walk stands.
type reading struct {
	known bool
	from  api.Request
	total sql.Null[int64]
	// came numbers the answers that the walk has got.
	came int64
	// slides says that the cursor which came with it may count from the newest event.
	slides bool
	// stored says that an earlier run read it. The API may have deleted events since then.
	stored bool
}

// readingOf returns the page behind which a checkpoint stands.
func readingOf(k *model.Checkpoint) reading {
	if k.Cursor == "" || namesPlace(k.Cursor, k.Last.V) {
		return reading{}
	}
	return reading{known: k.CursorBefore.Valid, from: api.Request{Cursor: k.CursorBefore.V}, total: k.PageTotal, slides: true, stored: true}
}

// behind returns the page as the one behind which the walk stands now.
func (r reading) behind(p *walked) reading {
	next := reading{known: !p.from.Bounded || p.from.Cursor == "", from: p.from, total: p.page.Total, came: p.came}
	if n := len(p.page.Events); n > 0 && p.lastIsEvent {
		next.slides = !namesPlace(p.page.NextCursor, p.lastEvent)
	} else {
		// The cursor may name an element that is no event. Cursors are of one kind.
		next.slides = r.slides || !r.known
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

// maySlide reports whether events may have slid past between the page behind which the walk
// stands and p.
func (w *walk) maySlide(p *walked) bool {
	if p.from.Cursor == "" || !w.last.slides {
		return false
	}
	return w.last.stored || fell(w.last.total, p.page.Total) || w.totals.fell(w.last.came, p.came)
}

// lookBack reads the page before p again. If the two pages do not overlap, it reads p again, too. It
// returns the page before p if the walk must store it, or nil. It fails with errSlid if the walk
// may have skipped events.
func (w *walk) lookBack(ctx context.Context, p *walked) (*walked, error) {
	if !w.last.known {
		return nil, errSlid
	}
	for range mostLookBacks {
		back, err := w.get(ctx, w.last.from)
		if err != nil {
			return nil, w.notRead(err)
		}
		if !w.follows(&back.page) {
			w.sheets.Release(back.sheet)
			return nil, errSlid
		}
		fits := w.fits(&back, p)
		if !fits && back.page.HasMore {
			next, err := w.get(ctx, api.Request{Cursor: back.page.NextCursor})
			if err != nil {
				w.sheets.Release(back.sheet)
				return nil, w.notRead(err)
			}
			w.replace(p, &next, &back)
			fits = !fell(back.page.Total, p.page.Total) && !w.totals.fell(back.came, p.came)
		} else if !fits {
			// Nothing follows any more.
			w.replace(p, &back, nil)
			return nil, nil
		}
		if fits {
			back.held, back.resumed, back.unordered = true, true, w.unordered
			back.outside += back.page.DropAnonymous()
			if w.floor.Valid {
				back.outside += back.page.CutBelow(w.floor.V, false)
			}
			return &back, nil
		}
		w.sheets.Release(back.sheet)
	}
	return nil, errSlid
}

// notRead is the error where a page cannot be read again, as its cursor has expired since, say.
// There may be other ways on.
func (w *walk) notRead(err error) error {
	var file *model.FileError
	if errors.Is(err, api.ErrKeyRefused) || errors.Is(err, dispatch.ErrClosed) || errors.Is(err, dispatch.ErrLimited) || errors.As(err, &file) {
		return err
	}
	return fmt.Errorf("%w: %w", errNotProven, err)
}

// replace puts another reading in the place of p, which comes behind before.
func (w *walk) replace(p, by, before *walked) {
	w.sheets.Release(p.sheet)
	by.resumed = true
	*p = *by
	event := w.before()
	if before != nil && before.lastIsEvent {
		event = uuid.NullUUID{UUID: before.lastEvent.ID, Valid: true}
	}
	w.alike.Counts = nil
	p.page.NameAnonymous(event, &w.alike)
	p.open = len(w.alike.Counts) > 0
}

// fell reports whether a total is less than the one before.
func fell(before, after sql.Null[int64]) bool {
	return before.Valid && after.Valid && after.V < before.V
}

// follows reports whether the page before, as read again, begins no later than where the walk has
// stored events.
func (w *walk) follows(back *decode.Page) bool {
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
func (w *walk) fits(before, after *walked) bool {
	back, next := &before.page, &after.page
	if back.Total.Valid && back.Total == next.Total && w.totals.stayed(after.came, before.came) && !w.last.from.Bounded {
		return true
	}
	return !w.unordered && back.Ordered && next.Ordered && len(back.Events) > 0 && len(next.Events) > 0 && back.Oldest.Compare(next.Newest) <= 0
}
