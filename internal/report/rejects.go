package report

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"datasync/internal/chart"
)

// rejectsSection shows what could not be stored, by reason, and copies and conflicts.
func (r *Report) rejectsSection() Section {
	t := r.Trust
	rows := chart.Rows{Head: chart.Head{Title: "Rejects by reason", Unit: "elements", Nothing: "no rejects"}, Item: "reason", Limit: topPages}
	reasons := slices.Sorted(maps.Keys(t.Rejected))
	slices.SortStableFunc(reasons, func(a, b string) int { return int(t.Rejected[b] - t.Rejected[a]) })
	for _, reason := range reasons {
		rows.Rows = append(rows.Rows, chart.Row{Name: short(reason), Value: float64(t.Rejected[reason]), Share: math.NaN()})
	}
	s := Section{
		ID: "rejects", Short: "Rejects", Kicker: "Rejects, copies and conflicts", Headline: r.rejectsHeadline(),
		Note: "Of the whole file. A reject is kept with its text and reason. A copy is an event that the API served again. A conflict is a copy with other contents; the first one is kept.",
	}
	if len(rows.Rows) > 0 {
		s.Figures = append(s.Figures, figure("Rejects by reason", rows))
	} else {
		s.Terms = append(s.Terms, Term{"Rejects", "None: every element became an event."})
	}
	again := chart.Rows{Head: chart.Head{Title: "Events that came again", Unit: "events"}, Item: "kind", Rows: []chart.Row{
		{Name: "already stored, equal", Value: float64(t.Duplicates - t.Conflicts), Share: math.NaN()},
		{Name: "conflict, other contents", Value: float64(t.Conflicts), Share: math.NaN()},
		{Name: "exact copy at the API", Value: float64(t.Copies), Share: math.NaN()},
	}}
	if t.Duplicates+t.Copies > 0 {
		s.Figures = append(s.Figures, figure("Events that came again", again))
	} else {
		s.Terms = append(s.Terms, Term{"Copies and conflicts", "None: no event came a second time."})
	}
	return s
}

// rejectsHeadline states what could not be stored, and how copies compare.
func (r *Report) rejectsHeadline() string {
	t := r.Trust
	rejected := t.Rejects()
	text := "Every element became an event"
	if rejected > 0 {
		text = fmt.Sprintf("%s could not be stored", chart.Plural(rejected, "element"))
	}
	switch {
	case rejected == 0 && t.Events == 0 && t.Duplicates == 0:
		return "No element has come yet"
	case t.Conflicts > 0:
		text += fmt.Sprintf("; %s came again with other contents", chart.Plural(t.Conflicts, "event"))
	case t.Copies > 0:
		text += fmt.Sprintf("; the API counts %s", copies(t.Copies))
	case rejected == 0:
		text += "; none came again with other contents"
	}
	return text
}

func copies(n int64) string {
	if n == 1 {
		return "1 exact copy"
	}
	return chart.Count(n) + " exact copies"
}

// fingerprintSection identifies the events.
func (r *Report) fingerprintSection() Section {
	return Section{
		ID: "fingerprint", Short: "Fingerprint", Kicker: "Fingerprint", Headline: "Two files with this fingerprint hold the same events",
		Note:  "Of the whole file: all stored events, in whatever order they were pulled.",
		Terms: []Term{{"Hash", r.Trust.Fingerprint.Hash}, {"Events", chart.Count(r.Trust.Fingerprint.Events)}, {"To compare", "datasync verify prints the same hash and number of events."}},
	}
}
