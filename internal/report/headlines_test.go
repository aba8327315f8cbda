package report_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"datasync/internal/report"
	"datasync/internal/report/figures"
)

// said returns the text of a page, with plain spaces: a line for each element.
func said(page string) string {
	page = regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(page, "")
	page = regexp.MustCompile(`<[^>]+>`).ReplaceAllString(page, "\n")
	return strings.ReplaceAll(html.UnescapeString(page), "\u00a0", " ")
}

// TestAnswers: a page says which hour was bad, on which page and browser, whether the file is complete, and
// what slowed the pull.
func TestAnswers(t *testing.T) {
	at := func(s float64) time.Time { return from.Add(time.Duration(s * float64(time.Second))) }
	wait := func(endpoint, reason string, seconds float64) func(*report.Report) {
		return func(r *report.Report) {
			r.Pull.Waits = []figures.Wait{{Endpoint: endpoint, Reason: reason, From: at(0), To: at(seconds), Count: 1, Actual: time.Duration(seconds * float64(time.Second))}}
			r.Pull.Began, r.Pull.Ended, r.Pull.Batches = at(0), at(12), nil
		}
	}
	for name, tc := range map[string]struct {
		change func(*report.Report)
		want   []string
	}{
		"a month": {func(*report.Report) {}, []string{
			"Complete as of Tue 3 Feb 2026, 19:01:00 UTC", "Events, 5 January to 3 February 2026",
			"Errors peaked Tue 6 Jan 14:00 UTC: 379 in an hour, 15 × the usual, on /checkout in Safari",
			"No events for 4 hours, Wed 7 Jan 02:00–06:00; the API had none",
			"The events endpoint’s rate limit slowed the pull most: 8.6 s of 12 s spent closed; the feed filled in",
			"share of the hour’s errors; devices were as usual",
			"The last day is not whole and is striped: the events end Tue 3 Feb 19:00.",
			"Everything from Mon 5 Jan 00:00 to Tue 3 Feb 19:00 was walked; nothing is left to pull",
			"0.7 %, from 7,021", "0.5 points, from 4.0 %", "12 elements could not be stored; the API counts 2 exact copies",
		}},
		"both endpoints": {func(r *report.Report) {
			r.Pull.Waits[1] = figures.Wait{Endpoint: "feed", Reason: "pacing", From: at(2), To: at(9), Count: 1, Actual: 7 * time.Second}
			r.Pull.Reread = 1
		}, []string{
			"Rate limits slowed the pull most: the events endpoint spent 8.6 s of 12 s closed, the feed 7 s", "1 page with rejects was requested again, to check them.",
		}},
		"a moment of the feed": {func(r *report.Report) { r.Pull.Batches[1].Took = 100 * time.Millisecond }, []string{
			"The events endpoint’s rate limit slowed the pull most: 8.6 s of 12 s spent closed\n",
		}},
		"thousands": {func(r *report.Report) {
			for range 2999 {
				r.Trust.Windows = append(r.Trust.Windows, r.Trust.Windows[0])
			}
		}, []string{"3,000 of 3,000 windows walked to the end", "none missing; with 12 rejects, the API has 305,494", "120 pages read, none with known events only"}},
		"one hour":         {func(r *report.Report) { *r = *pages(t)["one"] }, []string{"542 events, all in the hour from Mon 5 Jan 19:00 on"}},
		"a whole week":     {func(*report.Report) {}, []string{"The busiest hour of the week is Tue 14:00"}},
		"a part of a week": {func(r *report.Report) { *r = *lively(5).report() }, []string{"Of the full days, the busiest hour is Tue 14:00"}},
		"feed pacing":      {wait("feed", "pacing", 9), []string{"The feed’s rate limit slowed the pull most: 9 s of 12 s spent closed"}},
		"token":            {wait("stream-access", "token", 3), []string{"The wait for a token slowed the pull most: 3 s of 12 s"}},
		"retries":          {wait("events", "retry", 4), []string{"Failures of the events endpoint slowed the pull most: 4 s of 12 s until it was asked again"}},
		"an earlier run":   {wait("events", "earlier run", 4), []string{"Waits of the events endpoint slowed the pull most (earlier run): 4 s of 12 s"}},
		"answers": {func(r *report.Report) { r.Pull.Waits, r.Pull.Batches[0].Took = nil, 11*time.Second }, []string{
			"No limit slowed the pull: its 12 s went into the API’s answers", "It waited for no endpoint.",
		}},
		"nothing": {func(r *report.Report) { r.Pull.Waits = nil }, []string{"Nothing slowed the pull: it took 12 s"}},
		"killed": {func(r *report.Report) { r.Pull.Outcome, r.Pull.Waits = "running", nil }, []string{
			"What slowed the pull after its last commit is not recorded: it runs, or was killed", "It has not ended; this is up to its last commit.",
		}},
		"no record": {func(r *report.Report) { r.Pull = nil }, []string{"How this file was pulled is not known: an older version made it"}},
		"missing": {func(r *report.Report) {
			missing := int64(1204)
			r.Trust.Complete, r.Trust.Missing = false, &missing
		}, []string{"At least 1,204 events are missing"}},
		"not closed": {func(r *report.Report) { r.Trust.Complete = false }, []string{"Incomplete: the closing check is left; run datasync pull"}},
		"a gap that is not pulled": {func(r *report.Report) {
			r.Trust.Complete = false
			r.Trust.Windows[0].Open = []figures.Span{{From: from.Add(50 * time.Hour), To: from.Add(54 * time.Hour)}}
			r.Figures.Period.Unpulled = r.Trust.Windows[0].Open
		}, []string{"Incomplete: not yet pulled Wed 7 Jan 02:00–06:00", "Not yet pulled: Wed 7 Jan 02:00–06:00"}},
		"a start bound": {func(r *report.Report) { bound := from; r.Trust.From = &bound }, []string{", from Mon 5 Jan 00:00 UTC on"}},
		"conflicts":     {func(r *report.Report) { r.Trust.Conflicts = 3 }, []string{"3 conflicts", "3 events came again with other contents"}},
		"a part of the file": {func(r *report.Report) { r.Trust.Events++ }, []string{
			"This strip is about the whole file, of which the page shows 305,482 events.",
		}},
	} {
		r := lively(30).report()
		tc.change(r)
		page := said(write(t, r))
		for _, want := range tc.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %q", name, want)
			}
		}
	}
}

