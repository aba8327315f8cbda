package walk

import (
	"errors"

	"datasync/internal/model"
)

// Errors that callers test for with errors.Is.
var (
	// ErrNoProgress: cursors expire before the walk gets further down.
	ErrNoProgress = model.NewFailure(model.ExitAPI, "no-headway", "no progress: cursors keep expiring")
	// ErrMissing: the API says that it has more events than came.
	ErrMissing = model.NewFailure(model.ExitData, "events-missing", "events are missing")
	// ErrLoop: the pages form a loop, or go on without end.
	ErrLoop = model.NewFailure(model.ExitData, "page-loop", "the pages do not end")
	// ErrNoCursor: a page says that there are more, but has no cursor.
	ErrNoCursor = model.NewFailure(model.ExitData, "page-loop", "a page announces more pages but has no cursor")
	// ErrUnreachable: only a walk from the newest event can reach the rest of a shard.
	ErrUnreachable = errors.New("the shard cannot be resumed")
)

// Errors that a page shows about the walk that requested it.
var (
	// ErrNotProven: the page does not follow the walk's last one.
	ErrNotProven = errors.New("the page does not continue the walk")
	// ErrNothingLeft: below the border at which a shard begins there are no events.
	ErrNothingLeft = errors.New("no events are left")
	// ErrEndsTooEarly: a page says that it is the last one, but known events are below it.
	ErrEndsTooEarly = errors.New("a page says that it is the last one, but known events follow")
)

// errMoved: the walk may have skipped events, and reading the previous page again has not ruled that out.
var errMoved = errors.New("the API deleted events during the walk, so the walk may have skipped others")
