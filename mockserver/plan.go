package mockserver

import (
	"context"
	"time"
)

// next says how a page leads on.
type next uint8

const (
	nextTrue  next = iota
	nextSame       // the cursor of the request again
	nextStuck      // a new cursor to where the page began
	nextNone       // hasMore without a cursor
	nextEnd        // an end that is none
)

// pagePlan is a page before it is rendered. start and stop are places in the
// sequence of answers.
type pagePlan struct {
	view        view
	limit       int
	statedLimit int
	start, stop int
	epochOnly   bool
	serial      int
	made        time.Time // when cursors begin to age

	cursor    string   // as it was sent, empty if none was
	from      position // where cursor leads
	sinceMark *int64   // the bound that the cursors remember
	filter    filter
	ctx       context.Context // the request's: nobody waits for the page once it is done

	next          next
	returnedDelta int
	chaos         bool
	chaosEvents   int
}

// accessPlan is an answer of stream-access in the making.
type accessPlan struct {
	endpoint, token, header string
	expiresIn               string // raw JSON, or Omitted
}
