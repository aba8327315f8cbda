package walk

import (
	"datasync/internal/model"
	"errors"
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
