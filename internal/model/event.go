package model

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

// Millisecond returns the millisecond in which the instant lies, counted since 1970.
func (i Instant) Millisecond() int64 {
	ms := int64(i) / 1000
	if int64(i)%1000 < 0 {
		ms--
	}
	return ms
}

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
