package walk

import "errors"

// What others test for with errors.Is.
var (
	// ErrNoProgress: cursors expire before the walk gets further down.
	ErrNoProgress = errors.New("the walk does not get on")
	// ErrMissing: the API says that it has more events than came.
	ErrMissing = errors.New("events are missing")
	// ErrLoop: the pages form a loop, or go on without end.
	ErrLoop = errors.New("the pages do not come to an end")
	// ErrNoCursor: a page says that there are more, but has no cursor.
	ErrNoCursor = errors.New("a page says that there are more but has no cursor")
	// ErrUnreachable: a shard cannot be walked on because only a walk from the newest event leads to where
	// it stands.
	ErrUnreachable = errors.New("no way leads to where the part stands")
)
