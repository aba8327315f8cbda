package app

import (
	"fmt"
	"slices"
	"time"

	"datasync/internal/chart"
	"datasync/internal/inspect"
	"datasync/internal/report/figures"
	"datasync/internal/term"
)

// statsView is what stats shows.
type statsView struct {
	figures *figures.Figures
	status  inspect.Status
	opts    statsOptions
	rows    []statsRow
	// others are the values that have no row of their own.
	others statsOthers
	// left is the number of rows that the text leaves out.
	left int
}

// statsRow is a bar.
type statsRow struct {
	// name is the JSON name: a text, a date or an instant; nil where events have no value.
	name  *string
	label string
	// tight is a shorter label, "" where there is none.
	tight  string
	events int64
	errors int64
	// mark is *, where the row is not whole, or ! and the hour of the errors.
	mark string
}

// statsJSON is the output of stats --json.
type statsJSON struct {
	Complete bool       `json:"complete"`
	AsOf     *time.Time `json:"as_of"`
	Since    *time.Time `json:"since"`
	Until    *time.Time `json:"until"`
	Timezone string     `json:"timezone"`
	Events   int64      `json:"events"`
	Users    int64      `json:"users"`
	Sessions int64      `json:"sessions"`
	// Median is the median length of a session in seconds.
	Median    float64        `json:"median_session_s"`
	ErrorRate float64        `json:"error_rate"`
	By        string         `json:"by"`
	Rows      []statsRowJSON `json:"rows"`
	// Others are the pages or types beyond those of Rows, together.
	Others *statsOthers `json:"others"`
}

type statsRowJSON struct {
	Name      *string `json:"name"`
	Events    int64   `json:"events"`
	Errors    int64   `json:"errors"`
	ErrorRate float64 `json:"error_rate"`
}

// statsOthers are values that are counted together.
type statsOthers struct {
	Distinct int64 `json:"distinct"`
	Events   int64 `json:"events"`
	Errors   int64 `json:"errors"`
}

// newStatsView chooses the rows.
func newStatsView(f *figures.Figures, status inspect.Status, opts statsOptions) statsView {
	v := statsView{figures: f, status: status, opts: opts}
	c := &f.Counts
	switch opts.by {
	case "day":
		v.rows = v.days()
	case "hour":
		v.rows = v.hours()
	case "type":
		for _, t := range c.Types {
			if t.Others > 0 {
				v.others = statsOthers{Distinct: t.Others, Events: t.Events}
				continue
			}
			row := statsRow{name: &t.Name, label: t.Name, events: t.Events}
			if t.Name == figures.ErrorType {
				row.errors = row.events
			}
			v.rows = append(v.rows, row)
		}
	case "page":
		for _, p := range c.Pages {
			row := statsRow{events: p.Events, errors: p.Errors}
			if p.Name.Valid {
				row.name, row.label = &p.Name.String, p.Name.String
			}
			v.rows = append(v.rows, row)
		}
		o := c.OtherPages
		v.others = statsOthers{o.Distinct, o.Events, o.Errors}
		v.markFailing()
	default:
		v.rows = v.devices()
		v.sort()
		v.markFailing()
	}
	return v
}

// devices adds up the events by device or by browser.
func (v statsView) devices() (rows []statsRow) {
	for _, d := range v.figures.Counts.Devices {
		name := d.Device
		if v.opts.by == "browser" {
			name = d.Browser
		}
		at := slices.IndexFunc(rows, func(r statsRow) bool {
			return (r.name == nil) == !name.Valid && r.label == name.String
		})
		if at < 0 {
			at = len(rows)
			row := statsRow{label: name.String}
			if name.Valid {
				row.name = &name.String
			}
			rows = append(rows, row)
		}
		rows[at].events += d.Events
		rows[at].errors += d.Errors
	}
	return rows
}

// sort puts the rows with most events first.
func (v statsView) sort() {
	slices.SortStableFunc(v.rows, func(a, b statsRow) int { return int(b.events - a.events) })
}

