package model

import (
	"database/sql"
	"time"

	"github.com/google/uuid"
)

// Run is the row of one pull in the table runs.
type Run struct {
	ID           uuid.UUID
	Began, Ended time.Time
	// Outcome is "running", "complete", "interrupted" or "failed". A later run changes an
	// abandoned "running" to "killed".
	Outcome string
	// Reason says on one line why the run is not complete; "" if it is.
	Reason string
	// ResumedFrom is where the walk resumed; invalid if it began at the newest event.
	ResumedFrom sql.Null[Position]
	Counts      Counts
	// Requests and Limited count the requests to each endpoint and its 429s.
	Requests, Limited          map[string]int64
	Waiting, Fetching, Writing time.Duration
	// Minimum is the API's own minimum for the pages; 0 if it is not known.
	Minimum time.Duration
	// Reread counts the pages that were requested a second time because of their rejects.
	Reread int64
	// Facts are the waits and refusals after the last batch.
	Facts Facts `json:"-"`
}

// LongestWait is the longest wait that an endpoint can request. A longer one is misread, such as an instant
// for a duration, or is nonsense.
const LongestWait = 24 * time.Hour

// LongestKept is the longest wait that is stored: LongestWait and the jitter of a pull.
const LongestKept = LongestWait + time.Minute
