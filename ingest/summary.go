package ingest

import (
	"database/sql"
	"strings"
	"sync"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/ingest/walk"
	"datasync/internal/model"
)

// Summary is the result of a pull.
type Summary struct {
	model.Counts
	// Reasons counts the rejects that this run added, by reason.
	Reasons map[string]int64
	// Pages, Requests and Limited (429s) count by endpoint: "events", "feed" and, except for pages,
	// "stream-access".
	Pages, Requests, Limited map[string]int64
	// Fetching is the time in which requests were in flight. Waited is the time in which none was, because no
	// endpoint could be asked or a request had failed. Writing overlaps with both.
	Waited, Fetching, Writing, Took time.Duration
	// Minimum is the API's own minimum for the pages, as dispatch.Dispatcher.Minimum defines it; 0 if it is not
	// known.
	Minimum time.Duration
	// Resumed counts how often walks resumed after a failure, by way, such as "by the time of the last event".
	Resumed map[string]int64
	// ResumedFrom is the position at which this run resumed the walk of an earlier one.
	ResumedFrom sql.Null[model.Position]
	// Total and TotalRejected count the events in the file at the end of the pull, and the rejects that no
	// later answer had as events.
	Total, TotalRejected int64
	// From is the start bound of the file.
	From sql.Null[model.Instant]
	// Sample is an excerpt of one of the rejects, as decode.Excerpt returns it; "" if there is none.
	Sample string
	// NotReadAgain counts the rejects of pages that were not read a second time.
	NotReadAgain int64
	// Unanswered is the last failure of the request that was retried when ctx ended; "" if a page arrived since.
	Unanswered string
	// Witness has the API's totals. Balance compares them with the file after a walk to the end.
	Witness model.Witness
	Balance sql.Null[model.Balance]
	// Complete says that every window was walked to its end and the API's total does not contradict that.
	Complete bool
}

// sampleBytes is the length of a sample, which api.Quote does not cut again.
const sampleBytes = api.MaxQuoted - 2

// counters is a Summary that several walks add to. It is their walk.Observer.
type counters struct {
	Summary
	restarted bool // a walk went back to the newest event
	notice    func(string)
	// tellAll tells the user each time that a walk resumes.
	tellAll bool

	mu      sync.Mutex
	writers int       // walks whose batches are being written
	since   time.Time // the first of them began
}

func newCounters(notice func(string)) *counters {
	return &counters{Summary: Summary{Pages: map[string]int64{}, Reasons: map[string]int64{}, Resumed: map[string]int64{}}, notice: notice}
}

// Resumed implements walk.Observer. Many walks may resume for the same cause: the user gets one message for each
// way, and the summary counts them.
func (t *counters) Resumed(way walk.Way, text string) {
	if t.countResumed(way) == 1 || t.tellAll {
		t.notice(text)
	}
}

func (t *counters) countResumed(way walk.Way) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.restarted = t.restarted || way == walk.FromNewestEvent
	t.Summary.Resumed[string(way)]++
	return t.Summary.Resumed[string(way)]
}

// NotReadAgain is walk.Observer's: a second response might have had these rejects as events.
func (t *counters) NotReadAgain(rejects int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Summary.NotReadAgain += int64(rejects)
}

// RejectSeen is walk.Observer's. It keeps the first one.
func (t *counters) RejectSeen(r *model.Reject) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Sample == "" {
		t.Sample = strings.Clone(decode.Excerpt(r.Raw, r.Reason, sampleBytes))
	}
}

// page counts a page.
func (t *counters) page(endpoint string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Pages[endpoint]++
}

// beginWriting records that the store begins to write a walk's batch; endWriting, that it has
// ended.
func (t *counters) beginWriting() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.writers++; t.writers == 1 {
		t.since = time.Now()
	}
}

func (t *counters) endWriting() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.writers--; t.writers == 0 {
		t.Writing += time.Since(t.since)
	}
}

// committed counts a batch.
func (t *counters) committed(c model.Committed) {
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

// needed returns how many pages the new elements would have filled.
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

func (s *Summary) finalize(done model.Finalized) {
	s.Stored -= done.Removed
	s.Duplicate += done.Removed
	s.Conflict += done.Removed
	s.Total, s.TotalRejected = done.Events, done.Rejected
}
