package store

import (
	"bytes"
	"cmp"
	"database/sql"
	"time"

	"github.com/google/uuid"
)

// Instant is a point in time in microseconds since 1970-01-01T00:00:00Z, the
// resolution in which DuckDB keeps a TIMESTAMPTZ.
type Instant int64

// Time returns the instant as a time.Time in UTC.
func (i Instant) Time() time.Time { return time.UnixMicro(int64(i)).UTC() }

// InstantOf returns t as an Instant; what is finer than a microsecond is cut off.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMicro()) }

// Position is a place in the API's order, which runs from newer to older: by
// (timestamp, id), both descending.
type Position struct {
	Timestamp Instant
	ID        uuid.UUID
}

// Compare returns -1 where p is older than q, 0 where they are the same place
// and +1 where p is newer. Ids compare as their bytes do, which is the order of
// their lower-case text.
func (p Position) Compare(q Position) int {
	if c := cmp.Compare(p.Timestamp, q.Timestamp); c != 0 {
		return c
	}
	return bytes.Compare(p.ID[:], q.ID[:])
}

// Event is one analytics event, checked and normalised: a row of the table
// events, but for its batch. Events are comparable with ==, which is how two
// copies of one id are told to be equal or in conflict.
type Event struct {
	ID        uuid.UUID
	SessionID uuid.UUID
	UserID    uuid.NullUUID
	Timestamp Instant
	// Type, DeviceType and Browser are stored as they came, known or not.
	Type       string
	Name       sql.NullString
	DeviceType sql.NullString
	Browser    sql.NullString
	// Properties is a minified JSON object with its keys in the order they came;
	// empty stands for NULL.
	Properties string
	// Extra is a JSON object of all that the table has no column for, under the
	// names it came with, keys sorted; empty stands for NULL.
	Extra string
}

// Position returns the event's place in the API's order.
func (e *Event) Position() Position { return Position{e.Timestamp, e.ID} }

// Reject is an element of a page that cannot be an event. It is kept with its
// reason instead of being dropped.
type Reject struct {
	// Key is the same each time the same element is read, by whichever endpoint;
	// it is what keeps a reject from being kept twice.
	Key string
	// ID is the id that the element had, where it was a UUID: an event that is
	// stored under it later resolves the reject.
	ID uuid.NullUUID
	// Reason is a short constant such as "missing_id".
	Reason string
	// Raw is the element's text as it came, with bytes that are no UTF-8 as \xff.
	Raw string
	// Timestamp is the element's instant, where it can be read.
	Timestamp sql.Null[Instant]
}

// Page is one whole, decoded page, or a part of one where a page holds more
// than a batch.
type Page struct {
	Record  PageRecord
	Events  []Event // in the order they came
	Rejects []Reject
	// Descending says that the events' positions descend strictly.
	Descending bool
}

// PageRecord is what the page log keeps of a page.
type PageRecord struct {
	Endpoint  string
	RequestID string
	// CursorSent and CursorReceived are stored as hashes only. An empty
	// CursorSent asked for the first page; an empty CursorReceived came with the
	// page that ended the window, or belongs to a part of a page that is not its
	// last.
	CursorSent     string
	CursorReceived string
	// Resumed marks the first page after the walk went on from somewhere else
	// than its predecessor's cursor; Until is the bound that it was asked for by,
	// where it went on by time.
	Resumed bool
	Until   sql.Null[Instant]
	// Outside is how many of the page's elements lay below the window's floor and
	// were left out.
	Outside int64
}

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

// Batch is what one commit stores: pages of one window and the checkpoint after
// the last of them.
type Batch struct {
	Run        uuid.UUID
	Pages      []Page
	Checkpoint Checkpoint
	// Copied, where it is not nil, is called for one page after the other, by its number,
	// once its events, rejects and texts are not needed any more, so that their memory can
	// be used again. That is before the batch is compressed and committed, which takes most
	// of the time, and not for all of them where it fails earlier.
	Copied func(page int)
}

// Size returns how many events and how many rejects the batch holds.
func (b *Batch) Size() (events, rejects int) {
	for i := range b.Pages {
		events += len(b.Pages[i].Events)
		rejects += len(b.Pages[i].Rejects)
	}
	return events, rejects
}

// Counts says what became of the elements of pages. Returned is always the sum
// of Stored, Duplicate, Rejected and Outside.
type Counts struct {
	Returned int64
	Stored   int64
	// Duplicate counts elements that were stored (or rejected) before.
	Duplicate int64
	// Conflict counts those duplicates whose payload differs from what is stored.
	Conflict int64
	// Rejected counts rejects that were not known before.
	Rejected int64
	// Outside counts elements below the window's floor.
	Outside int64
}

// Add adds d to c.
func (c *Counts) Add(d Counts) {
	c.Returned += d.Returned
	c.Stored += d.Stored
	c.Duplicate += d.Duplicate
	c.Conflict += d.Conflict
	c.Rejected += d.Rejected
	c.Outside += d.Outside
}
