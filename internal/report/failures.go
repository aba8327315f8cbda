package report

import (
	"fmt"
	"math"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// errorsSection shows the error rate of each day, the worst day by hour, and what was different in its worst hour.
func (r *Report) errorsSection() Section {
	f := r.Figures
	days := f.ErrorDays()
	band := f.ErrorBand(days)
	rate := chart.Line{
		Head:   chart.Head{Title: "Error rate by day", Unit: "errors, share of the day’s events", Nothing: r.nothing()},
		Format: chart.Percents, Color: chart.Red, CountName: "errors", OfName: "events",
	}
	if band.Median.Valid {
		rate.Band, rate.Center, rate.CenterWords = "usual range", band.Median.V, "median "+chart.Percent(band.Median.V)
	}
	for i, d := range f.Period.Days {
		p := chart.Point{From: r.in(d.Start), To: r.in(d.End), State: dayState(&f.Period, d, days[i].Events), Value: days[i].Rate(), Count: days[i].Errors, Of: days[i].Events}
		if band.Median.Valid {
			p.Low, p.High = band.Low[i], band.High[i]
		}
		rate.Points = append(rate.Points, p)
	}
	s := Section{ID: "errors", Short: "Errors", Kicker: "Errors", Headline: r.errorsHeadline(), Note: r.errorsNote(band)}
	w := f.Worst
	if w != nil {
		for i, d := range f.Period.Days {
			if d.Date.Equal(w.Date) {
				rate.Mark = &chart.Mark{At: r.in(d.Start), Value: days[i].Rate(), Words: fmt.Sprintf("%s: %s", chart.Day(r.date(d.Date)), chart.Percent(days[i].Rate()))}
			}
		}
	}
	s.Figures = append(s.Figures, figure("", rate))
	if w != nil {
		s.Figures = append(s.Figures, r.peakDay(w), r.different(w))
	}
	return s
}

func (r *Report) errorsNote(band figures.Band) string {
	if !band.Median.Valid {
		return "A usual range needs three full days."
	}
	return "The band is where a day’s error rate falls by chance alone, three standard deviations around the median of full days. " +
		"Days that are not whole are dashed."
}

// peakDay shows the hours of the day of the worst hour, each with its usual number of errors.
func (r *Report) peakDay(w *figures.WorstHour) Figure {
	day := chart.Day(r.date(w.Date))
	columns := chart.Columns{
		Head:  chart.Head{Title: "Errors an hour on " + day, Unit: "errors an hour, " + day + " " + r.in(w.Start).Format("MST")},
		Color: chart.Red, UsualName: "usual hour",
		Mark:     &chart.Mark{At: r.in(w.Start), Value: float64(w.Errors), Words: fmt.Sprintf("%02d:00 · %s", w.Of, chart.Plural(w.Errors, "error"))},
		MarkNote: "usual here: " + chart.Decimal(w.Usual),
	}
	first := w.Start.Add(-time.Duration(w.Of) * time.Hour)
	for of := range w.Day {
		from := first.Add(time.Duration(of) * time.Hour)
		columns.Bars = append(columns.Bars, chart.Bar{From: r.in(from), To: r.in(from.Add(time.Hour)), Value: float64(w.Day[of]), Usual: w.UsualDay[of]})
	}
	return figure("The day of the peak: one hour stands out", columns)
}

// different shows the pages, browsers and devices whose share of the hour's errors is not the usual one.
func (r *Report) different(w *figures.WorstHour) Figure {
	factors := chart.Factors{Head: chart.Head{Title: "Shares of the errors of the worst hour", Unit: "share of the errors"}, Of: "the errors"}
	for _, f := range w.Factors {
		factors.Rows = append(factors.Rows, chart.Factor{Kind: f.Kind, Name: named(f.Name), Share: f.Share, Usual: f.Usual})
	}
	end := r.in(w.Start.Add(time.Hour))
	return figure(fmt.Sprintf("What was different from %02d:00 to %s", w.Of, end.Format("15:04")), factors)
}

// usersSection shows the active users of each day.
func (r *Report) usersSection() Section {
	f := r.Figures
	columns := chart.Columns{
		Head:  chart.Head{Title: "Active users a day", Unit: "active users", Nothing: r.nothing()},
		Color: chart.Pale, MeanOver: 7, MeanName: "7-day mean",
	}
	totals := dayTotals(f)
	for i, d := range f.Period.Days {
		columns.Bars = append(columns.Bars, chart.Bar{From: r.in(d.Start), To: r.in(d.End), State: dayState(&f.Period, d, totals[i]), Value: float64(f.Users.ByDay[i])})
	}
	note := "Users with at least one event on the day. The mean begins once 7 full days are there."
	if f.Users.Anonymous > 0 {
		note += fmt.Sprintf(" %s without a user.", chart.Plural(f.Users.Anonymous, "event"))
	}
	return Section{ID: "users", Short: "Users", Kicker: "Daily active users", Headline: r.usersHeadline(), Note: note, Figures: []Figure{figure("", columns)}}
}

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

// retentionSection shows how many users come back in later weeks.
func (r *Report) retentionSection() Section {
	c := chart.Cohort{Head: chart.Head{Title: "Users that come back, by the week in which they were first seen", Nothing: "no events with a user"}, Item: "users", Ends: r.in(r.Figures.Period.Last)}
	for _, each := range r.Figures.Retention.Cohorts {
		week := chart.Week{Start: r.midnight(each.Week), Count: each.Users}
		for i, n := range each.Active {
			state := chart.Whole
			if each.Open && i == len(each.Active)-1 {
				state = chart.Unfinished
			}
			week.Back = append(week.Back, chart.Return{Count: n, State: state})
		}
		c.Weeks = append(c.Weeks, week)
	}
	return Section{
		ID: "retention", Short: "Retention", Kicker: "Retention", Headline: r.retentionHeadline(),
		Note: "“First seen” means in this period; what was before is not counted. Weeks begin on Monday.", Figures: []Figure{figure("", c)},
	}
}

// midnight is when a date begins in the report's time zone.
func (r *Report) midnight(d time.Time) time.Time {
	y, m, day := d.Date()
	return time.Date(y, m, day, 0, 0, 0, 0, r.Zone)
}

// pagesSection shows the pages with the most events, and how often they fail.
func (r *Report) pagesSection() Section {
	c := r.Figures.Counts
	rows := chart.Rows{Head: chart.Head{Title: "Pages by events", Unit: "events", Nothing: r.nothing()}, Item: "page", Share: "errors", Limit: topPages}
	for _, p := range c.Pages {
		rows.Rows = append(rows.Rows, chart.Row{Name: named(p.Name), Value: float64(p.Events), Share: rate(p)})
	}
	if o := c.OtherPages; o.Distinct > 0 {
		rows.Rows = append(rows.Rows, chart.Row{Name: fmt.Sprintf("%s more pages", chart.Count(o.Distinct)), Value: float64(o.Events), Share: float64(o.Errors) / float64(max(o.Events, 1))})
	}
	return Section{
		ID: "pages", Short: "Pages", Kicker: "Top pages", Headline: r.pagesHeadline(),
		Note: "An error share well above the median is red and bold.", Figures: []Figure{figure("", rows)},
	}
}

// maxGrid is the number of devices, and of browsers, that are drawn one by one.
const maxGrid = 6

// devicesSection shows the events by device and browser.
func (r *Report) devicesSection() Section {
	g := chart.Grid{Head: chart.Head{Title: "Events by device and browser", Nothing: r.nothing()}, Item: "events", Down: "device", Across: "browser"}
	at := func(names *[]string, name string) int {
		for i, each := range *names {
			if each == name {
				return i
			}
		}
		if len(*names) > maxGrid {
			return maxGrid
		}
		if len(*names) == maxGrid {
			name = "other"
		}
		*names = append(*names, name)
		return len(*names) - 1
	}
	type cell struct{ row, column int }
	counts := map[cell]int64{}
	for _, d := range r.Figures.Counts.Devices {
		counts[cell{at(&g.Rows, named(d.Device)), at(&g.Columns, named(d.Browser))}] += d.Events
	}
	g.Counts = make([][]int64, len(g.Rows))
	for i := range g.Counts {
		g.Counts[i] = make([]int64, len(g.Columns))
		for j := range g.Counts[i] {
			g.Counts[i][j] = counts[cell{i, j}]
		}
	}
	return Section{
		ID: "devices", Short: "Devices", Kicker: "Device and browser", Headline: r.devicesHeadline(),
		Note: "Share of all events. All bars have one scale.", Figures: []Figure{figure("", g)},
	}
}

// nan is a share that is not known.
var nan = math.NaN()
