package report_test

import (
	"database/sql"
	"fmt"
	"math"
	"time"

	"datasync/internal/report"
	"datasync/internal/report/figures"
)

// from is a Monday.
var from = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// events are made-up events, from which figures are computed in Go.
type events struct {
	zone        *time.Location
	first, last time.Time
	types       []string
	pages       int
	devices     []string
	browsers    []string
	// badHour is an hour with many errors; zero is none. gap is a stretch without events.
	badHour time.Time
	gap     [2]time.Time
	// every is the time between hours with events; an hour by default.
	every time.Duration
}

// lively are the events of some days with all that a page can show.
func lively(days int) events {
	return events{
		zone: time.UTC, first: from, last: from.AddDate(0, 0, days).Add(-5 * time.Hour),
		types: []string{"page_view", "click", "api_call", "form_submit", "scroll", "video_play", "purchase", "error"},
		pages: 24, devices: []string{"mobile", "desktop", "tablet"}, browsers: []string{"Chrome", "Safari", "Edge", "Firefox"},
		badHour: from.Add(38 * time.Hour), gap: [2]time.Time{from.Add(50 * time.Hour), from.Add(54 * time.Hour)},
	}
}

func text(s string) sql.NullString { return sql.NullString{String: s, Valid: true} }

// report returns a page of the events.
func (e events) report() *report.Report {
	f := &figures.Figures{}
	p := &f.Period
	p.From, p.To, p.First, p.Last = e.first, e.last, e.first, e.last
	for d := e.midnight(e.first); !d.After(e.last); d = e.midnight(d.Add(36 * time.Hour)) {
		y, m, day := d.Date()
		next := e.midnight(d.Add(36 * time.Hour))
		p.Days = append(p.Days, figures.Day{Date: time.Date(y, m, day, 0, 0, 0, 0, time.UTC), Start: d.UTC(), End: next.UTC(), Whole: !d.Before(e.first) && !next.After(e.last)})
	}
	p.Unpulled = []figures.Span{{From: e.last}}
	e.count(f)
	e.people(f)
	if !e.badHour.IsZero() {
		e.worst(f)
	}
	return &report.Report{File: "data/events.duckdb", Version: "1.0", Made: e.last.Add(time.Hour), Zone: e.zone, Figures: f, Trust: e.trust(f), Pull: e.pull(f)}
}

func (e events) midnight(t time.Time) time.Time {
	y, m, d := t.In(e.zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, e.zone)
}

// count sets the additive figures.
func (e events) count(f *figures.Figures) {
	c := &f.Counts
	for _, name := range e.types {
		c.Types = append(c.Types, figures.Type{Name: name})
	}
	every := e.every
	if every == 0 {
		every = time.Hour
	}
	for at := e.first.Truncate(time.Hour); !at.After(e.last); at = at.Add(every) {
		if !at.Before(e.gap[0]) && at.Before(e.gap[1]) {
			continue
		}
		local := at.In(e.zone)
		y, m, d := local.Date()
		h := figures.Hour{Start: at, Date: time.Date(y, m, d, 0, 0, 0, 0, time.UTC), Of: local.Hour(), Events: make([]int64, len(e.types))}
		for i, name := range e.types {
			n := int64(20+20*math.Sin(float64(local.Hour()-8)/24*2*math.Pi)) * 8 / int64(i+1)
			if name == figures.ErrorType && at.Equal(e.badHour) {
				n = 379
			}
			h.Events[i] = n
			c.Types[i].Events += n
		}
		c.Hours = append(c.Hours, h)
	}
	total := c.Events()
	for i := range min(e.pages, 1000) {
		c.Pages = append(c.Pages, figures.Page{Name: text(fmt.Sprintf("/page/%d", i)), Events: max(1, total/int64(2*i+2)), Errors: total / int64(2*i+2) / 30})
	}
	if more := int64(e.pages - 1000); more > 0 {
		c.OtherPages.Distinct, c.OtherPages.Events, c.OtherPages.Errors = more, more, more/30
	}
	for i, device := range e.devices {
		for j, browser := range e.browsers {
			c.Devices = append(c.Devices, figures.Device{Device: text(device), Browser: text(browser), Events: max(1, total/int64(2+i+j)/4)})
		}
	}
}