// TestHeadlinesFit: no headline has a stretch without a place for a break that is wider than the rail, in long periods
// and in zones with long names, too.
func TestHeadlinesFit(t *testing.T) {
	headline := regexp.MustCompile(`<h2[^>]*>([^<]*)</h2>`)
	for name, r := range pages(t) {
		if name == "hostile" {
			continue
		}
		for _, found := range headline.FindAllStringSubmatch(write(t, r), -1) {
			for _, stretch := range strings.FieldsFunc(html.UnescapeString(found[1]), func(c rune) bool { return c == ' ' || c == '–' }) {
				if n := len([]rune(stretch)); n > 16 {
					t.Errorf("%s: %q has %d characters without a break, in %q", name, stretch, n, found[1])
				}
			}
		}
	}
}

// TestLongKeyFigures: a value that would run into the next one is smaller.
func TestLongKeyFigures(t *testing.T) {
	r := lively(30).report()
	r.Figures.Comparison.Is.Events, r.Figures.Comparison.Is.Users = 123_456_789_012, 12_345_678
	page := write(t, r)
	for _, want := range []string{`<p class="value longer">123,456,789,012</p>`, `<p class="value long">12,345,678</p>`, `<p class="value">2,100</p>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
}

// TestEmpty: a page of a file without events says how to begin.
func TestEmpty(t *testing.T) {
	page := said(write(t, pages(t)["empty"]))
	for _, want := range []string{"No events yet. Start with: datasync pull", "Nothing is pulled yet", "No pull has stored anything yet", "No session has a page view", "No element has come yet"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestPeriods: the title and the sentences about nothing name the period.
func TestPeriods(t *testing.T) {
	for want, bounds := range map[string][2]time.Time{
		"5 January 2026":                     {from, from.AddDate(0, 0, 1)},
		"5 to 11 January 2026":               {from, from.AddDate(0, 0, 7)},
		"5 January to 4 February 2026":       {from, from.AddDate(0, 0, 31)},
		"5 January 2026 to 4 January 2027":   {from, from.AddDate(1, 0, 0)},
		"5 January 2026, 08:00 to 12:30":     {from.Add(8 * time.Hour), from.Add(12*time.Hour + 30*time.Minute)},
		"5 January 2026, 08:00 to 7 January": {from.Add(8 * time.Hour), from.Add(50 * time.Hour)},
	} {
		f := &figures.Figures{}
		f.Period.From, f.Period.To = bounds[0], bounds[1]
		f.Period.First, f.Period.Last = bounds[0].Add(time.Second), bounds[1].Add(-time.Second)
		for d := from; d.Before(bounds[1]); d = d.AddDate(0, 0, 1) {
			f.Period.Days = append(f.Period.Days, figures.Day{Date: d, Start: d, End: d.AddDate(0, 0, 1)})
			f.Users.ByDay = append(f.Users.ByDay, 0)
		}
		r := &report.Report{File: "a.duckdb", Version: "1", Made: from, Zone: time.UTC, Figures: f, Trust: &figures.Trust{}}
		if page := said(write(t, r)); !strings.Contains(page, "Events, "+want) {
			t.Errorf("no title with %q: %.200s", want, strings.TrimSpace(page))
		}
	}
}

// TestIsReport: a page is known again, and no other file is taken for one.
func TestIsReport(t *testing.T) {
	folder := t.TempDir()
	name := func(text string) string { return put(t, folder, text) }
	if !report.IsReport(name(write(t, lively(1).report()))) {
		t.Error("a page is not known")
	}
	for _, text := range []string{"", "<!doctype html><title>mine</title>", strings.Repeat(" ", 600) + `<meta name="generator" content="datasync report">`} {
		if report.IsReport(name(text)) {
			t.Errorf("%.40q is taken for a report", text)
		}
	}
	if report.IsReport(folder) || report.IsReport(folder+"/none") {
		t.Error("a folder or nothing is taken for a report")
	}
}
