package report

import (
	"fmt"
	"math"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// errorsHeadline states the worst hour and what was different in it.
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
	text := fmt.Sprintf("Errors peaked %s: %s in an hour", chart.Stamp(r.in(w.Start)), chart.Count(w.Errors))
	if w.Usual >= 1 {
		text += fmt.Sprintf(", %s × the usual", chart.Decimal(math.Round(float64(w.Errors)/w.Usual)))
	}
	page, browser := standsOut(w, "page"), standsOut(w, "browser")
	switch {
	case page != "" && browser != "":
		text += ", on " + page + " in " + browser
	case page != "":
		text += ", on " + page
	case browser != "":
		text += ", in " + browser
	}
	return text
}

// standsOut names the page, browser or device that has most of the hour's errors and usually has not;
// "" if there is none.
func standsOut(w *figures.WorstHour, kind string) string {
	for _, f := range w.Factors {
		if f.Kind == kind && f.Name.Valid && f.Share >= 0.5 && f.Share >= 1.5*f.Usual {
			return chart.Label(f.Name.String)
		}
	}
	return ""
}

// usersHeadline states the mean of active users of the last full days against those before.
func (r *Report) usersHeadline() string {
	f := r.Figures
	before, now := f.Period.Comparison()
	switch {
	case f.Users.Count == 0:
		return "No events with a user" + r.within()
	case len(now) == 0:
		return chart.Plural(f.Users.Count, "user") + r.within()
	}
	mean := func(days []figures.Day) float64 {
		sum, index := int64(0), map[int64]bool{}
		for _, d := range days {
			index[d.Date.Unix()] = true
		}
		for i, d := range f.Period.Days {
			if index[d.Date.Unix()] {
				sum += f.Users.ByDay[i]
			}
		}
		return float64(sum) / float64(len(days))
	}
	n, b := mean(now), mean(before)
	span, prior := "the last full week", "the week before"
	switch len(now) {
	case 7:
	case 1:
		span, prior = "the last full day", "the day before"
	default:
		span = fmt.Sprintf("the last %d full days", len(now))
		prior = fmt.Sprintf("the %d before", len(now))
	}
	if len(now) == 1 {
		return fmt.Sprintf("%s on %s, %s %s", chart.Plural(int64(n), "user"), span, change(n, b), prior)
	}
	return fmt.Sprintf("%s on an average day in %s, %s %s", chart.Plural(int64(math.Round(n)), "user"), span, change(n, b), prior)
}

// change says how a figure compares with an earlier one: "down 0.8 % against".
func change(now, before float64) string {
	switch {
	case before == 0:
		return "against none in"
	case math.Abs(now/before-1) < 0.0005:
		return "as many as in"
	case now > before:
		return "up " + chart.Percent(now/before-1) + " against"
	}
	return "down " + chart.Percent(1-now/before) + " against"
}

// sessionsHeadline states the median session.
func (r *Report) sessionsHeadline() string {
	s := r.Figures.Sessions
	switch {
	case s.Count == 0:
		return "No sessions" + r.within()
	case s.Count == 1:
		return fmt.Sprintf("One session, %s long", chart.Span(s.Median))
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

// funnelHeadline states how many of 100 sessions reach each step.
func (r *Report) funnelHeadline() string {
	reached := r.Figures.Funnel.Reached
	if len(reached) == 0 || reached[0] == 0 {
		return "No session has a page view"
	}
	of := func(i int) string { return chart.Decimal(100 * float64(reached[i]) / float64(reached[0])) }
	return fmt.Sprintf("Of 100 sessions with a page view, %s click, %s send a form and %s buy", of(1), of(2), of(3))
}

// retentionHeadline states how many of a week's new users came back a week later: of the newest week for
// which that is known.
func (r *Report) retentionHeadline() string {
	all := r.Figures.Retention.Cohorts
	for i := len(all) - 1; i >= 0; i-- {
		c := all[i]
		last := len(c.Active) - 1
		if c.Users > 0 && (last > 1 || last == 1 && !c.Open) {
			return fmt.Sprintf("%s of the users first seen in the week of %s came back a week later",
				chart.Percent(float64(c.Active[1])/float64(c.Users)), r.date(c.Week).Format("2 Jan"))
		}
	}
	return "Too short for retention: no week is over whose users could have come back a week later"
}

// pagesHeadline states the leading page and the page that fails most.
func (r *Report) pagesHeadline() string {
	c := r.Figures.Counts
	total := c.Events()
	first := -1
	for i, p := range c.Pages {
		if p.Name.Valid {
			first = i
			break
		}
	}
	if first < 0 {
		return "No event names a page"
	}
	text := fmt.Sprintf("%s leads with %s of all events", chart.Label(c.Pages[first].Name.String), chart.Percent(float64(c.Pages[first].Events)/float64(total)))
	worst, usual := worstPage(c.Pages)
	switch {
	case worst == nil && usual == 0:
		return text
	case worst == nil:
		return text + "; over the whole period no page fails much more often than the others"
	}
	return text + fmt.Sprintf("; %s fails most: %s of its events are errors, %s × the median page",
		chart.Label(worst.Name.String), chart.Percent(rate(*worst)), chart.Decimal(math.Round(rate(*worst)/usual*10)/10))
}

// topPages is the number of pages that are drawn, failing is the ratio to the median error share from
// which on a page fails much more often than the others.
const (
	topPages = 12
	failing  = 1.35
)

func rate(p figures.Page) float64 { return float64(p.Errors) / float64(max(p.Events, 1)) }

// worstPage returns the page of the top pages that fails most, nil if none fails much more often than the
// others, and the median error share.
func worstPage(pages []figures.Page) (worst *figures.Page, usual float64) {
	var rates []float64
	pages = pages[:min(len(pages), topPages)]
	for i := range pages {
		rates = append(rates, rate(pages[i]))
	}
	usual = middle(rates)
	for i := range pages {
		if p := &pages[i]; p.Name.Valid && usual > 0 && rate(*p) >= failing*usual && (worst == nil || rate(*p) > rate(*worst)) {
			worst = p
		}
	}
	return worst, usual
}

// devicesHeadline states the browser and device with the most events.
func (r *Report) devicesHeadline() string {
	c := r.Figures.Counts
	total := c.Events()
	for _, d := range c.Devices {
		share := chart.Percent(float64(d.Events) / float64(max(total, 1)))
		switch {
		case d.Browser.Valid && d.Device.Valid:
			return fmt.Sprintf("%s on %s brings most: %s of all events", chart.Label(d.Browser.String), chart.Label(d.Device.String), share)
		case d.Browser.Valid:
			return fmt.Sprintf("%s brings most: %s of all events", chart.Label(d.Browser.String), share)
		case d.Device.Valid:
			return fmt.Sprintf("%s brings most: %s of all events", chart.Label(d.Device.String), share)
		}
	}
	return "No event names a device or a browser"
}
