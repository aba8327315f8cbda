package ingest

import "errors"

// What others test for with errors.Is.
var (
	// ErrNoHeadway: cursors die before the walk gets further down.
	ErrNoHeadway = errors.New("the walk does not get on")
	// ErrMissing: fewer events came than the API says to have.
	ErrMissing = errors.New("events are missing")
	// ErrLoop: the API leads in a circle, or on without end.
	ErrLoop = errors.New("the pages do not come to an end")
	// ErrNoCursor: a page says that there are more, but not where.
	ErrNoCursor = errors.New("a page says that there are more but has no cursor")
)
