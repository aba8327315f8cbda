package report

import (
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// dayState says how a chart shows a day.
func dayState(p *figures.Period, d figures.Day, events int64) chart.State {
	switch {
	case !p.Pulled(d.Start, d.End):
		return chart.Unpulled
	case !d.Whole:
		return chart.Unfinished
	case events == 0:
		return chart.Empty
	}
	return chart.Whole
}

// nothing is the sentence of a chart without values.
func (r *Report) nothing() string { return "no events" + r.within() }

// daysSection shows the events of each day by type.
func (r *Report) daysSection() Section {
	f := r.Figures
	stack := chart.Stack{Head: chart.Head{Title: "Events a day by type", Unit: "events", Nothing: r.nothing()}}
	for _, name := range f.Counts.Types {
		stack.Series = append(stack.Series, chart.Series{Name: name, Color: chart.TypeColor(name)})
	}
	totals := dayTotals(f)
	byDate := map[time.Time][]int64{}
	for i := range f.Counts.Hours {
		h := &f.Counts.Hours[i]
		if byDate[h.Date] == nil {
			byDate[h.Date] = make([]int64, len(f.Counts.Types))
		}
		for t, n := range h.Events {
			byDate[h.Date][t] += n
		}
	}
	for i, d := range f.Period.Days {
		values := byDate[d.Date]
		if values == nil {
			values = make([]int64, len(f.Counts.Types))
		}
		stack.Days = append(stack.Days, chart.Counted{From: r.in(d.Start), To: r.in(d.End), State: dayState(&f.Period, d, totals[i]), Values: values})
	}
	s := Section{
		ID: "days", Short: "Traffic", Kicker: "Events a day, by type", Headline: r.daysHeadline(),
		Note:    "Days in " + r.zone() + ". Hatched days are not whole.",
		Figures: []Figure{figure("", stack)},
	}
	if len(f.Period.Days) > 1 && len(stack.Series) > 1 {
		s.Figures = append(s.Figures, Figure{Title: "Each type on its own scale, full days", Drawing: chart.Multiples(stack).Draw()})
	}
	return s
}

// zone names the time zone in a sentence.
func (r *Report) zone() string { return r.Zone.String() }

// hoursSection shows the events of each hour.
func (r *Report) hoursSection() Section {
	line := chart.Line{
		Head: chart.Head{Title: "Events an hour", Unit: "events an hour", Nothing: r.nothing()}, Color: chart.Slate, Area: true, Points: r.hourPoints(),
	}
	return Section{
		ID: "hours", Short: "Hours", Kicker: "Events an hour", Headline: r.hoursHeadline(),
		Note:    "The line breaks where there is nothing to draw. Hours that are not whole are left out. Hours in " + r.zone() + ".",
		Figures: []Figure{figure("", line)},
	}
}

// hourPoints are all hours from the first to the last one with events, and those not yet pulled. A stretch without
// events is a gap where it is a finding, and a row of zeros otherwise.
func (r *Report) hourPoints() (points []chart.Point) {
	f := r.Figures
	p := &f.Period
	hours := f.Counts.Hours
	if len(hours) == 0 {
		return nil
	}
	_, unusual := r.longestGap()
	blank := func(from, to time.Time) {
		state := chart.Whole
		switch {
		case !p.Pulled(from, to):
			state = chart.Unpulled
		case unusual && to.Sub(from) >= leastGap*time.Hour:
			state = chart.Empty
		}
		for at := from; at.Before(to); at = at.Add(time.Hour) {
			points = append(points, chart.Point{From: r.in(at), To: r.in(at.Add(time.Hour)), State: state})
		}
	}
	next := hours[0].Start
	if p.From.Before(next) {
		whole := next.Add(-next.Sub(p.From).Truncate(time.Hour))
		blank(whole, next)
	}
	for i := range hours {
		h := &hours[i]
		if h.Start.After(next) {
			blank(next, h.Start)
		}
		end := h.Start.Add(time.Hour)
		point := chart.Point{From: r.in(h.Start), To: r.in(end), Value: float64(h.Total())}
		if h.Start.Before(p.First) && i == 0 || end.After(p.Last) || p.Pulling(h.Start, end) {
			point.State = chart.Unfinished
		}
		points = append(points, point)
		next = end
	}
	return points
}

// weekSection shows the mean of each hour of the week.
func (r *Report) weekSection() Section {
	heat := chart.Heat{Head: chart.Head{Title: "Mean events an hour by weekday and hour", Unit: "events an hour, mean", Nothing: "no full day yet"}}
	cells := week(r.Figures)
	for day := range cells {
		for of, c := range cells[day] {
			heat.Cells[day][of] = c.mean()
		}
	}
	return Section{
		ID: "week", Short: "Week", Kicker: "Hour of day by weekday", Headline: r.weekHeadline(),
		Note: "Mean of all full days in the period, in " + r.zone() + ". Days that are not whole do not count.", Figures: []Figure{figure("", heat)},
	}
}
