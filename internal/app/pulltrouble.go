package app

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/internal/term"
)

// A pull that gets no pages says what it waits for, or what it retries, when, and for how long.

// trouble says why no pages arrive.
type trouble struct {
	ingest.Snapshot
	now time.Time
}

// retry returns the request that will be sent again, if no page has arrived since its failure.
func (t trouble) retry() (r ingest.Retry, ok bool) {
	if !t.Stalled || len(t.Retries) == 0 {
		return r, false
	}
	return t.Retries[0], true
}

// barTexts returns the texts for the bar, from the longest to the shortest; none if pages arrive.
func (t trouble) barTexts() []string {
	if t.Waiting != "" {
		wait := t.Until.Sub(t.now)
		return []string{
			fmt.Sprintf("waiting %s: %s", countdown(wait), t.Why),
			fmt.Sprintf("waiting %d s: %s", seconds(wait), t.Why),
			fmt.Sprintf("waiting %d s", seconds(wait)),
		}
	}
	r, retries := t.retry()
	pause := seconds(r.Next.Sub(t.now))
	switch {
	case retries && pause > 0:
		return []string{
			fmt.Sprintf("retry %d in %d s: %s", r.Number, pause, r.Why), fmt.Sprintf("retry %d in %d s", r.Number, pause),
			fmt.Sprintf("retry %d, %d s", r.Number, pause),
		}
	case t.Silent > 0:
		silent := int(t.Silent.Seconds())
		return []string{fmt.Sprintf("no answer for %d s: %s", silent, t.Endpoint), fmt.Sprintf("no answer %d s: %s", silent, t.Endpoint), fmt.Sprintf("no answer %d s", silent)}
	case retries:
		return []string{fmt.Sprintf("retry %d now: %s", r.Number, r.Why), fmt.Sprintf("retry %d now", r.Number)}
	}
	return nil
}

// text returns one line; "" if pages arrive. A failure whose text has been told is left out.
func (t trouble) text(told string) string {
	if t.Waiting != "" {
		return fmt.Sprintf("waiting %s, until %s: %s", countdown(t.Until.Sub(t.now)), t.Until.UTC().Format(time.RFC3339), t.waitCause())
	}
	r, retries := t.retry()
	switch {
	case retries && r.Next.After(t.now):
		return fmt.Sprintf("retry %d in %s, for %s more", r.Number, countdown(r.Next.Sub(t.now)), countdown(r.GivesUp.Sub(t.now))) + unlessTold(r.Error, told)
	case t.Silent > 0:
		return fmt.Sprintf("no answer from %s for %s", t.Endpoint, term.Duration(t.Silent.Truncate(time.Second)))
	case retries:
		return fmt.Sprintf("retry %d now, for %s more", r.Number, countdown(r.GivesUp.Sub(t.now))) + unlessTold(r.Error, told)
	}
	return ""
}

// unlessTold returns the end of a line that names a failure; "" if it is the one told.
func unlessTold(failure, told string) string {
	if failure == told {
		return ""
	}
	return ": " + failure
}

// waitCause says why no endpoint may get a request.
func (t trouble) waitCause() string {
	var causes []string
	same := map[string]int{} // endpoints by their cause
	for _, w := range t.Waits {
		if w.Endpoint != api.StreamAccess {
			causes = append(causes, w.Endpoint+" endpoint "+because(w.Why))
			same[w.Why]++
		}
	}
	switch {
	case len(causes) == 0:
		return t.Waiting + " endpoint " + because(t.Why)
	case same[t.Why] == 2 && isStatus(t.Why):
		return "both endpoints answer " + t.Why
	}
	return strings.Join(causes, ", ")
}

// because says why an endpoint may get no request, from the reason that package dispatch gives.
func because(why string) string {
	switch {
	case isStatus(why):
		return "answered " + why
	case why == "Retry-After":
		return "asked for it"
	}
	return "(" + why + ")"
}

// isStatus reports whether a reason is an HTTP status.
func isStatus(why string) bool { return len(why) == 3 && strings.Trim(why, "0123456789") == "" }

// rows returns a row of status for each wait and each retry, such as "events: 429, until
// 2026-01-27T19:25:44Z, in 12 s".
func (t trouble) rows() (rows []string) {
	for _, w := range t.Waits {
		rows = append(rows, fmt.Sprintf("%s: %s, until %s, in %s", w.Endpoint, w.Why, w.Until.UTC().Format(time.RFC3339), countdown(w.Until.Sub(t.now))))
	}
	for _, r := range t.Retries {
		when := "now"
		if r.Next.After(t.now) {
			when = "in " + countdown(r.Next.Sub(t.now))
		}
		why := r.Error
		if isStatus(r.Why) {
			why = "answered " + r.Why
		}
		rows = append(rows, fmt.Sprintf("%s: retry %d %s, %s", r.Endpoint, r.Number, when, why))
	}
	if t.Silent > 0 {
		rows = append(rows, fmt.Sprintf("%s: no answer for %s", t.Endpoint, term.Duration(t.Silent.Truncate(time.Second))))
	}
	return rows
}

const (
	// toldWait is the shortest wait, and toldPause the shortest pause before a retry, that is printed as a line.
	// The first retries of a request follow within seconds, and mostly succeed.
	toldWait, toldPause = 2 * time.Second, 500 * time.Millisecond
	// toldRetry is the first retry that is printed.
	toldRetry = 3
)

// troubleLines returns lines that replace the bar: when a wait begins, and before a request is sent again. A failure
// is named once. It is safe for concurrent use.
type troubleLines struct {
	mu    sync.Mutex
	until time.Time // of the last printed wait
	next  time.Time // of the last printed retry
	told  string    // the failure that the last line about a retry named
}

// regular returns what keeps pages from arriving, for a line that is due at any rate; "" if pages arrive.
func (l *troubleLines) regular(s ingest.Snapshot, now time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.line(s, now)
}

// line returns what keeps pages from arriving. The lock is held.
func (l *troubleLines) line(s ingest.Snapshot, now time.Time) string {
	t := trouble{s, now}
	text := t.text(l.told)
	if r, ok := t.retry(); !ok {
		l.told = ""
	} else if strings.HasSuffix(text, r.Error) {
		l.told = r.Error
	}
	return text
}

// due returns the line that is due now; "" if none is.
func (l *troubleLines) due(s ingest.Snapshot, now time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := trouble{s, now}
	if !s.Stalled {
		l.told = ""
	}
	if s.Waiting != "" {
		if wait := s.Until.Sub(now); wait < toldWait || near(s.Until, l.until) {
			return ""
		}
		l.until = s.Until
		return l.line(s, now)
	}
	// If several requests fail at the same time, only one is printed.
	r, ok := t.retry()
	if !ok || r.Number < toldRetry || r.Next.Sub(now) < toldPause || near(r.Next, l.next) || l.next.After(now) {
		return ""
	}
	l.next = r.Next
	return l.line(s, now)
}

// near reports whether two instants are the same, read at different times.
func near(a, b time.Time) bool { return a.Sub(b).Abs() < time.Second/4 }
