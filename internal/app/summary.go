package app

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"datasync/ingest"
	"datasync/internal/inspect"
	"datasync/internal/term"
)

// pullResult is how a pull ended.
type pullResult struct {
	ingest.Summary
	progress *ingest.Progress
	// file is the database.
	file string
	// newFields are the members of events without a column that this pull was the first to store.
	newFields []inspect.NewField
	// page is that of --serve, or nil.
	page *pullPage
	// stopped says that a signal ended the pull.
	stopped bool
}

// summaryText is the summary of a pull. It leaves out numbers that are zero, except for stored and missing
// events.
type summaryText struct {
	strings.Builder
	columns int // of the terminal; 0 means no limit
}

func (t *summaryText) line(name, format string, args ...any) {
	t.painted(func(name string) string { return name }, name, format, args...)
}

// painted writes a line whose name has a colour.
func (t *summaryText) painted(paint func(string) string, name, format string, args ...any) {
	text := fmt.Sprintf("  %-10s%s", name, term.Visible(fmt.Sprintf(format, args...)))
	text = term.Wrap(text, t.columns, len("  ")+10)
	t.WriteString(strings.Replace(text, name, paint(name), 1) + "\n")
}

// text returns the summary for a person. It is "" after a failure if nothing else happened: the error is then the
// only line. A signal is not a failure.
func (r *pullResult) text(err error, style term.Style, columns int) string {
	if err != nil && !r.stopped && r.Stored == 0 && r.Rejected == 0 {
		return ""
	}
	t := &summaryText{columns: columns}
	t.WriteString(term.Wrap("datasync: "+r.head(style), columns, 2) + "\n")
	r.writeStored(t)
	switch {
	case r.Balance.V.Missing > 0:
		t.painted(style.Bad, "missing", "%s", r.missing())
	case r.Complete || r.Balance.Valid:
		t.line("missing", "%s", r.missing())
	}
	r.writeRejected(t, err)
	r.writeNewFields(t)
	if n := r.Duplicate - r.Conflict; n > 0 {
		t.line("re-read", "%s already stored", term.Counted(n, "event"))
	}
	if r.Conflict > 0 {
		t.line("conflict", "%s came again with other contents%s", term.Counted(r.Conflict, "event"), see(topicConflicts))
	}
	if text := byEndpoint(r.Pages); text != "" {
		t.line("pages", "%s", text)
	}
	if text := byEndpoint(r.Limited); text != "" {
		t.line("429s", "%s", text)
	}
	if r.Took > 0 {
		t.line("took", "%s", r.timeSpent())
	}
	if at := r.ResumedFrom; at.Valid {
		t.line("resumed", "after %s", at.V.Timestamp.Time().Format(time.RFC3339Nano))
	}
	if text := byWay(r.Resumed); text != "" {
		t.line("recovered", "%s (pull --verbose shows each)", text)
	}
	if text := r.fileText(); text != "" {
		t.line("file", "%s", text)
	}
	return t.String()
}

// head says whether the file is complete now.
func (r *pullResult) head(style term.Style) string {
	text := style.Caution("not complete")
	if r.Complete {
		text = style.Good("complete") + " as of " + r.progress.Now().Began.UTC().Format(time.RFC3339)
		if r.From.Valid {
			text += ", from " + r.From.V.Time().Format(time.RFC3339Nano) + " on"
		}
	}
	if r.Rejected > 0 {
		text += ", " + style.Caution(term.Thousands(r.Rejected)+" rejected")
	}
	return text
}

func (r *pullResult) writeStored(t *summaryText) {
	text := term.Counted(r.Stored, "new event")
	if r.Stored > 0 {
		text += fmt.Sprintf(", %s events/s", term.Thousands(int64(float64(r.Stored)/max(r.Took.Seconds(), 1e-3))))
	}
	if left := r.progress.ElementsLeft(); !r.Complete && left > 0 {
		text += fmt.Sprintf(", about %s to fetch", term.Thousands(left))
	}
	t.line("stored", "%s", text)
}

