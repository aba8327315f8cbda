package inspect

import (
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/model"
)

// Status is what a file says of itself. Its JSON is the output of datasync status --json.
type Status struct {
	fileStatus
	walkStatus
	eventStatus
	totalStatus
	runStatus
	waitStatus
}

// fileStatus says which file it is.
type fileStatus struct {
	Path string `json:"path"`
	// Bytes is the size of the file and its write-ahead log.
	Bytes  int64  `json:"file_size"`
	Origin string `json:"origin"`
	// LockHolder is a process that has the file open, or nil.
	LockHolder *dbfile.Holder `json:"lock_holder"`
}

// walkStatus says how far the file's windows are walked.
type walkStatus struct {
	// Complete says that every window was walked to its end and the closing check was made. By the
	// API's own count no event is missing.
	Complete bool `json:"complete"`
	// CursorAlive says whether the next pull can resume by the cursor of the newest window
	// under way, by our clock; it is nil if no window is under way.
	CursorAlive *bool `json:"cursor_alive"`
	// From is the start bound of the file, nil if it has none.
	From *time.Time `json:"from"`
	// Windows are the windows of which something is stored, the newest first.
	Windows []WindowStatus `json:"windows"`
}

// eventStatus counts the stored events.
type eventStatus struct {
	Events int64 `json:"stored"`
	// Newest and Oldest are the instants of events.
	Newest     *time.Time `json:"newest"`
	Oldest     *time.Time `json:"oldest"`
	Duplicates int64      `json:"duplicates"`
	Conflicts  int64      `json:"conflicts"`
	// Rejected counts the rejects that are not resolved, by reason.
	Rejected map[string]int64 `json:"rejected"`
	Resolved int64            `json:"resolved"`
	// NewFields are the members of events without a column, by the first batch that had them.
	NewFields []NewField `json:"new_fields"`
}

// totalStatus compares the file with the API's own count.
type totalStatus struct {
	// Total is how many events the API had when the walk of the newest window began.
	Total *int64 `json:"total"`
	// Missing is how many of them are not here, at least; it is nil if that cannot be told.
	Missing *int64 `json:"missing"`
	// Gone is how many events here are no longer at the API, at least. Copies is how many events
	// the API counts that are exact copies of others.
	Gone   int64 `json:"no_longer_at_api"`
	Copies int64 `json:"copies"`
	// ToTheEnd is when the last walk began that reached the end: of events that came later than
	// the lookback, those that the API had then are here. It is nil if there was no such walk, or
	// an older version made it.
	ToTheEnd *time.Time `json:"walked_to_end_at"`
	// Unusable says that the last pull could store little of what it fetched. LookedInto says
	// that a walk to the end has not found the missing events.
	Unusable   bool `json:"-"`
	LookedInto bool `json:"-"`
}

// runStatus lists pulls.
type runStatus struct {
	// CompletedAt is when the last run began that ended complete.
	CompletedAt *time.Time  `json:"completed_at"`
	Runs        []RunStatus `json:"runs"` // the newest first
}

// waitStatus has the waits that are not over.
type waitStatus struct {
	// NotBefore is until when each endpoint asked for no request, NotBeforeLeft for how many
	// seconds from now on.
	NotBefore     map[string]time.Time `json:"not_before"`
	NotBeforeLeft map[string]float64   `json:"not_before_s"`
}

// WindowStatus is a window or a shard in a Status.
type WindowStatus struct {
	Window int64 `json:"window"`
	// PartOf is the window of which this is a shard, nil for a window itself.
	PartOf    *int64      `json:"part_of"`
	State     model.State `json:"state"`
	Upper     *time.Time  `json:"upper"`
	Lower     *time.Time  `json:"lower"`
	Last      *time.Time  `json:"last"`
	Pages     int64       `json:"pages"`
	Events    int64       `json:"events"`
	Unordered bool        `json:"unordered"`
	// CursorAlive says whether the stored cursor is still valid, by our clock; it is nil if there
	// is no cursor or its expiry is not known.
	CursorAlive *bool `json:"cursor_alive"`
}

// RunStatus is a run in a Status.
type RunStatus struct {
	Run     string     `json:"run"`
	Began   time.Time  `json:"began"`
	Ended   *time.Time `json:"ended"`
	Outcome string     `json:"outcome"`
	// Reason says why the run is not complete; nil if it is, runs, or was killed.
	Reason    *string  `json:"reason"`
	Stored    *int64   `json:"stored"`
	Duplicate *int64   `json:"duplicate"`
	Rejected  *int64   `json:"rejected"`
	Waiting   *float64 `json:"waiting_s"`
}

// RejectSample is one reject.
type RejectSample struct {
	Reason string `json:"reason"`
	Raw    string `json:"raw"`
}
