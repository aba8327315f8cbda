package ingest

import (
	"database/sql"
	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
	"strings"
	"sync"
	"time"
)

// Summary is what a pull did.
type Summary struct {
	model.Counts
	// Reasons counts the rejects that this run added, by reason.
	Reasons map[string]int64
	// Pages, Requests and Limited (429s) count by endpoint: "events", "feed" and,
	// but for pages, "stream-access".
	Pages, Requests, Limited map[string]int64
	// Fetching is the time in which requests were under way; Waited that in which none was,
	// as no endpoint might be asked or one had failed. Writing goes on beside both.
	Waited, Fetching, Writing, Took time.Duration
	// Floor is the least time in which the API lets anybody have the pages: for one walk the
	// time that its answers and its limits took; for several at a time what its limits allow,
	// or its best throughput, whichever is slower. It is 0 where it is not known.
	Floor time.Duration
	// ResumedFrom is the position behind which the walk of an earlier run went on.
	ResumedFrom sql.Null[model.Position]
	// Total and TotalRejected are what the file holds at the end of a whole walk:
	// events, and rejects that were not stored since.
	Total, TotalRejected int64
	// From is where the file begins, where the pull is limited in time.
	From sql.Null[model.Instant]
	// NotReadAgain counts the rejects of pages that were not read a second time.
	NotReadAgain int64
	// Witness has the API's totals, and Balance compares them with the file, where the walk was
	// whole.
	Witness model.Witness
	Balance sql.Null[model.Balance]
	// Complete says that every window was walked to its end and that the API's total does
	// not speak against it.
	Complete bool
}

// tally is a Summary that several walks add to.
type tally struct {
	Summary
	restarted bool   // a walk went back to the newest event
	sample    string // of what was rejected

	mu      sync.Mutex
	writers int // that have batches under way, since the first of them began
	since   time.Time
}

func newTally() *tally {
	return &tally{Summary: Summary{Pages: map[string]int64{}, Reasons: map[string]int64{}}}
}

func (t *tally) restart() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.restarted = true
}

// notReadAgain counts rejects that a second reading might have brought whole.
func (t *tally) notReadAgain(rejects int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.NotReadAgain += int64(rejects)
}

// keepSample keeps the text of a reject, if there is none yet.
func (t *tally) keepSample(raw string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sample == "" {
		t.sample = strings.Clone(raw[:min(len(raw), api.MaxQuoted)])
	}
}

// page counts a page.
func (t *tally) page(endpoint string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Pages[endpoint]++
}

// writes takes note that a walk's batches begin or have ended to be written.
func (t *tally) writes(begins bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case begins:
		if t.writers++; t.writers == 1 {
			t.since = time.Now()
		}
	default:
		if t.writers--; t.writers == 0 {
			t.Writing += time.Since(t.since)
		}
	}
}

// committed counts a batch.
func (t *tally) committed(c model.Committed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Add(c.Counts)
	for reason, n := range c.Reasons {
		t.Reasons[reason] += n
	}
}

func (s *Summary) add(c dispatch.Counts) {
	s.Requests, s.Limited, s.Fetching, s.Waited = c.Requests, c.Limited, c.Fetching, c.Waiting
}

// needed is how many pages had to be read, as new elements would have filled them.
func (s *Summary) needed() float64 {
	pages := 0.0
	for _, n := range s.Pages {
		pages += float64(n)
	}
	if s.Returned == 0 {
		return pages
	}
	return pages * float64(s.Returned-s.Duplicate) / float64(s.Returned)
}

func (s *Summary) settle(done model.Settled) {
	s.Stored -= done.Removed
	s.Duplicate += done.Removed
	s.Conflict += done.Removed
	s.Total, s.TotalRejected = done.Events, done.Rejected
}
