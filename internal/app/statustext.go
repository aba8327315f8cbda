package app

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/query"
)

// statusWindows is how many windows a status shows beside those that are not done.
const statusWindows = 5

// statusText writes a status for a person.
type statusText struct {
	strings.Builder
	now time.Time
}

func (t *statusText) line(name, format string, args ...any) {
	_, _ = fmt.Fprintf(t, "%-12s%s\n", name, query.Visible(fmt.Sprintf(format, args...)))
}

func writeStatus(w io.Writer, s seen) error {
	t, now := &statusText{now: s.now}, s.now
	t.line("file", "%s, %s bytes, of %s", s.Path, thousands(s.Bytes), s.Origin)
	if s.LockHolder != nil {
		t.line("open", "%s", s.LockHolder)
	}
	if s.pull != nil {
		t.line("pull", "process %d: %s, %s", s.pull.PID, events(s.pull.Standing), status(s.pull.Standing, now))
	}
	t.line("complete", "%s", t.completeness(s))
	t.line("events", "%s%s", thousands(s.Events), span(s.Oldest, s.Newest))
	t.line("duplicates", "%s (%s with other contents)%s", thousands(s.Duplicates), thousands(s.Conflicts), seeIf(s.Conflicts > 0, topicConflicts))
	t.rejected(s.Status)
	t.total(s.Status)
	t.windows(s.Windows)
	for i, r := range s.Runs {
		t.run(r, i == 0)
	}
	for _, endpoint := range slices.Sorted(maps.Keys(s.NotBefore)) {
		until := s.NotBefore[endpoint]
		t.line("not before", "%s: %s, in %s", endpoint, until.UTC().Format(time.RFC3339), until.Sub(now).Round(time.Second))
	}
	for _, sample := range s.samples {
		t.line("reject", "%s: %.200s", sample.Reason, sample.Raw)
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// ago says how long ago that was; after a clock was set back it may lie ahead.
func (t *statusText) ago(at time.Time) string {
	age := t.now.Sub(at).Round(time.Second)
	if age < 0 {
		return fmt.Sprintf("%s in the future, by this machine's clock", -age)
	}
	return age.String() + " ago"
}

func (t *statusText) completeness(s seen) string {
	text := "yes"
	switch {
	case s.Complete:
	case s.pull != nil:
		text = "no; a pull is running"
	case s.Unusable:
		text = "no; hardly anything that came could be stored" + see(topicUnusable)
	case allDone(s.Status) && s.Missing != nil && *s.Missing > 0 && s.LookedInto:
		text = "no; a walk to the end did not find the missing events" + see(topicMissing)
	default:
		text = "no; run datasync pull"
	}
	if s.From != nil {
		text += ", limited to events from " + s.From.Format(time.RFC3339Nano) + " on"
	}
	if s.CompletedAt != nil {
		text += "; the last complete pull began " + t.ago(*s.CompletedAt)
	}
	return text
}

func (t *statusText) rejected(s inspect.Status) {
	var rejected int64
	for _, n := range s.Rejected {
		rejected += n
	}
	text := thousands(rejected) + reasons(s.Rejected)
	if s.Resolved > 0 {
		text += fmt.Sprintf(", %s more that were stored later", thousands(s.Resolved))
	}
	t.line("rejected", "%s%s", text, seeIf(rejected > 0, topicRejected))
}

func (t *statusText) total(s inspect.Status) {
	switch {
	case s.Total == nil:
		t.line("API", "did not say how many events it has")
	case s.Gone > 0:
		t.line("API", "had %s events when the newest window began: at least %s %s here are no longer there, and whether others are missing cannot be told",
			thousands(*s.Total), thousands(s.Gone), elements(s))
	case s.Missing == nil && s.From == nil:
		t.line("API", "had %s events when the newest window began, and fewer when it was walked: how many are missing is not known", thousands(*s.Total))
	case s.Missing == nil:
		t.line("API", "had %s events of all times when the newest window began, and does not say how many lie above the start bound", thousands(*s.Total))
	case !allDone(s):
		t.line("API", "had %s events when the newest window began, %s are not here yet", thousands(*s.Total), thousands(*s.Missing))
	default:
		missing, copies := thousands(*s.Missing), ""
		if *s.Missing > 0 {
			missing = "at least " + missing
		}
		if s.Copies > 0 {
			copies = fmt.Sprintf(", %s exact copies among them", thousands(s.Copies))
		}
		t.line("API", "had %s events when the newest window began%s, %s missing here%s", thousands(*s.Total), copies, missing, seeIf(*s.Missing > 0, topicMissing))
	}
	if s.ToTheEnd != nil && (s.Missing == nil || *s.Missing == 0) {
		end := "the end"
		if s.From != nil {
			end = "the start bound"
		}
		t.line("walked", "to %s; the last such walk began %s, and late events are complete as of then", end, t.ago(*s.ToTheEnd))
	}
}

// allDone reports whether every window was walked to its end.
func allDone(s inspect.Status) bool {
	return !slices.ContainsFunc(s.Windows, func(k inspect.WindowStatus) bool { return k.State != model.Done })
}

// elements is what a file holds, in a word: rejects are not events.
func elements(s inspect.Status) string {
	if len(s.Rejected) > 0 {
		return "events and rejects"
	}
	return "events"
}

func (t *statusText) windows(windows []inspect.WindowStatus) {
	shown, left := 0, 0
	for _, k := range wholeWindows(windows) {
		if k.State == model.Done {
			if shown++; shown > statusWindows {
				left++
				continue
			}
		}
		t.line("window", "%s", windowText(k))
	}
	if left > 0 {
		t.line("", "and %s older ones, all done", thousands(int64(left)))
	}
}

// wholeWindow is a window with its parts taken together.
type wholeWindow struct {
	inspect.WindowStatus
	parts, done int
}

// wholeWindows takes windows and their parts together.
func wholeWindows(windows []inspect.WindowStatus) (whole []wholeWindow) {
	for i, next := 0, 0; i < len(windows); i = next {
		next = i + 1
		for next < len(windows) && windows[next].PartOf != nil {
			next++
		}
		whole = append(whole, together(windows[i:next]))
	}
	return whole
}

func together(all []inspect.WindowStatus) wholeWindow {
	k := wholeWindow{WindowStatus: all[0], parts: len(all)}
	k.Pages, k.Events, k.Lower = 0, 0, all[len(all)-1].Lower
	for _, part := range all {
		k.Pages += part.Pages
		k.Events += part.Events
		k.Unordered = k.Unordered || part.Unordered
		if part.State == model.Done {
			k.done++
		}
	}
	if k.parts > 1 {
		k.Last, k.CursorAlive = nil, nil
	}
	if k.done > 0 && k.done < k.parts {
		k.State = model.UnderWay
	}
	return k
}

func windowText(k wholeWindow) string {
	parts := ""
	if k.parts > 1 {
		parts = fmt.Sprintf(" in %d parts", k.parts)
	}
	if k.done > 0 && k.done < k.parts {
		parts += fmt.Sprintf(", %d of them done", k.done)
	}
	lower := "the end"
	if k.Lower != nil {
		lower = k.Lower.Format(time.RFC3339)
	}
	text := fmt.Sprintf("%d %s%s, down to %s: %s in %s of the page log", k.Window, strings.ReplaceAll(string(k.State), "_", " "), parts, lower,
		counted(k.Events, "event"), counted(k.Pages, "row"))
	if k.Last != nil && k.State != model.Done {
		text += ", at " + k.Last.Format(time.RFC3339Nano)
	}
	if k.CursorAlive != nil {
		text += map[bool]string{true: ", its cursor is alive", false: ", its cursor has died"}[*k.CursorAlive]
	}
	if k.Unordered {
		text += ", out of order"
	}
	return text
}

// run says what became of a run; of the newest one that was killed, what to do.
func (t *statusText) run(r inspect.RunStatus, newest bool) {
	text := r.Began.UTC().Format(time.RFC3339) + ": " + r.Outcome
	if r.Ended != nil && !r.Ended.Before(r.Began) {
		text += fmt.Sprintf(" after %s", r.Ended.Sub(r.Began).Round(10*time.Millisecond))
	}
	if r.Stored != nil {
		text += fmt.Sprintf(", %s stored", thousands(*r.Stored))
	}
	if r.Waiting != nil && *r.Waiting >= 1 {
		text += fmt.Sprintf(", %.0f s of waiting", *r.Waiting)
	}
	t.line("run", "%s%s", text, seeIf(newest && r.Outcome == "killed", topicKilled))
}

// seeIf names a topic where there is something to be done.
func seeIf(needed bool, topic string) string {
	if !needed {
		return ""
	}
	return see(topic)
}

func span(from, to *time.Time) string {
	if from == nil || to == nil {
		return ""
	}
	return fmt.Sprintf(", from %s to %s", from.Format(time.RFC3339Nano), to.Format(time.RFC3339Nano))
}

// counted writes a number of things of one kind.
func counted(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return thousands(n) + " " + thing
}
