package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// windowsSection shows which time is pulled.
func (r *Report) windowsSection() Section {
	s := Section{
		ID: "windows", Short: "Windows", Kicker: "Windows on the time axis of events", Headline: r.windowsHeadline(),
		Note: "Each pull opens a window from the newest event down into the one before. Where two overlap, each event is kept once.",
	}
	from, to := r.walked()
	toOldest := false // says that a window has no known end
	for _, span := range figures.NotYetPulled(r.Trust.Windows) {
		toOldest = toOldest || span.From.IsZero()
		if !span.From.IsZero() && (from.IsZero() || span.From.Before(from)) {
			from = span.From
		}
		to = later(to, span.To)
	}
	if from.IsZero() {
		return s
	}
	if toOldest {
		from = from.Add(-to.Sub(from) / 6)
		s.Note += " How far the frame reaches down is not known: the API’s oldest event is not pulled."
	}
	// A file of one instant has a row, too.
	to = later(to, from.Add(time.Second))
	lanes := chart.Lanes{Head: chart.Head{Title: "Windows on the time axis of events"}, From: r.in(from), To: r.in(to)}
	gaps := r.wideGaps(to.Sub(from))
	for _, w := range r.Trust.Windows {
		lanes.Lanes = append(lanes.Lanes, r.lane(w, from, to, gaps))
	}
	s.Figures = []Figure{figure("", lanes).byTime()}
	return s
}

// lane shows a window. from and to are the ends of the axis.
func (r *Report) lane(w figures.Window, from, to time.Time, gaps []gap) chart.Lane {
	lane := chart.Lane{Name: fmt.Sprintf("window %d", w.Number)}
	if !w.PulledAt.IsZero() {
		lane.Note = "pulled " + chart.Hour(r.in(w.PulledAt))
	}
	add := func(a, b time.Time, state chart.State) {
		if a.IsZero() {
			a = from
		}
		if b.IsZero() {
			b = to
		}
		if b.After(a) {
			lane.Spans = append(lane.Spans, chart.LaneSpan{From: r.in(a), To: r.in(b), State: state})
		}
	}
	for _, span := range w.Walked {
		at := span.From
		end := later(span.To, span.From.Add(time.Second))
		for _, g := range gaps {
			if g.from.Before(at) || end.Before(g.to) {
				continue
			}
			add(at, g.from, chart.Whole)
			add(g.from, g.to, chart.Empty)
			at = g.to
		}
		add(at, end, chart.Whole)
	}
	for _, span := range w.Open {
		add(span.From, span.To, chart.Unpulled)
	}
	slices.SortFunc(lane.Spans, func(a, b chart.LaneSpan) int { return a.From.Compare(b.From) })
	return lane
}

// windowsHeadline states which time is pulled, or which is not.
func (r *Report) windowsHeadline() string {
	windows := r.Trust.Windows
	if len(windows) == 0 {
		return "Nothing is pulled yet"
	}
	open := figures.NotYetPulled(windows)
	if len(open) == 0 {
		from, to := r.walked()
		if from.IsZero() || !to.After(from) {
			return "Every window was walked to its end; nothing is left to pull"
		}
		return fmt.Sprintf("Everything from %s to %s was walked; nothing is left to pull", r.hour(from), r.hour(to))
	}
	return "Not yet pulled: " + r.openSpans(open)
}

// walked returns the oldest and the newest instant of all windows.
func (r *Report) walked() (from, to time.Time) {
	for _, w := range r.Trust.Windows {
		for _, s := range w.Walked {
			if !s.From.IsZero() && (from.IsZero() || s.From.Before(from)) {
				from = s.From
			}
			if s.To.After(to) {
				to = s.To
			}
		}
	}
	return from, to
}

// openSpans names the spans that are not yet pulled, at most three.
func (r *Report) openSpans(open []figures.Span) string {
	var texts []string
	for i, s := range open {
		if i == 3 {
			texts = append(texts, fmt.Sprintf("%d more", len(open)-i))
			break
		}
		switch {
		case s.From.IsZero() && s.To.IsZero():
			texts = append(texts, "all events")
		case s.From.IsZero():
			texts = append(texts, "before "+r.hour(s.To))
		case s.To.IsZero():
			texts = append(texts, "after "+r.hour(s.From))
		default:
			texts = append(texts, r.between(s.From, s.To))
		}
	}
	return strings.Join(texts, ", ")
}

// wideGaps are the stretches without events that are unusual and can be seen on an axis of this length.
func (r *Report) wideGaps(axis time.Duration) (all []gap) {
	if !r.dense() {
		return nil
	}
	for _, g := range r.gaps() {
		if g.hours() >= leastGap && g.to.Sub(g.from) >= axis/400 {
			all = append(all, g)
		}
	}
	return all
}
