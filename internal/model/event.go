package model

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

// Instant is a point in time in microseconds since 1970-01-01T00:00:00Z, the resolution of DuckDB's
// TIMESTAMPTZ.
type Instant int64

// Time returns the instant as a time.Time in UTC.
func (i Instant) Time() time.Time { return time.UnixMicro(int64(i)).UTC() }

// Millisecond returns the millisecond of the instant, counted since 1970; it rounds down.
func (i Instant) Millisecond() int64 {
	ms := int64(i) / 1000
	if int64(i)%1000 < 0 {
		ms--
	}
	return ms
}

// InstantOf returns t as an Instant, without fractions of a microsecond.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMicro()) }

// Position is a place in the API's order: by (timestamp, id), both descending, so from newer to older.
type Position struct {
	Timestamp Instant
	ID        uuid.UUID
}

// Compare returns -1 if p is older than q, 0 if they are equal and +1 if p is newer. Ids compare by their
// bytes, which is the order of their lower-case text.
func (p Position) Compare(q Position) int {
	if c := cmp.Compare(p.Timestamp, q.Timestamp); c != 0 {
		return c
	}
	return bytes.Compare(p.ID[:], q.ID[:])
}

// Event is one analytics event, validated and normalised: a row of the table events without its batch. ==
// compares two copies of an id: they are equal or in conflict.
type Event struct {
	ID        uuid.UUID
	SessionID uuid.UUID
	UserID    uuid.NullUUID
	Timestamp Instant
	// Type, DeviceType and Browser are stored as sent, known or not.
	Type       string
	Name       sql.NullString
	DeviceType sql.NullString
	Browser    sql.NullString
	// Properties is a minified JSON object with its keys in their order; "" is NULL.
	Properties string
	// Extra is a JSON object of the members without a column, with sorted keys; "" is NULL.
	Extra string
}

// Position returns the event's place in the API's order.
func (e *Event) Position() Position { return Position{e.Timestamp, e.ID} }

// Reject is an element of a page that cannot be an event. It is stored with its reason.
type Reject struct {
	// Key is the same for each reading of the element, by either endpoint, so that it is stored
	// once.
	Key string
	// ID is the id of the element, if that is a UUID: a later event with the id resolves the
	// reject.
	ID uuid.NullUUID
	// Reason is a short constant such as "missing_id".
	Reason string
	// Raw is the element's text, with bytes of invalid UTF-8 as \xff.
	Raw string
	// Timestamp is the element's instant, if it is readable and in range.
	Timestamp sql.Null[Instant]
}

// HashCursor returns the hash of a cursor that the page log has: enough to verify the chain of pages, too
// little to send.
func HashCursor(cursor string) string {
	sum := sha256.Sum256([]byte(cursor))
	return hex.EncodeToString(sum[:8])
}

// Page is one whole, decoded page, or a part of one that exceeds a batch.
type Page struct {
	Record  PageRecord
	Events  []Event // in the order of the page
	Rejects []Reject
	// Descending says that the positions of the events descend strictly.
	Descending bool
}

// PageRecord is the entry of a page in the page log.
type PageRecord struct {
	Endpoint  string
	RequestID string
	// CursorSent and CursorReceived are stored as hashes only. CursorSent is "" for a first page.
	// CursorReceived is "" for the page that ends the window, and for each part of a page except
	// its last one.
	CursorSent     string
	CursorReceived string
	// Resumed marks a page that was not requested by its predecessor's cursor. Until is the time
	// bound of its request, if it had one.
	Resumed bool
	Until   sql.Null[Instant]
	// OutOfRange is how many elements of the page were out of range, below the start bound, and not
	// stored.
	OutOfRange int64
}
