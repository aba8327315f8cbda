package model

import (
	"database/sql"
	"time"
)

// State says how far a window has been walked.
type State string

// The states of a window. They are three, so that "not begun" and "done", which
// both have no cursor, cannot be taken for each other.
const (
	NotBegun State = "not_begun"
	UnderWay State = "under_way"
	Done     State = "done"
)

// Checkpoint is where the walk of a window stands. It is committed with the
// events that it speaks of.
type Checkpoint struct {
	Window int64
	// Whole is the window of which this is a part that is walked beside the others, or
	// the window itself.
	Whole int64
	State State
	// Begins is the border below which a part was split off; without one the walk begins
	// at the newest event of all. First is the position of the event with which the part
	// began, unknown until its first page was committed: the part above must reach it.
	Begins sql.Null[Instant]
	First  sql.Null[Position]
	// Upper is the instant of the window's newest event, unknown until its first
	// page was committed.
	Upper sql.Null[Instant]
	// Lower is the border that the walk goes down to; without one it goes to the
	// end of what the API has. A commit does not change it: Split and Join do.
	Lower sql.Null[Instant]
	// Floor is the border below which no events are wanted at all; without one all
	// are. It does not change once the window is open.
	Floor sql.Null[Instant]
	// Cursor leads to the page after the last committed one; empty where the next
	// page is the first.
	Cursor string
	// CursorExpiresAt is when the cursor will die by our clock, zero where the
	// API did not say.
	CursorExpiresAt time.Time
	// Last is the oldest position up to which everything from the top of the
	// window is stored.
	Last sql.Null[Position]
	// Pages and Events count what was committed for the window: its rows of the
	// page log, and the events on them.
	Pages, Events int64
	// Walked counts what pages returned since the walk was last at the top.
	Walked int64
	// Total is how many events the API said to have, as of the window's first page.
	Total sql.Null[int64]
	// Unordered marks a window in which positions were seen that do not descend.
	Unordered bool
	// PageTotal is how many events the API said to have, as of the page behind which the walk
	// stands, and CursorBefore the cursor that asked for that page, "" where none did. A
	// cursor that counts from the top leads past events where the total has fallen since.
	PageTotal    sql.Null[int64]
	CursorBefore sql.Null[string]
	// TopAt is when the walk was last at the newest event, zero where an older version
	// walked.
	TopAt time.Time
	// Copies counts the elements that came twice on their pages, alike in all fields.
	Copies int64
	// RanOut says that the API had no more pages before the walk reached the lower border.
	RanOut bool
	// FailedRuns is how many runs in a row failed while the walk stood at this cursor.
	FailedRuns int64
}

// ToTheEnd reports whether the window, or the part of one, goes down to the end of all
// that is wanted, so that older windows have nothing left to walk.
func (k *Checkpoint) ToTheEnd() bool { return k.Lower == k.Floor }

// NeverBegun reports whether the window was opened and no page of it committed, so that
// another one may take its place. A part's place is its own.
func (k *Checkpoint) NeverBegun() bool { return k.State == NotBegun && k.Pages == 0 && !k.IsPart() }

// IsPart reports whether it was split off from a window.
func (k *Checkpoint) IsPart() bool { return k.Begins.Valid }

// Restart moves the checkpoint to the newest event: what was read before lies behind a gap.
func (k *Checkpoint) Restart() {
	k.State, k.Cursor, k.CursorExpiresAt = UnderWay, "", time.Time{}
	k.Last, k.Walked, k.Copies, k.RanOut, k.FailedRuns = sql.Null[Position]{}, 0, 0, false, 0
	k.PageTotal, k.CursorBefore, k.TopAt = sql.Null[int64]{}, sql.Null[string]{}, time.Time{}
}
