package model

import (
	"database/sql"
	"time"
)

// State is the progress of the walk of a window.
type State string

// The states of a window. NotBegun and Done both have no cursor, so the state must tell them apart.
const (
	NotBegun State = "not_begun"
	UnderWay State = "under_way"
	Done     State = "done"
)

// Checkpoint is the state of the walk of a window, or of a shard of one. It is committed together with
// the events that it covers.
type Checkpoint struct {
	Window int64
	// Whole is the window of which this is a shard, or the window itself.
	Whole int64
	State State
	// Begins is the upper border of a shard; without one, the walk begins at the newest event.
	// First is the position of the shard's first event, unknown before its first commit. The
	// shard above must reach that event.
	Begins sql.Null[Instant]
	First  sql.Null[Position]
	// Upper is the instant of the newest event, unknown before the first commit.
	Upper sql.Null[Instant]
	// Lower is the lower border of the walk; without one, the walk ends with the API's last page.
	// Only a split or a merge of shards changes it, never a commit.
	Lower sql.Null[Instant]
	// StartBound is the start bound, below which no event is stored; without one, all are. It is fixed
	// when the window is opened.
	StartBound sql.Null[Instant]
	// Cursor requests the page after the last committed one; "" requests the first page.
	Cursor string
	// CursorExpiresAt is when the cursor expires by the local clock; zero if the API did not say.
	CursorExpiresAt time.Time
	// Last is the oldest position down to which everything from the top of the window is stored.
	Last sql.Null[Position]
	// Pages and Events count the committed pages of the window and the events on them.
	Pages, Events int64
	// Total is the API's number of events, as of the window's first page.
	Total sql.Null[int64]
	// Unordered marks a window whose positions do not always descend.
	Unordered bool
	SinceTop
	// FailedRuns is how many consecutive runs failed at this cursor.
	FailedRuns int64
}

// SinceTop says what a walk has met since it last began at the newest event, the top of its window.
type SinceTop struct {
	// Walked counts the elements of pages since the walk last began at the newest event.
	Walked int64
	// PageTotal is the API's number of events, as of the last committed page. CursorBefore is the
	// cursor that requested this page, "" for a first page. After the total has fallen, a cursor
	// that counts from the top skips events.
	PageTotal    sql.Null[int64]
	CursorBefore sql.Null[string]
	// TopAt is when the walk last began at the newest event; zero if an older version walked.
	TopAt time.Time
	// Copies counts exact copies: elements that occur again on their page, equal in all fields.
	Copies int64
	// RanOut says that the API had no more pages above the lower border.
	RanOut bool
}

// ToTheEnd reports whether the window, or the shard, goes down to the start bound or to the API's oldest
// event. Then no older window has anything left to walk.
func (k *Checkpoint) ToTheEnd() bool { return k.Lower == k.StartBound }

// NeverBegun reports whether no page of the opened window was committed, so that another window may replace
// it. A shard is never replaced.
func (k *Checkpoint) NeverBegun() bool { return k.State == NotBegun && k.Pages == 0 && !k.IsShard() }

// IsShard reports whether the checkpoint is that of a shard below another one.
func (k *Checkpoint) IsShard() bool { return k.Begins.Valid }

// Restart moves the checkpoint to the newest event. A gap separates that from the events read before.
func (k *Checkpoint) Restart() {
	k.State, k.Cursor, k.CursorExpiresAt = UnderWay, "", time.Time{}
	k.Last, k.SinceTop, k.FailedRuns = sql.Null[Position]{}, SinceTop{}, 0
}