// writeRejected says which elements cannot be events and, if nothing was stored, shows one, unless the error does.
func (r *pullResult) writeRejected(t *summaryText, err error) {
	if r.Rejected > 0 {
		t.line("rejected", "%s (datasync status --rejected)", byReason(r.Reasons))
		if r.Stored == 0 && r.Sample != "" && !errors.Is(err, ingest.ErrUnusable) {
			t.line("", "such as %s", r.Sample)
		}
	}
	if n := r.NotReadAgain; n > 0 {
		t.line("", "%s not read a second time: --restart reads everything again", term.Counted(n, "reject"))
	}
}

// missing compares the file with the API's number of events.
func (r *pullResult) missing() string {
	b := r.Balance.V
	total := term.Thousands(r.Witness.First.V)
	switch {
	case !r.Witness.First.Valid && r.Total+r.TotalRejected == 0:
		return "0"
	case !r.Witness.First.Valid:
		return "not known: the API did not say how many events it has"
	case r.Witness.Bounded:
		return fmt.Sprintf("not known: the API counts %s events in total", total)
	case b.Missing > 0:
		return fmt.Sprintf("at least %s of %s at the API", term.Thousands(b.Missing), total)
	case b.Gone > 0:
		return fmt.Sprintf("not known: at least %s here are no longer at the API; whether others are missing cannot be told", term.Counted(b.Gone, "event"))
	case b.Unclear:
		return fmt.Sprintf("not known: the API counted %s events at first, and fewer at the end", total)
	case b.Copies > 0:
		return fmt.Sprintf("0 of %s at the API, which counts %s", total, counted(b.Copies, "exact copy", "exact copies"))
	}
	return fmt.Sprintf("0 of %s at the API", total)
}

// shortestCompared is the shortest pull that is compared with the API's minimum. The time of a shorter one depends
// mostly on this machine.
const shortestCompared = 10 * time.Second

// timeSpent says how long the pull took and how much of that was waiting, and compares it with the API's own
// minimum.
func (r *pullResult) timeSpent() string {
	text := term.Duration(r.Took)
	// The comparison means nothing for a part of a pull, without a new event, or for limits that the API does not
	// enforce.
	if r.Complete && !r.stopped && r.Stored > 0 && r.Minimum >= time.Second && r.Took >= max(r.Minimum, shortestCompared) {
		text += fmt.Sprintf(", %.2f x the fastest the API allows", r.Took.Seconds()/r.Minimum.Seconds())
	}
	if r.Waited >= time.Millisecond {
		text += "; " + term.Duration(r.Waited) + " waiting"
	}
	return text
}

// fileText describes the file; "" if it cannot be seen, or nothing was written to it.
func (r *pullResult) fileText() string {
	info, err := os.Stat(r.file)
	if err != nil || r.Stored == 0 && !r.Complete {
		return ""
	}
	text := filepath.Base(r.file)
	if r.Total > 0 {
		text += ", " + term.Counted(r.Total, "event")
	}
	return text + ", " + term.Bytes(info.Size())
}

// byWay says how often walks resumed after a failure, by way; "" for a single time, which the pull has already
// reported.
func byWay(resumed map[string]int64) string {
	var parts []string
	total := int64(0)
	for _, way := range slices.Sorted(maps.Keys(resumed)) {
		total += resumed[way]
		parts = append(parts, counted(resumed[way], "time", "times")+" "+way)
	}
	if total < 2 {
		return ""
	}
	return strings.Join(parts, ", ")
}

// byEndpoint lists numbers that are not 0, such as "31 from events, 12 from feed".
func byEndpoint(counts map[string]int64) string {
	var parts []string
	for _, endpoint := range []string{"events", "feed", "stream-access"} {
		if n := counts[endpoint]; n > 0 {
			parts = append(parts, term.Thousands(n)+" from "+endpoint)
		}
	}
	return strings.Join(parts, ", ")
}

// byReason lists the rejects by reason, the most frequent first: "missing_id 4, bad_timestamp 2".
func byReason(counts map[string]int64) string {
	reasons := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if n := counts[b] - counts[a]; n != 0 {
			return int(n)
		}
		return strings.Compare(a, b)
	})
	for i, reason := range reasons {
		reasons[i] = reason + " " + term.Thousands(counts[reason])
	}
	return strings.Join(reasons, ", ")
}

// counted writes a number and the name of what it counts, for names that do not take an s.
func counted(n int64, one, many string) string {
	if n == 1 {
		many = one
	}
	return term.Thousands(n) + " " + many
}
