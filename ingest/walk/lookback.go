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

// errMoved: the walk may have skipped events, and reading the previous page again has not shown that it did
// not.
var errMoved = errors.New("the API deleted events during the walk, so the walk may have skipped others")

// maxLookBacks is how often a page and the previous one are read again until they overlap.
const maxLookBacks = 5

// reading is the page that a walk has read last.
type reading struct {
	// known says that from is the request for the page.
	known bool
	from  api.Request
	total sql.Null[int64]
	// number is that of its answer among the walk's.
	number int64
	// shifts says that the page's cursor may count from the newest event.
	shifts bool
	// stored says that an earlier run read it. The API may have deleted events since then.
	stored bool
}

// readingOf returns the page that was read last before a checkpoint.
func readingOf(k *model.Checkpoint) reading {
	if k.Cursor == "" || NamesEvent(k.Cursor, k.Last.V) {
		return reading{}
	}
	return reading{known: k.CursorBefore.Valid, from: api.Request{Cursor: k.CursorBefore.V}, total: k.PageTotal, shifts: true, stored: true}
}

// behind returns the page as the one that is read last now.
func (r reading) behind(p *Page) reading {
	next := reading{known: !p.Request.Bounded || p.Request.Cursor == "", from: p.Request, total: p.Total, number: p.number}
	if n := len(p.Events); n > 0 && p.lastIsEvent {
		next.shifts = !NamesEvent(p.NextCursor, p.lastEvent)
	} else {
		// The cursor may name an element that is no event. All cursors of an API are of one kind.
		next.shifts = r.shifts || !r.known
	}
	return next
}

// totals are the API's totals in all answers of a walk, in their order. A total in an answer that the walk
// does not use otherwise may also show that the API deleted events.
type totals []seenTotal

// seenTotal is the total in the answer of that number.
type seenTotal struct{ number, total int64 }

// see takes in the total of an answer.
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

// mayHaveMoved reports whether the walk may have skipped events between the last page and p.
func (w *Walk) mayHaveMoved(p *Page) bool {
	if p.Request.Cursor == "" || !w.last.shifts {
		return false
	}
	return w.last.stored || fell(w.last.total, p.Total) || w.totals.fell(w.last.number, p.number)
}

// lookBack reads the page before p again. If the two pages do not overlap, it reads p again, too. It
// returns the page before p if the walk must store it, or nil. It fails with errMoved if the walk may have
// skipped events.
func (w *Walk) lookBack(ctx context.Context, p *Page) (*Page, error) {
	if !w.last.known {
		return nil, errMoved
	}
	for range maxLookBacks {
		back, err := w.requestWhole(ctx, w.last.from)
		if err != nil {
			return nil, w.notRead(err)
		}
		if !w.startsAbove(&back.Page) {
			w.Buffers.Release(back.Buffer)
			return nil, errMoved
		}
		joined := w.joins(&back, p)
		if !joined && back.HasMore {
			next, err := w.requestWhole(ctx, api.Request{Cursor: back.NextCursor})
			if err != nil {
				w.Buffers.Release(back.Buffer)
				return nil, w.notRead(err)
			}
			w.replace(p, &next, &back)
			joined = !fell(back.Total, p.Total) && !w.totals.fell(back.number, p.number)
		} else if !joined {
			// The page before is the last one now.
			w.replace(p, &back, nil)
			return nil, nil
		}
		if joined {
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

// notRead returns the error of a page that cannot be read again, for example because its cursor has expired.
// It is ErrNotProven if there may be other ways on.
func (w *Walk) notRead(err error) error {
	var file *model.FileError
	if errors.Is(err, api.ErrKeyRefused) || errors.Is(err, dispatch.ErrClosed) || errors.Is(err, dispatch.ErrLimited) || errors.As(err, &file) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNotProven, err)
}

// replace replaces p by another reading. Before is the page before it, if that was read again.
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

// fell reports whether a total is known to be less than the one before.
func fell(before, after sql.Null[int64]) bool {
	return before.Valid && after.Valid && after.V < before.V
}

// startsAbove reports whether the page before, as read again, starts at or above the oldest event that the
// walk has read.
func (w *Walk) startsAbove(back *decode.Page) bool {
	switch {
	case !w.low.Valid:
		return true
	case w.unordered || !back.Ordered:
		// Positions prove nothing here, so the API must have deleted less than a page.
		return w.last.total.Valid && back.Total.Valid && w.last.total.V-back.Total.V < int64(back.Elements)
	}
	return len(back.Events) > 0 && back.Newest.Compare(w.low.V) >= 0
}

// joins reports whether no event can lie between a page that was read again and the page after it, which was
// read earlier: the two overlap, or nothing has changed in between.
func (w *Walk) joins(before, after *Page) bool {
	back, next := &before.Page, &after.Page
	if back.Total.Valid && back.Total == next.Total && w.totals.stayed(after.number, before.number) && !w.last.from.Bounded {
		return true
	}
	return !w.unordered && back.Ordered && next.Ordered && len(back.Events) > 0 && len(next.Events) > 0 && back.Oldest.Compare(next.Newest) <= 0
}
