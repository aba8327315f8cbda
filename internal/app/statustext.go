package app

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/term"
)

// maxDoneWindows is the number of finished windows that a status shows.
const maxDoneWindows = 5

// statusText writes a status for a person.
type statusText struct {
	fields
	now time.Time
}

// text returns the status for a person.
func (v statusView) text() string {
	t := &statusText{now: v.now}
	t.line("file", "%s, %s bytes, of %s", v.Path, term.Thousands(v.Bytes), v.Origin)
	if v.LockHolder != nil {
		t.line("open", "%s", v.LockHolder)
	}
	if v.pull != nil {
		t.line("pull", "process %d: %s, %s", v.pull.PID, eventsRead(v.pull.Standing), activity(v.pull.Standing, v.now))
		for i, row := range (trouble{v.pull.Standing, v.now}).rows() {
			t.line([]string{"waiting", ""}[min(i, 1)], "%s", row)
		}
	}
	t.line("complete", "%s", t.completeness(v))
	t.line("events", "%s%s", term.Thousands(v.Events), span(v.Oldest, v.Newest))
	t.line("re-read", "%s already stored (%s conflicting)%s", term.Thousands(v.Duplicates), term.Thousands(v.Conflicts), seeIfAny(v.Conflicts, topicConflicts))
	t.rejected(v.Status)
	t.total(v.Status)
	t.reachedEnd(v.Status)
	t.windows(v.Windows)
	t.runs(v.Runs)
	for _, endpoint := range slices.Sorted(maps.Keys(v.NotBefore)) {
		until := v.NotBefore[endpoint]
		t.line("not before", "%s: %s, in %s", endpoint, until.UTC().Format(time.RFC3339), until.Sub(v.now).Round(time.Second))
	}
	for _, sample := range v.samples {
		t.line("reject", "%s: %.200s", sample.Reason, sample.Raw)
	}
	return t.String()
}

// ago says how long ago a time was. After a clock was set back, the time may be in the future.
func (t *statusText) ago(at time.Time) string {
	age := t.now.Sub(at).Round(time.Second)
	if age < 0 {
		return fmt.Sprintf("%s in the future, by this machine's clock", -age)
	}
	return age.String() + " ago"
}

func (t *statusText) completeness(v statusView) string {
	text := "yes"
	switch {
	case v.Complete:
	case v.pull != nil:
		text = "no; a pull is running"
	case v.Unusable:
		text = "no; hardly any element could be stored as an event" + see(topicUnusable)
	case allDone(v.Status) && v.Missing != nil && *v.Missing > 0 && v.LookedInto:
		text = "no; a walk to the end did not find the missing events" + see(topicMissing)
	default:
		text = "no; run datasync pull"
	}
	if v.From != nil {
		text += ", limited to events from " + v.From.Format(time.RFC3339Nano) + " on"
	}
	if v.CompletedAt != nil {
		text += "; the last complete pull began " + t.ago(*v.CompletedAt)
	}
	return text
}

func (t *statusText) rejected(s inspect.Status) {
	var rejected int64
	for _, n := range s.Rejected {
		rejected += n
	}
	text := term.Thousands(rejected) + reasons(s.Rejected)
	if s.Resolved > 0 {
		text += fmt.Sprintf(", %s more that were stored later", term.Thousands(s.Resolved))
	}
	t.line("rejected", "%s%s", text, seeIfAny(rejected, topicRejected))
}

// total compares the file with the API's number of events.
func (t *statusText) total(s inspect.Status) {
	if s.Total == nil {
		t.line("API", "did not say how many events it has")
		return
	}
	had := fmt.Sprintf("had %s events when the newest window began", term.Thousands(*s.Total))
	switch {
	case s.Gone > 0:
		t.line("API", "%s: at least %s %s here are no longer there, and whether others are missing cannot be told", had, term.Thousands(s.Gone), elements(s))
	case s.Missing == nil && s.From == nil:
		t.line("API", "%s, and fewer while it was read: how many are missing is not known", had)
	case s.Missing == nil:
		t.line("API", "had %s events of all times when the newest window began, and does not say how many are after the start bound", term.Thousands(*s.Total))
	case !allDone(s):
		t.line("API", "%s, %s are not here yet", had, term.Thousands(*s.Missing))
	default:
		missing, copies := term.Thousands(*s.Missing), ""
		if *s.Missing > 0 {
			missing = "at least " + missing
		}
		if s.Copies > 0 {
			copies = fmt.Sprintf(", including %s exact copies", term.Thousands(s.Copies))
		}
		t.line("API", "%s%s, %s missing here%s", had, copies, missing, seeIfAny(*s.Missing, topicMissing))
	}
}

// reachedEnd says when a walk last reached the end, unless events are known to be missing.
func (t *statusText) reachedEnd(s inspect.Status) {
	if s.ToTheEnd == nil || s.Missing != nil && *s.Missing != 0 {
		return
	}
	end := "the end"
	if s.From != nil {
		end = "the start bound"
	}
	t.line("walked", "to %s; the last such walk began %s, and late events are complete as of then", end, t.ago(*s.ToTheEnd))
}

// allDone reports whether every window was read to its end.
func allDone(s inspect.Status) bool {
	return !slices.ContainsFunc(s.Windows, func(w inspect.WindowStatus) bool { return w.State != model.Done })
}

// elements names the kinds of elements in a file.
func elements(s inspect.Status) string {
	if len(s.Rejected) > 0 {
		return "events and rejects"
	}
	return "events"
}

// windows writes all windows that are not done and the newest that are.
func (t *statusText) windows(windows []inspect.WindowStatus) {
	shown, left := 0, 0
	for _, w := range groupWindows(windows) {
		if w.State == model.Done {
			if shown++; shown > maxDoneWindows {
				left++
				continue
			}
		}
		t.line("window", "%s", w)
	}
	if left > 0 {
		t.line("", "and %s older ones, all done", term.Thousands(int64(left)))
	}
}

// runs writes how the last runs ended, and of the newest, if it was killed, what to do.
func (t *statusText) runs(runs []inspect.RunStatus) {
	for i, r := range runs {
		text := runText(r)
		if i == 0 && r.Outcome == "killed" {
			text += see(topicKilled)
		}
		t.line("run", "%s", text)
	}
}

func runText(r inspect.RunStatus) string {
	text := r.Began.UTC().Format(time.RFC3339) + ": " + r.Outcome
	if r.Ended != nil && !r.Ended.Before(r.Began) {
		text += fmt.Sprintf(" after %s", r.Ended.Sub(r.Began).Round(10*time.Millisecond))
	}
	if r.Stored != nil {
		text += fmt.Sprintf(", %s stored", term.Thousands(*r.Stored))
	}
	if r.Waiting != nil && *r.Waiting >= 1 {
		text += fmt.Sprintf(", %.0f s of waiting", *r.Waiting)
	}
	if r.Reason != nil {
		text += ": " + term.Visible(*r.Reason)
	}
	return text
}

func span(from, to *time.Time) string {
	if from == nil || to == nil {
		return ""
	}
	return fmt.Sprintf(", from %s to %s", from.Format(time.RFC3339Nano), to.Format(time.RFC3339Nano))
}
