package walk

import (
	"database/sql"

	"datasync/ingest/api"
	"datasync/internal/model"
)

// Bounds says how far a walk goes: the borders of its window, or of its shard of one. They may move
// during the walk. One goroutine, the walk's, calls it.
type Bounds interface {
	// FirstRequest returns the request for the first page of a shard that has not begun, and the newest instant
	// that this page may contain.
	FirstRequest() (first api.Request, bound model.Instant)
	// SetFirst says which event the shard begins with, on a page whose newest event is given. It returns an
	// error, ErrNotProven, if no walk would read the events above that page.
	SetFirst(first, newest model.Position) error
	// Border returns an instant above which the walk does not end, if there is one.
	Border() sql.Null[model.Instant]
	// AddPage records the page that the walk has read last, and reports whether the walk ends with it. It
	// sets Reached and RanOut of the page, and fails with ErrEndsTooEarly.
	AddPage(p *Page, unordered bool) (last bool, err error)
}

// Observer receives the incidents of a walk. Any goroutine calls it.
type Observer interface {
	// RejectSeen gets an element that cannot be an event, whose memory is reused.
	RejectSeen(r *model.Reject)
	// NotReadAgain counts the rejects of a page that was not requested once more.
	NotReadAgain(rejects int)
	// Resumed says how a walk resumes after it has failed. Text tells the user, with the cause.
	Resumed(way Way, text string)
}

// Way is a way in which a walk resumes after it has failed.
type Way string

// The ways, in the order in which a walk tries them.
const (
	ByLastEvent     Way = "by the time of the last event"
	ByRenewedCursor Way = "by a renewed cursor"
	FromNewestEvent Way = "from the newest event"
)
