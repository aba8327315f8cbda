package app

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"datasync/ingest"
	"datasync/internal/term"
)

// writeSummary writes the result of a pull for a person.
func writeSummary(w io.Writer, s ingest.Summary) {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(&b, "  %-12s%s\n", name, fmt.Sprintf(format, args...))
	}
	complete := "not complete"
	if s.Complete {
		complete = "complete"
		if s.From.Valid {
			complete += ", from " + s.From.V.Time().Format(time.RFC3339Nano) + " on"
		}
	}
	_, _ = fmt.Fprintf(&b, "datasync: %s\n", complete)
	line("stored", "%s events (%s events/s)", term.Thousands(s.Stored), term.Thousands(int64(float64(s.Stored)/max(s.Took.Seconds(), 1e-3))))
	if s.Total > 0 {
		line("in the file", "%s events", term.Thousands(s.Total))
	}
	line("re-read", "%s already stored (%s conflicting)", term.Thousands(s.Duplicate), term.Thousands(s.Conflict))
	rejected := term.Thousands(s.Rejected) + reasons(s.Reasons)
	if s.NotReadAgain > 0 {
		rejected += fmt.Sprintf("; %s earlier rejects were not read again: --restart reads everything again", term.Thousands(s.NotReadAgain))
	}
	line("rejected", "%s%s", rejected, seeIfAny(s.Rejected, topicRejected))
	if text := apiCount(s); text != "" {
		line("API", "%s", text)
	}
	line("pages", "%s from events, %s from feed", term.Thousands(s.Pages["events"]), term.Thousands(s.Pages["feed"]))
	line("429s", "%s from events, %s from feed, %s from stream-access",
		term.Thousands(s.Limited["events"]), term.Thousands(s.Limited["feed"]), term.Thousands(s.Limited["stream-access"]))
	line("took", "%s", timeSpent(s))
	if s.ResumedFrom.Valid {
		line("resumed", "after %s, event %s", s.ResumedFrom.V.Timestamp.Time().Format(time.RFC3339Nano), s.ResumedFrom.V.ID)
	}
	_, _ = io.WriteString(w, b.String())
}

// apiCount says how the API's count differs from the file; "" where it does not.
func apiCount(s ingest.Summary) string {
	b := s.Balance
	switch {
	case s.Total+s.TotalRejected == 0 && !s.Witness.First.Valid, !s.Complete && !b.Valid:
		return ""
	case !s.Witness.First.Valid:
		return "did not say how many events it has"
	case s.Witness.Bounded:
		return fmt.Sprintf("counts %s events of all times, and does not say how many are after the start bound: how many are missing is not known", term.Thousands(s.Witness.First.V))
	case b.V.Missing > 0:
		return fmt.Sprintf("counts %s events: at least %s missing here", term.Thousands(s.Witness.First.V), term.Thousands(b.V.Missing))
	case b.V.Gone > 0:
		return fmt.Sprintf("counts %s events: at least %s here are no longer there; whether others are missing cannot be told", term.Thousands(s.Witness.First.V), term.Thousands(b.V.Gone))
	case b.V.Unclear:
		return fmt.Sprintf("counted %s events at first, and fewer at the end: how many are missing is not known", term.Thousands(s.Witness.First.V))
	case b.V.Copies > 0:
		return fmt.Sprintf("counts %s events, including %s exact copies", term.Thousands(s.Witness.First.V), term.Thousands(b.V.Copies))
	}
	return ""
}

// timeSpent says how long the pull took, compared with the API's own minimum, and how much of that
// was waiting.
func timeSpent(s ingest.Summary) string {
	text := brief(s.Took)
	// The comparison means nothing without a page, for a moment, or for limits that the API does
	// not enforce.
	if s.Pages["events"]+s.Pages["feed"] > 0 && s.Minimum >= 10*time.Millisecond && s.Took >= s.Minimum {
		text += fmt.Sprintf(", %.2f x the fastest the API allows (%s)", s.Took.Seconds()/s.Minimum.Seconds(), brief(s.Minimum))
	}
	text += "; waited " + brief(s.Fetching+s.Waited) + " for the API"
	if s.Waited >= time.Millisecond {
		text += ", " + brief(s.Waited) + " of it between requests"
	}
	return text + ", " + brief(max(0, s.Took-s.Fetching-s.Waited)) + " here"
}

// brief rounds a duration for a person.
func brief(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

// reasons lists the rejects by reason, in parentheses.
func reasons(counts map[string]int64) string {
	if len(counts) == 0 {
		return ""
	}
	var parts []string
	for reason, n := range counts {
		parts = append(parts, term.Thousands(n)+" "+reason)
	}
	slices.Sort(parts)
	return " (" + strings.Join(parts, ", ") + ")"
}
