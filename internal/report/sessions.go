package report

import (
	"fmt"
	"math"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// sessionsSection shows how long sessions are, and how many events they have.
func (r *Report) sessionsSection() Section {
	s := r.Figures.Sessions
	lengths := chart.Histogram{Head: chart.Head{Title: "Sessions by length", Unit: "sessions by length (share; bins widen)", Nothing: "no sessions"}, Item: "sessions", Size: "length", Edges: true}
	sizes := chart.Histogram{Head: chart.Head{Title: "Sessions by number of events", Unit: "sessions by number of events (share)", Nothing: "no sessions"}, Item: "sessions", Size: "events"}
	for i, n := range s.Lengths {
		bin := chart.Bin{Count: n}
		switch {
		case i == 0:
			bin.Name, bin.Mark = "below "+chart.Span(figures.LengthBounds[0]), "0"
		case i == len(figures.LengthBounds):
			bin.Name, bin.Mark = "from "+chart.Span(figures.LengthBounds[i-1]), chart.Span(figures.LengthBounds[i-1])
		default:
			bin.Name, bin.Mark = chart.Span(figures.LengthBounds[i-1])+" to "+chart.Span(figures.LengthBounds[i]), chart.Span(figures.LengthBounds[i-1])
		}
		lengths.Bins = append(lengths.Bins, bin)
	}
	for i, n := range s.Sizes {
		bin := chart.Bin{Count: n, Name: fmt.Sprint(i + 1)}
		if i == len(s.Sizes)-1 {
			bin.Name += " or more"
		}
		switch {
		case i == len(s.Sizes)-1:
			bin.Mark = fmt.Sprintf("%d+", i+1)
		case i%2 == 0:
			bin.Mark = fmt.Sprint(i + 1)
		}
		sizes.Bins = append(sizes.Bins, bin)
	}
	return Section{
		ID: "sessions", Short: "Sessions", Kicker: "Sessions", Headline: r.sessionsHeadline(),
		Note: chart.Plural(s.Count, "session") + ". Length is from the first to the last event, so a session of one event has length 0.",
		Pair: []Figure{figure("", lengths), figure("", sizes)},
	}
}

// sessionsHeadline states the median session.
func (r *Report) sessionsHeadline() string {
	s := r.Figures.Sessions
	switch {
	case s.Count == 0:
		return "No sessions" + r.within()
	case s.Count == 1:
		return fmt.Sprintf("One session, %s long, with %s", chart.Span(s.Median), events(s.MedianEvents))
	case s.Median == 0:
		return fmt.Sprintf("Half of all sessions are a single moment; the median session has %s", events(s.MedianEvents))
	}
	return fmt.Sprintf("Half of all sessions end within %s; the median session has %s", chart.Span(s.Median), events(s.MedianEvents))
}

// events writes a number of events that may be a half.
func events(n float64) string {
	if n == 1 {
		return "1 event"
	}
	return chart.Decimal(n) + " events"
}

// funnelSection shows how many sessions reach each step.
func (r *Report) funnelSection() Section {
	f := chart.Funnel{Head: chart.Head{Title: "Sessions by the steps that they reach", Nothing: "no session has a page view"}, Item: "sessions"}
	if reached := r.Figures.Funnel.Reached; len(reached) > 0 && reached[0] > 0 {
		for i, n := range reached {
			f.Steps = append(f.Steps, chart.Step{Name: figures.Steps[i], Count: n, Color: chart.TypeColor(figures.Steps[i])})
		}
	}
	return Section{
		ID: "funnel", Short: "Funnel", Kicker: "Funnel", Headline: r.funnelHeadline(),
		Note: "Sessions that reached each step, in this order." + r.largestLoss(), Figures: []Figure{figure("", f)},
	}
}

// funnelHeadline states how many of 100 sessions reach each step.
func (r *Report) funnelHeadline() string {
	reached := r.Figures.Funnel.Reached
	if len(reached) == 0 || reached[0] == 0 {
		return "No session has a page view"
	}
	if reached[0] < 100 {
		return fmt.Sprintf("Of %s with a page view, %s click, %s send a form and %s buy",
			chart.Plural(reached[0], "session"), chart.Count(reached[1]), chart.Count(reached[2]), chart.Count(reached[3]))
	}
	of := func(i int) string {
		sessions := 100 * float64(reached[i]) / float64(reached[0])
		if sessions >= 9.95 {
			sessions = math.Round(sessions) // the chart has the digits
		}
		return chart.Decimal(sessions)
	}
	return fmt.Sprintf("Of 100 sessions with a page view, %s click, %s send a form and %s buy", of(1), of(2), of(3))
}

// largestLoss names the step of the funnel at which the largest share leaves.
func (r *Report) largestLoss() string {
	reached := r.Figures.Funnel.Reached
	worst, at := 0.0, 0
	for i := 1; i < len(reached); i++ {
		if reached[i-1] == 0 {
			break
		}
		if loss := 1 - float64(reached[i])/float64(reached[i-1]); loss > worst {
			worst, at = loss, i
		}
	}
	if at == 0 {
		return ""
	}
	return fmt.Sprintf(" The largest loss is from %s to %s.", figures.Steps[at-1], figures.Steps[at])
}
