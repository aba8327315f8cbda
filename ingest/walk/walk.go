package walk

import (
	"database/sql"
	"sync/atomic"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
)

// Walk goes from page to page of one window or shard, newer to older. One goroutine uses it.
type Walk struct {
	*Shared
	bounds    Bounds
	scope     scope
	requester dispatch.Requester
	decoder   *decode.Decoder

	next     nextRequest
	state    state
	recovery recovery
	first    model.Position // with which the shard began, if in this walk

	// low is the position down to which everything from the window's newest event has been read, by this
	// walk or before it. oldestSeen is the oldest position of any page.
	low, oldestSeen sql.Null[model.Position]
	loop            *loopDetector
	anonymous       decode.AnonymousCounter
	unordered       bool
	pages           int64 // since the walk was at the newest event

	// last is the page that was read last. The totals show whether events may have moved past the
	// walk.
	last    reading
	totals  totals
	answers atomic.Int64
	ahead   *ahead
}

// scope has the fields of a walk that never change.
type scope struct {
	isShard bool // split off from a window
	// startBound is the border below which no event is wanted.
	startBound sql.Null[model.Instant]
	// known is the instant of the newest event of older windows, whose copies were counted then.
	known sql.Null[model.Instant]
}

// nextRequest is the request for the next page, and its cursor.
type nextRequest struct {
	request api.Request
	// resumed says that the cursor did not come with the page before.
	resumed bool
	// received is when the cursor came; it lives for life, until expires, if that is known.
	received time.Time
	life     time.Duration
	expires  time.Time
}

// recovery is which ways on a walk has tried.
type recovery struct {
	// startCursor is the cursor with which the walk began, after failedRuns runs in a row that failed at it.
	startCursor string
	failedRuns  int64
	// failures counts ways in a row that failed, restarts the walks from the newest event.
	failures, restarts int
	// deeper says that the walk has gone further down since the last way failed.
	deeper bool
	// timeTried says that the walk tried to resume by time, and that has not been proven.
	timeTried bool
	// expired is the last cursor of the API's that expired, renewed the one that was sent instead.
	expired, renewed string
}
