package walk

import (
	"database/sql"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/internal/model"
)

// Page is a page on its way to the writer.
type Page struct {
	decode.Page
	Response

	// Resumed says that the request did not use the cursor of the page before.
	Resumed bool
	// OutOfRange counts elements that are left out: those below the window's start bound, and those
	// above the first event of a shard, which the shard above has.
	OutOfRange int64
	// First is the event with which the shard began, if it began in this walk.
	First model.Position
	// Last says that the walk ends with the page. Provisional says that the page is stored, but the
	// checkpoint stays before it: the walk requests the page again. Open says that a walk which begins
	// after the page could not tell its first rejects from the last ones of the page.
	Last, Provisional, Open bool
	// Unordered says that events of this page or an earlier one were out of order.
	Unordered bool
	// Copies counts the exact copies on the page: elements that are equal in all fields.
	Copies int64
	// SecretRequest says that the cursor of the request contains a secret.
	SecretRequest bool
	// RanOut says that the API has nothing below the page.
	RanOut bool
	// Reached is the event with which the shard below began, if the page has it.
	Reached sql.Null[model.Position]

	// lastEvent is the position of the last element if lastIsEvent.
	lastEvent   model.Position
	lastIsEvent bool
}

// Response is the answer that a page came with.
type Response struct {
	// Buffer is the memory of the page.
	Buffer   *api.Buffer
	Endpoint string
	Request  api.Request
	Received time.Time
	// Took is the time from the request on.
	Took time.Duration
	// Bytes is how much text the page has, Wire how many bytes of it were received before decompression.
	Bytes int
	Wire  int64
	// Answered is the part of Took after the request was sent, InFlight how many requests were in flight then.
	Answered time.Duration
	InFlight int

	number int64 // among the walk's answers
}

// fetched is a body that is not decoded yet, or why there is none.
type fetched struct {
	Response
	body string
	err  error
}

// ahead is a request in flight for a page that may not be the next one.
type ahead struct {
	cursor string
	result chan fetched // of one
}

// MayCount reports whether the page's cursor may count from the newest event: it names neither the last
// event of the page nor its time.
func (p *Page) MayCount() bool {
	return p.lastIsEvent && p.NextCursor != "" && !api.CursorNamesEvent(p.NextCursor, p.lastEvent)
}
