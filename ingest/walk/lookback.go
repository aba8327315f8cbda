package walk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/model"

	"github.com/google/uuid"
)

// A cursor contains an event's id or timestamp, or it is an offset from the newest event. If the
// API deletes a newer event, an offset skips one event between two pages, and the total falls.
// Then the walk reads the previous page again, which has the skipped event.

// maxLookBacks is how often a page and the previous one are read again until they overlap.
const maxLookBacks = 5

// mayHaveMoved reports whether the walk may have skipped events between the last page and p.
func (w *Walk) mayHaveMoved(p *Page) bool {
	if p.Request.Cursor == "" || !w.last.mayCount {
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
			if w.scope.startBound.Valid {
				back.OutOfRange += back.CutBelow(w.scope.startBound.V, false)
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
	if errors.Is(err, api.ErrKeyRefused) || errors.Is(err, dispatch.ErrWaitTooLong) || errors.Is(err, dispatch.ErrLimited) || errors.As(err, &file) {
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

// joins reports whether no event can be between a page that was read again and the page after it, which was
// read earlier: the two overlap, or nothing has changed in between.
func (w *Walk) joins(before, after *Page) bool {
	back, next := &before.Page, &after.Page
	if back.Total.Valid && back.Total == next.Total && w.totals.stayed(after.number, before.number) && !w.last.from.Bounded {
		return true
	}
	return !w.unordered && back.Ordered && next.Ordered && len(back.Events) > 0 && len(next.Events) > 0 && back.Oldest.Compare(next.Newest) <= 0
}
