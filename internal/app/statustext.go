package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/term"
)

// statusMargin is the width of the names of facts.
const statusMargin = 10

// statusText writes a status for a person: facts in lines of a name and a value, wrapped at words.
type statusText struct {
	strings.Builder
	now   time.Time
	style term.Style
	// width is that of the terminal; 0 means no limit.
	width int
}

// line writes a fact. Its value is safe for a terminal, and may have colours.
func (t *statusText) line(name, format string, args ...any) {
	value := fmt.Sprintf(format, args...)
	if t.width > 0 {
		value = term.Wrap(value, max(t.width-statusMargin, statusMargin), 0)
	}
	value = strings.ReplaceAll(value, "\n", "\n"+strings.Repeat(" ", statusMargin))
	_, _ = fmt.Fprintf(t, "%-*s%s\n", statusMargin, name, value)
}

// writeFacts writes the facts that everybody asks for, and omits empty ones.
func (t *statusText) writeFacts(v statusView) {
	t.line("complete", "%s", t.completeness(v))
	if !v.Complete && v.CompletedAt != nil {
		t.line("as of", "%s: the last complete pull", t.asOf(*v.CompletedAt))
	}
	t.line("events", "%s%s", term.Thousands(v.Events), span(v.Oldest, v.Newest))
	t.writeMissing(v.Status)
	if rejected := rejects(v.Status); rejected > 0 {
		t.line("rejected", "%s: %s%s", t.style.Caution(term.Thousands(rejected)), term.Visible(byReason(v.Rejected)), see(topicRejected))
	}
	t.writeNewFields(v.NewFields)
	if v.Conflicts > 0 {
		t.line("conflict", "%s with other contents than stored%s", t.style.Caution(term.Counted(v.Conflicts, "event")), see(topicConflicts))
	}
	t.writeWaits(v)
	if v.pull == nil && len(v.Runs) > 0 && v.Runs[0].Outcome != "complete" {
		t.line("last run", "%s", t.lastRun(v.Runs[0]))
	}
	if v.pull == nil && v.LockHolder != nil {
		t.line("open", "%s", term.Visible(v.LockHolder.String()))
	}
	t.line("file", "%s, %s, from %s", term.Visible(v.Path), term.Bytes(v.Bytes), term.Visible(v.Origin))
}

// writeDetails writes what --verbose adds.
func (t *statusText) writeDetails(v statusView) {
	t.line("re-read", "%s already stored", term.Counted(v.Duplicates-v.Conflicts, "event"))
	if v.Resolved > 0 {
		t.line("resolved", "%s stored later", counted(v.Resolved, "reject that was", "rejects that were"))
	}
	if at := v.ToTheEnd; at != nil {
		end := "the end"
		if v.From != nil {
			end = "the start bound"
		}
		t.line("walked", "to %s as of %s; events that came late are complete as of then", end, t.asOf(*at))
	}
	t.writeWindows(v.Windows)
	t.writeRuns(v.Runs)
}

// completeness says whether the file is complete and, if it is, as of when.
func (t *statusText) completeness(v statusView) string {
	text, topic := t.style.Caution("no"), ""
	switch {
	case v.Complete:
		text = t.style.Good("yes")
		if v.CompletedAt != nil {
			text += ", as of " + t.asOf(*v.CompletedAt)
		}
		if v.pull != nil {
			text += "; " + pulling(v.pull)
		}
	case v.pull != nil:
		text += ", " + pulling(v.pull)
	case v.Unusable:
		text, topic = text+"; hardly any element could be stored as an event", see(topicUnusable)
	case allDone(v.Status) && v.Missing != nil && *v.Missing > 0 && v.LookedInto:
		text, topic = text+"; a walk to the end did not find the missing events", see(topicMissing)
	default:
		text += "; run datasync pull"
	}
	if v.From != nil {
		text += "; only events from " + v.From.UTC().Format(time.RFC3339Nano) + " on"
	}
	return text + topic
}

// asOf writes when a pull began, and how long ago that was.
func (t *statusText) asOf(at time.Time) string {
	return at.UTC().Format(time.RFC3339) + ", " + t.ago(at)
}