// people sets the figures of users and sessions.
func (e events) people(f *figures.Figures) {
	total := f.Counts.Events()
	f.Users = figures.Users{Count: total/30 + 1, Anonymous: 7}
	for i := range f.Period.Days {
		f.Users.ByDay = append(f.Users.ByDay, int64(800+i%7*10))
	}
	f.Sessions = figures.Sessions{Count: total/4 + 1, Median: 85 * time.Second, MedianEvents: 4, Lengths: make([]int64, len(figures.LengthBounds)+1), Sizes: make([]int64, 16)}
	for i := range f.Sessions.Lengths {
		f.Sessions.Lengths[i] = total / 40
	}
	for i := range f.Sessions.Sizes {
		f.Sessions.Sizes[i] = total / int64(20+i)
	}
	f.Funnel.Reached = []int64{total / 4, total / 6, total / 12, total / 40}
	weeks := (len(f.Period.Days) + 6) / 7
	for i := range min(weeks, 53) {
		c := figures.Cohort{Week: from.AddDate(0, 0, 7*i), Users: 500, Open: true}
		for j := range weeks - i {
			c.Active = append(c.Active, int64(500/(j+1)))
		}
		f.Retention.Cohorts = append(f.Retention.Cohorts, c)
	}
	if days := f.Period.Days; len(days) > 15 {
		c := &f.Comparison
		c.Before, c.Now = days[len(days)-15:len(days)-8], days[len(days)-8:len(days)-1]
		for i := range 14 {
			c.ByDay = append(c.ByDay, figures.Measures{Events: 1000 + int64(i), Errors: 40, Purchases: 12, Users: 850, Sessions: 300, Median: 80 * time.Second})
		}
		c.Was = figures.Measures{Events: 7021, Errors: 280, Purchases: 84, Users: 4100, Sessions: 2100, Median: 80 * time.Second}
		c.Is = figures.Measures{Events: 7070, Errors: 320, Purchases: 84, Users: 4000, Sessions: 2100, Median: 90 * time.Second}
	}
}

// worst sets the worst hour.
func (e events) worst(f *figures.Figures) {
	local := e.badHour.In(e.zone)
	y, m, d := local.Date()
	w := &figures.WorstHour{Start: e.badHour, Date: time.Date(y, m, d, 0, 0, 0, 0, time.UTC), Of: local.Hour(), Errors: 379, Usual: 25, Compared: true, Factors: []figures.Factor{
		{Kind: "page", Name: text("/checkout"), Share: 0.95, Usual: 0.048},
		{Kind: "browser", Name: text("Safari"), Share: 0.97, Usual: 0.31},
		{Kind: "browser", Name: text("Chrome"), Share: 0.02, Usual: 0.51},
	}}
	for i := range w.Day {
		w.Day[i], w.UsualDay[i] = 20, 21
	}
	w.Day[w.Of] = w.Errors
	f.Worst = w
}

// trust returns the trust of a complete file.
func (e events) trust(f *figures.Figures) *figures.Trust {
	t := &figures.Trust{Pages: 120, Batch: 313}
	t.Complete, t.Events, t.Duplicates, t.Copies = true, f.Counts.Events(), 41, 2
	total, missing, at := t.Events+12, int64(0), e.last.Add(time.Minute)
	t.Total, t.Missing, t.CompletedAt = &total, &missing, &at
	t.Rejected = map[string]int64{"bad_id": 9, "missing_type": 3}
	t.Fingerprint.Hash, t.Fingerprint.Events = "551341067198177084155397", t.Events
	t.Windows = []figures.Window{{Number: 1, PulledAt: at, Done: true, Pages: 120, Events: t.Events, Walked: []figures.Span{{From: e.first, To: e.last}}}}
	return t
}

// pull returns a pull of twelve seconds that waited.
func (e events) pull(f *figures.Figures) *figures.Pull {
	began := e.last.Add(time.Minute)
	at := func(s float64) time.Time { return began.Add(time.Duration(s * float64(time.Second))) }
	return &figures.Pull{
		Began: began, Ended: at(12), Outcome: "complete", Waiting: 8 * time.Second,
		Minimum: sql.Null[time.Duration]{V: 11 * time.Second, Valid: true},
		Batches: []figures.Batch{
			{Number: 1, Endpoint: "events", CommittedAt: at(2), Pages: 40, Events: 20_000, Took: time.Second},
			{Number: 2, Endpoint: "feed", CommittedAt: at(6), Pages: 80, Events: 40_000, Took: time.Second},
		},
		Waits: []figures.Wait{
			{Endpoint: "events", Reason: "rate limit", From: at(2), To: at(10.6), Count: 3, Ordered: 8 * time.Second, Actual: 8600 * time.Millisecond},
			{Endpoint: "feed", Reason: "pacing", From: at(7), To: at(8), Count: 1, Actual: time.Second},
		},
		Refusals: []figures.Refusal{{Endpoint: "events", Refused: "rate limit", From: at(2), To: at(4), Count: 2}},
	}
}
