package model

import (
	"database/sql"
	"time"

	"github.com/google/uuid"
)

// Run is what the table runs keeps of one pull.
type Run struct {
	ID           uuid.UUID
	Began, Ended time.Time
	// Outcome is "complete", "interrupted" or "failed"; a run that is under way
	// has "running", and "killed" once a later one finds it so.
	Outcome string
	// ResumedFrom is where the walk went on, unknown for one from the top.
	ResumedFrom sql.Null[Position]
	Counts      Counts
	// Requests and Limited count what was sent to, and the 429s of, each endpoint.
	Requests, Limited          map[string]int64
	Waiting, Fetching, Writing time.Duration
}

// LongestWait is the longest wait that an endpoint can ask for: what names more was
// misread, such as an instant for a span, or is nonsense.
const LongestWait = 24 * time.Hour

// LongestKept is LongestWait with the jitter that a pull adds: no wait that is stored is longer.
const LongestKept = LongestWait + time.Minute
