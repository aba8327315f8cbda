package walk

import (
	"errors"

	"datasync/internal/model"
)

// What others test for with errors.Is.
var (
	// ErrNoProgress: cursors expire before the walk gets further down.
	ErrNoProgress = model.NewFailure(model.ExitAPI, "no-headway", "no progress: cursors keep expiring")
	// ErrMissing: the API says that it has more events than came.
	ErrMissing = model.NewFailure(model.ExitData, "events-missing", "events are missing")
	// ErrLoop: the pages form a loop, or go on without end.
	ErrLoop = model.NewFailure(model.ExitData, "page-loop", "the pages do not end")
	// ErrNoCursor: a page says that there are more, but has no cursor.
	ErrNoCursor = model.NewFailure(model.ExitData, "page-loop", "a page announces more pages but has no cursor")
	// ErrUnreachable: a shard cannot be walked on because only a walk from the newest event leads to where
	// it stands.
	ErrUnreachable = errors.New("no way leads to where the part stands")
)

// What a page says about the walk that requested it.
var (
	// ErrNotProven: the page does not follow where the walk stood.
	ErrNotProven = errors.New("what came is not what follows")
	// ErrNothingLeft: below the border at which a shard begins there are no events.
	ErrNothingLeft = errors.New("nothing is left")
	// ErrEndsTooEarly: a page says that it is the last one, but known events lie below it.
	ErrEndsTooEarly = errors.New("a page says that it is the last one, and is not")
)

// errMoved: the walk may have skipped events, and reading the previous page again has not shown that it did
// not.
var errMoved = errors.New("the API deleted events during the walk, so the walk may have skipped others")
