package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// errorsSection shows the error rate of each day, the worst day by hour, and the differences of its worst hour.
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
		if p.State == chart.Unfinished && days[i].Events == 0 {
			p.Value = math.NaN()
		}
		rate.Points = append(rate.Points, p)
	}
	s := Section{ID: "errors", Short: "Errors", Kicker: "Errors", Headline: r.errorsHeadline(), Note: r.errorsNote(band)}
	w := f.Worst
	if w != nil {
		for i, d := range f.Period.Days {
			if d.Date.Equal(w.Date) {
				rate.Mark = &chart.Mark{At: r.in(d.Start.Add(d.End.Sub(d.Start) / 2)), Value: days[i].Rate(), Words: fmt.Sprintf("%s: %s", chart.Day(r.date(d.Date)), chart.Percent(days[i].Rate()))}
			}
		}
	}
	s.Figures = append(s.Figures, figure("", rate).byTime())
	if w != nil {
		s.Figures = append(s.Figures, r.peakDay(w))
	}
	if w != nil && w.Compared {
		s.Figures = append(s.Figures, r.different(w))
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

// errorsHeadline states the worst hour, and its page and browser.
func (r *Report) errorsHeadline() string {
	f := r.Figures
	days := f.ErrorDays()
	var total figures.DayErrors
	for _, d := range days {
		total.Events += d.Events
		total.Errors += d.Errors
	}
	w := f.Worst
	switch {
	case total.Events == 0:
		return "No events" + r.within()
	case total.Errors == 0:
		return "No errors" + r.within()
	case w == nil:
		return fmt.Sprintf("No hour stands out: %s of the events are errors", chart.Percent(total.Rate()))
	}
	text := fmt.Sprintf("Errors peaked %s: %s in an hour", r.stamp(w.Start), chart.Count(w.Errors))
	if w.Usual >= 1 {
		text += fmt.Sprintf(", %s"+nbsp+"× the usual", chart.Decimal(math.Round(float64(w.Errors)/w.Usual)))
	}
	where := ""
	for _, k := range []struct{ kind, before string }{{"page", " on "}, {"browser", " in "}, {"device", " on "}} {
		if name, ok := w.StandsOut(k.kind); ok {
			where += k.before + chart.Label(name)
		}
	}
	if where != "" {
		text += "," + where
	}
	return text
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
	// By the clock: where clocks change, an hour of 24 is empty or has two.
	at := func(of int) time.Time {
		y, m, d := w.Date.Date()
		return time.Date(y, m, d, of, 0, 0, 0, r.Zone)
	}
	for of := range w.Day {
		if from, to := at(of), at(of+1); to.After(from) {
			columns.Bars = append(columns.Bars, chart.Bar{From: from, To: to, Value: float64(w.Day[of]), Usual: w.UsualDay[of]})
		}
	}
	return figure("The day of the peak: one hour stands out", columns)
}

// different shows the pages, browsers and devices whose share of the hour's errors is not the usual one.
func (r *Report) different(w *figures.WorstHour) Figure {
	factors := chart.Factors{
		Head: chart.Head{Title: "Shares of the errors of the worst hour", Unit: "share of the hour’s errors; " + asUsual(w), Nothing: "no page, browser or device"}, Of: "the errors",
	}
	for _, f := range w.Factors {
		factors.Rows = append(factors.Rows, chart.Factor{Kind: f.Kind, Name: named(f.Name), Share: f.Share, Usual: f.Usual})
	}
	from, to := r.in(w.Start), r.in(w.Start.Add(time.Hour))
	return figure("What was different from "+from.Format("15:04")+" to "+to.Format("15:04"), factors)
}

// asUsual names what the worst hour has in common with others.
func asUsual(w *figures.WorstHour) string {
	var same []string
	for _, kind := range []string{"page", "browser", "device"} {
		if !slices.ContainsFunc(w.Factors, func(f figures.Factor) bool { return f.Kind == kind }) {
			same = append(same, kind+"s")
		}
	}
	if len(same) == 0 {
		return "a tick is the usual one"
	}
	return strings.Join(same, " and ") + " were as usual"
}
