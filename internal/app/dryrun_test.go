package app

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"datasync/ingest/dryrun"
)

// The estimate names its assumption about limits, or gives a time for both assumptions.
func TestForecastTimes(t *testing.T) {
	duration := func(d time.Duration) sql.Null[time.Duration] { return sql.Null[time.Duration]{V: d, Valid: true} }
	open := dryrun.EndpointFindings{Usable: true, Page: 1000}
	stated := dryrun.EndpointFindings{Usable: true, Page: 5000, Limit: 10, Window: time.Minute}
	for want, tc := range map[string]struct {
		events, feed dryrun.EndpointFindings
		forecast     dryrun.Forecast
	}{
		"about 1 min if the API limits as usual, 60 requests a minute; 265 ms if it does not limit\none page after the other": {
			open, open, dryrun.Forecast{Assumes: true, Expected: time.Minute, Otherwise: duration(265 * time.Millisecond)},
		},
		"about 5 s if the API does not limit; 1 min if it limits as usual, 60 requests a minute\nwith up to 8 pages in parallel\nabout 20 s one page after the other": {
			open, open, dryrun.Forecast{Expected: 5 * time.Second, Otherwise: duration(time.Minute), Concurrent: duration(5 * time.Second), Sequential: 20 * time.Second, Walks: 8},
		},
		"about 7 s one page after the other, assuming the usual limit for the feed, 40 requests a minute": {
			stated, open, dryrun.Forecast{Assumes: true, Expected: 7 * time.Second, Concurrent: duration(7 * time.Second), Sequential: 7 * time.Second, Walks: 64},
		},
		"about 7 s one page after the other, within the limits above": {
			stated, stated, dryrun.Forecast{Known: true, Expected: 7 * time.Second},
		},
		"about 7 s one page after the other, assuming no limit for the events endpoint": {
			open, dryrun.EndpointFindings{}, dryrun.Forecast{Expected: 7 * time.Second},
		},
	} {
		r := &forecastReport{Findings: dryrun.Findings{Events: tc.events, Feed: tc.feed}}
		text := &fields{}
		r.time(text, &tc.forecast)
		var lines []string
		for line := range strings.Lines(text.String()) {
			lines = append(lines, strings.TrimSpace(strings.TrimPrefix(line, "time")))
		}
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for want, window := range map[string]time.Duration{
		"10 requests a minute": time.Minute, "10 requests a second": time.Second, "10 requests an hour": time.Hour, "10 requests in 30 s": 30 * time.Second,
	} {
		if got := perTime(10, window); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
