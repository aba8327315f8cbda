package mockserver

import (
	"context"
	"time"
)

// next says which next page a page names.
type next uint8

const (
	nextTrue  next = iota
	nextSame       // the cursor of the request again
	nextStuck      // a new cursor to the beginning of the page
	nextNone       // hasMore without a cursor
	nextEnd        // a false end
)

// pagePlan is a page before it is rendered. start and stop are indexes in the order of answers.
type pagePlan struct {
	view        view
	limit       int
	statedLimit int
	start, stop int
	epochOnly   bool
	serial      int
	made        time.Time // from which the cursor's life counts

	cursor    string   // of the request, empty if it has none
	from      position // of the cursor
	sinceMark *int64   // the bound since, which the next cursor keeps
	filter    filter
	ctx       context.Context // of the request

	next          next
	returnedDelta int
	chaos         bool
	chaosEvents   int
}

// accessPlan is an answer of stream-access before it is rendered.
type accessPlan struct {
	endpoint, token, header string
	expiresIn               string // raw JSON, or Omitted
}