// pulling says how far a running pull is.
func pulling(p *runningPull) string {
	text := fmt.Sprintf("process %d pulls", p.PID)
	switch s := p.Standing; {
	case s.Total > 0:
		text += fmt.Sprintf(": %d %%", min(100, 100*s.Walked/s.Total))
	case s.Walked > 0:
		text += ": " + term.Counted(s.Walked, "event") + " read"
	}
	if left := p.Standing.Left; left > 0 {
		text += ", " + countdown(left) + " left"
	}
	return text
}

// ago says how long ago a time was. After a clock was set back, the time may be in the future.
func (t *statusText) ago(at time.Time) string {
	age := t.now.Sub(at).Round(time.Second)
	if age < 0 {
		return term.Duration(-age) + " in the future, by this machine's clock"
	}
	return term.Duration(age) + " ago"
}

// writeMissing compares the file with the API's number of events.
func (t *statusText) writeMissing(s inspect.Status) {
	if len(s.Windows) == 0 {
		return // nothing was asked yet
	}
	if s.Total == nil {
		t.line("missing", "not known: the API did not say how many events it has")
		return
	}
	total := term.Thousands(*s.Total)
	switch {
	case s.Gone > 0:
		t.line("missing", "not known: at least %s here are no longer at the API; whether others are missing cannot be told", term.Counted(s.Gone, "event"))
	case s.Missing == nil && s.From == nil:
		t.line("missing", "not known: the API counted %s events at first, and fewer at the end", total)
	case s.Missing == nil:
		t.line("missing", "not known: the API counts %s events in total, and does not say how many are after the start bound", total)
	case !allDone(s):
		t.line("to fetch", "about %s of %s at the API", t.style.Caution(term.Thousands(*s.Missing)), total)
	case *s.Missing > 0:
		t.line("missing", "%s of %s at the API%s", t.style.Bad("at least "+term.Thousands(*s.Missing)), total, see(topicMissing))
	case s.Copies > 0:
		t.line("missing", "0 of %s at the API, which counts %s", total, counted(s.Copies, "exact copy", "exact copies"))
	default:
		t.line("missing", "0 of %s at the API", total)
	}
}

// writeWaits says why a running pull gets no pages, or when the wait of each endpoint ends.
func (t *statusText) writeWaits(v statusView) {
	var waits []string
	if v.pull != nil {
		for _, row := range (trouble{v.pull.Standing, t.now}).rows() {
			waits = append(waits, term.Visible(row))
		}
	}
	if waits == nil {
		for _, endpoint := range slices.Sorted(maps.Keys(v.NotBefore)) {
			until := v.NotBefore[endpoint]
			waits = append(waits, fmt.Sprintf("%s: until %s, %s", term.Visible(endpoint), until.UTC().Format(time.RFC3339), t.style.Caution("in "+countdown(until.Sub(t.now)))))
		}
	}
	for i, wait := range waits {
		t.line([]string{"waiting", ""}[min(i, 1)], "%s", wait)
	}
}

// lastRun says how the newest run ended, if it did not end complete.
func (t *statusText) lastRun(r inspect.RunStatus) string {
	text := t.style.Caution(r.Outcome)
	at := r.Began
	if r.Ended != nil {
		at = *r.Ended
	}
	text += ", " + t.ago(at)
	if r.Reason != nil {
		text += ": " + term.Visible(*r.Reason)
	}
	if r.Outcome == "killed" {
		text += see(topicKilled)
	}
	return text
}

// rejects returns the number of rejects that are not resolved.
func rejects(s inspect.Status) (n int64) {
	for _, of := range s.Rejected {
		n += of
	}
	return n
}

// allDone reports whether every window was read to its end.
func allDone(s inspect.Status) bool {
	return !slices.ContainsFunc(s.Windows, func(w inspect.WindowStatus) bool { return w.State != model.Done })
}

// span returns the range of the events' times, in whole seconds.
func span(from, to *time.Time) string {
	if from == nil || to == nil {
		return ""
	}
	return fmt.Sprintf(", %s to %s", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
}