// days are the days of the period, also those without events.
func (v statsView) days() []statsRow {
	rows := make([]statsRow, len(v.figures.Period.Days))
	errors := v.figures.ErrorDays()
	layout := v.layoutOfDays()
	for i, d := range v.figures.Period.Days {
		name := d.Date.Format(time.DateOnly)
		rows[i] = statsRow{name: &name, label: d.Date.Format(layout), tight: name, events: errors[i].Events, errors: errors[i].Errors}
		switch w := v.figures.Worst; {
		case w != nil && w.Date.Equal(d.Date):
			rows[i].mark = fmt.Sprintf("! %02d:00", w.Of)
		case !d.Whole && (rows[i].events > 0 || v.figures.Period.Pulling(d.Start, d.End)):
			rows[i].mark = "*"
		}
	}
	return rows
}

// layoutOfDays is how a day is written: with its year where the period has several.
func (v statsView) layoutOfDays() string {
	days := v.figures.Period.Days
	if len(days) > 0 && days[0].Date.Year() != days[len(days)-1].Date.Year() && len(days) > statsDays {
		return "Mon _2 Jan 2006"
	}
	return "Mon _2 Jan"
}

// maxGap is the longest stretch without events whose hours are rows.
const maxGap = 7 * 24 * time.Hour

// hours are the hours with events, and those between them.
func (v statsView) hours() (rows []statsRow) {
	layout := v.layoutOfDays() + " 15:04"
	add := func(at time.Time, events, errors int64) {
		local := at.In(v.opts.zone)
		name := local.Format(time.RFC3339)
		row := statsRow{name: &name, label: local.Format(layout), tight: local.Format("_2 Jan 15h"), events: events, errors: errors}
		if w := v.figures.Worst; w != nil && w.Start.Equal(at) {
			row.mark = "!"
		}
		rows = append(rows, row)
	}
	c := &v.figures.Counts
	for i := range c.Hours {
		h := &c.Hours[i]
		if i > 0 {
			if from := c.Hours[i-1].Start.Add(time.Hour); h.Start.Sub(from) <= maxGap {
				for ; from.Before(h.Start); from = from.Add(time.Hour) {
					add(from, 0, 0)
				}
			}
		}
		add(h.Start, h.Total(), c.Of(h, figures.ErrorType))
	}
	return rows
}

// worstFactors names where the errors of the worst hour were: ", on /checkout in Safari".
func worstFactors(w *figures.WorstHour) string {
	text := ""
	for _, k := range []struct{ kind, before string }{{"page", "on"}, {"browser", "in"}, {"device", "on"}} {
		if name, ok := w.StandsOut(k.kind); ok {
			text += " " + k.before + " " + term.Shorten(shownValue(name), 33)
		}
	}
	if text != "" {
		text = "," + text
	}
	return text
}

// shownValue is a value of events as a terminal shows it.
func shownValue(text string) string {
	if text == "" {
		return "(empty text)"
	}
	return term.Visible(text)
}

// shown is the row's name as a terminal shows it.
func (r statsRow) shown() string {
	if r.name == nil {
		return "(none)"
	}
	return shownValue(r.label)
}

// markFailing marks the rows whose error share is far above the median, by the rule of the report.
func (v statsView) markFailing() {
	var all chart.Rows
	for _, r := range v.rows {
		all.Rows = append(all.Rows, chart.Row{Value: float64(r.events), Share: r.rate()})
	}
	for i, stands := range all.Standing() {
		if stands {
			v.rows[i].mark = "!"
		}
	}
}

// rate is the share of errors among the events.
func (r statsRow) rate() float64 { return float64(r.errors) / float64(max(r.events, 1)) }

// json is the view as JSON.
func (v statsView) json() statsJSON {
	f := v.figures
	j := statsJSON{
		Complete: v.status.Complete, AsOf: v.status.CompletedAt, Timezone: v.opts.timezone, Events: f.Counts.Events(), Users: f.Users.Count,
		Sessions: f.Sessions.Count, Median: f.Sessions.Median.Seconds(), By: v.opts.by, Rows: []statsRowJSON{},
	}
	if p := f.Period; !p.From.IsZero() {
		j.Since, j.Until = &p.From, &p.To
	}
	j.ErrorRate = v.errorRate()
	for _, r := range v.rows {
		j.Rows = append(j.Rows, statsRowJSON{r.name, r.events, r.errors, r.rate()})
	}
	if v.others.Distinct > 0 {
		j.Others = &v.others
	}
	return j
}

// errorRate is the share of errors in all events.
func (v statsView) errorRate() float64 {
	var all figures.DayErrors
	for _, d := range v.figures.ErrorDays() {
		all.Events += d.Events
		all.Errors += d.Errors
	}
	return all.Rate()
}
