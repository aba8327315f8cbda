package report

import (
	"fmt"
	"slices"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// daysSection shows the events of each day by type.
func (r *Report) daysSection() Section {
	f := r.Figures
	stack := chart.Stack{Head: chart.Head{Title: "Events a day by type", Unit: "events", Nothing: r.nothing()}}
	series, at := typeSeries(f.Counts.Types)
	stack.Series = series
	totals := dayTotals(f)
	byDate := map[time.Time][]int64{}
	for i := range f.Counts.Hours {
		h := &f.Counts.Hours[i]
		if byDate[h.Date] == nil {
			byDate[h.Date] = make([]int64, len(series))
		}
		for t, n := range h.Events {
			byDate[h.Date][at[t]] += n
		}
	}
	for i, d := range f.Period.Days {
		values := byDate[d.Date]
		if values == nil {
			values = make([]int64, len(series))
		}
		stack.Days = append(stack.Days, chart.Counted{From: r.in(d.Start), To: r.in(d.End), State: dayState(&f.Period, d, totals[i]), Values: values})
	}
	s := Section{
		ID: "days", Short: "Traffic", Kicker: "Events a day, by type", Headline: r.daysHeadline(),
		Note:    "Days in " + r.zone() + "." + r.cutDays(),
		Figures: []Figure{figure("", stack).byTime()},
	}
	if len(f.Period.Days) > 1 && f.Counts.Events() > 0 && len(stack.Series) > 1 {
		s.Figures = append(s.Figures, Figure{Title: "Each type on its own scale, full days", Drawing: chart.Multiples(stack).Draw()})
	}
	return s
}

// maxSeries is the number of types that the table of events a day has one by one.
const maxSeries = 16

// typeSeries are the types of events as a chart has them, and the number of the series of each type. Types
// that have no colour are one series where there are many.
func typeSeries(types []figures.Type) (series []chart.Series, at []int) {
	plain := 0
	for _, t := range types {
		if chart.TypeColor(t.Name) == chart.Other {
			plain++
		}
	}
	room := maxSeries - (len(types) - plain) // for types without a colour
	others, rest := int64(0), -1
	for _, t := range types {
		color := chart.TypeColor(t.Name)
		if color == chart.Other && (t.Others > 0 || plain > room && len(series) >= maxSeries-1) {
			if rest < 0 {
				rest = len(series)
				series = append(series, chart.Series{Color: chart.Other})
			}
			others += max(t.Others, 1)
			series[rest].Name = chart.Plural(others, "other type")
			at = append(at, rest)
			continue
		}
		at = append(at, len(series))
		series = append(series, chart.Series{Name: short(t.Name), Color: color})
	}
	return series, at
}

// cutDays says why the days of the first and the last event are striped.
func (r *Report) cutDays() string {
	p := r.Figures.Period
	if p.First.IsZero() || len(p.Days) == 0 {
		return ""
	}
	at := func(t time.Time) int {
		return max(0, slices.IndexFunc(p.Days, func(d figures.Day) bool { return t.Before(d.End) }))
	}
	first, last := at(p.First), at(p.Last)
	from, to := r.hour(p.First), r.hour(p.Last)
	switch {
	case first == last && !p.Days[first].Whole:
		return " The day is not whole and is striped: its events are from " + from + " to " + to + "."
	case !p.Days[first].Whole && !p.Days[last].Whole:
		return " The first and the last day are not whole and are striped: the events begin " + from + " and end " + to + "."
	case !p.Days[first].Whole:
		return " The first day is not whole and is striped: the events begin " + from + "."
	case !p.Days[last].Whole:
		return " The last day is not whole and is striped: the events end " + to + "."
	}
	return ""
}

// daysHeadline states what weekdays and weekends bring, and the busiest day.
func (r *Report) daysHeadline() string {
	f := r.Figures
	totals := dayTotals(f)
	busiest, sum, days := -1, [2]int64{}, [2]int64{}
	for i, d := range f.Period.Days {
		if totals[i] > 0 && (busiest < 0 || totals[i] > totals[busiest]) {
			busiest = i
		}
		if d.Whole {
			kind := 0
			if w := d.Date.Weekday(); w == time.Saturday || w == time.Sunday {
				kind = 1
			}
			sum[kind] += totals[i]
			days[kind]++
		}
	}
	if busiest < 0 {
		return "No events" + r.within()
	}
	day := r.day(f.Period.Days[busiest].Date)
	switch {
	case len(f.Period.Days) == 1:
		return chart.Plural(totals[busiest], "event") + " on " + day
	case days[0] > 0 && days[1] > 0:
		return fmt.Sprintf("Weekdays bring %s, weekends %s; the busiest day was %s: %s",
			chart.Plural(sum[0]/days[0], "event"), chart.Count(sum[1]/days[1]), day, chart.Count(totals[busiest]))
	case days[0]+days[1] > 0:
		return fmt.Sprintf("A full day brings %s; the busiest day was %s: %s",
			chart.Plural((sum[0]+sum[1])/(days[0]+days[1]), "event"), day, chart.Count(totals[busiest]))
	}
	return fmt.Sprintf("The busiest day was %s: %s", day, chart.Plural(totals[busiest], "event"))
}

// dayTotals are the events of each day of the period.
func dayTotals(f *figures.Figures) []int64 {
	totals := make([]int64, len(f.Period.Days))
	for i, d := range f.ErrorDays() {
		totals[i] = d.Events
	}
	return totals
}

// dayState says how a chart shows a day.
func dayState(p *figures.Period, d figures.Day, events int64) chart.State {
	switch {
	case events == 0 && !p.Pulled(d.Start, d.End):
		return chart.Unpulled
	case events == 0 && !p.Pulling(d.Start, d.End):
		return chart.Empty
	case !d.Whole:
		return chart.Unfinished
	}
	return chart.Whole
}
