package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/dispatch"
)

// troubled are pulls that get no pages, and how they say so.
func troubled(now time.Time) []struct {
	name  string
	s     ingest.Snapshot
	bar   []string
	text  string
	rows  []string
	alone bool // the text is printed as a line if there is no bar
} {
	in := func(seconds float64) time.Time { return now.Add(time.Duration(seconds * float64(time.Second))) }
	retry := ingest.Retry{Endpoint: "feed", Number: 3, Why: "502", Error: `feed endpoint answered 502: "down"`, Next: in(7.5), GivesUp: in(280)}
	sent := retry
	sent.Next = in(-3)
	return []struct {
		name  string
		s     ingest.Snapshot
		bar   []string
		text  string
		rows  []string
		alone bool
	}{
		{"pages come", ingest.Snapshot{Endpoint: "events"}, nil, "", nil, false},
		{"both endpoints are limited", ingest.Snapshot{
			Waiting: "events", Why: "429", Until: in(12),
			Waits: []dispatch.Wait{{Endpoint: "events", Why: "429", Until: in(12)}, {Endpoint: "feed", Why: "429", Until: in(70)}},
		}, []string{"waiting 12 s: 429", "waiting 12 s: 429", "waiting 12 s"}, "waiting 12 s, until 2026-01-27T19:25:44Z: both endpoints answer 429",
			[]string{"events: 429, until 2026-01-27T19:25:44Z, in 12 s", "feed: 429, until 2026-01-27T19:26:42Z, in 1 min 10 s"}, true},
		{"each for a reason of its own", ingest.Snapshot{
			Waiting: "feed", Why: "no access", Until: in(5),
			Waits: []dispatch.Wait{{Endpoint: "events", Why: "429", Until: in(12)}, {Endpoint: "feed", Why: "no access", Until: in(5)}, {Endpoint: "stream-access", Why: "503", Until: in(5)}},
		}, []string{"waiting 5 s: no access", "waiting 5 s: no access", "waiting 5 s"}, "waiting 5 s, until 2026-01-27T19:25:37Z: events endpoint answered 429, feed endpoint (no access)",
			[]string{"events: 429, until 2026-01-27T19:25:44Z, in 12 s", "feed: no access, until 2026-01-27T19:25:37Z, in 5 s", "stream-access: 503, until 2026-01-27T19:25:37Z, in 5 s"}, true},
		{"a limit that is used up", ingest.Snapshot{Waiting: "events", Why: "its limit", Until: in(3)},
			[]string{"waiting 3 s: its limit", "waiting 3 s: its limit", "waiting 3 s"}, "waiting 3 s, until 2026-01-27T19:25:35Z: events endpoint (its limit)", nil, true},
		{"a short wait", ingest.Snapshot{Waiting: "events", Why: "429", Until: in(0.5)},
			[]string{"waiting 1 s: 429", "waiting 1 s: 429", "waiting 1 s"}, "waiting 1 s, until 2026-01-27T19:25:32Z: events endpoint answered 429", nil, false},
		{"a retry", ingest.Snapshot{Retries: []ingest.Retry{retry}, Stalled: true}, []string{"retry 3 in 8 s: 502", "retry 3 in 8 s", "retry 3, 8 s"},
			`retry 3 in 8 s, for 4 min 40 s more: feed endpoint answered 502: "down"`, []string{"feed: retry 3 in 8 s, answered 502"}, true},
		{"a retry while other pages come", ingest.Snapshot{Retries: []ingest.Retry{retry}}, nil, "", []string{"feed: retry 3 in 8 s, answered 502"}, false},
		{"a retry that is sent", ingest.Snapshot{Endpoint: "feed", Retries: []ingest.Retry{sent}, Stalled: true}, []string{"retry 3 now: 502", "retry 3 now"},
			`retry 3 now, for 4 min 40 s more: feed endpoint answered 502: "down"`, []string{"feed: retry 3 now, answered 502"}, false},
		{"a retry that hangs", ingest.Snapshot{Endpoint: "feed", Retries: []ingest.Retry{sent}, Stalled: true, Silent: 20700 * time.Millisecond},
			[]string{"no answer for 20 s: feed", "no answer 20 s: feed", "no answer 20 s"}, "no answer from feed for 20 s",
			[]string{"feed: retry 3 now, answered 502", "feed: no answer for 20 s"}, false},
	}
}

func TestTrouble(t *testing.T) {
	now := time.Date(2026, 1, 27, 19, 25, 32, 0, time.UTC)
	for _, tc := range troubled(now) {
		at := trouble{tc.s, now}
		if got := at.barTexts(); !slices.Equal(got, tc.bar) {
			t.Errorf("%s: the bar has %q, want %q", tc.name, got, tc.bar)
		}
		if got := at.text(""); got != tc.text {
			t.Errorf("%s: the line is %q, want %q", tc.name, got, tc.text)
		}
		if got := at.rows(); !slices.Equal(got, tc.rows) {
			t.Errorf("%s: the rows are %q, want %q", tc.name, got, tc.rows)
		}
		lines := &troubleLines{}
		if got := lines.due(tc.s, now); (got != "") != tc.alone || tc.alone && got != tc.text {
			t.Errorf("%s: the line of its own is %q", tc.name, got)
		}
		if got := lines.due(tc.s, now.Add(time.Second/4)); got != "" {
			t.Errorf("%s: said twice: %q", tc.name, got)
		}
		if bar := pullBar(tc.s, now); bar.Waiting != (tc.bar != nil) {
			t.Errorf("%s: %+v", tc.name, bar)
		}
		if line := activity(tc.s, now, at.text("")); !strings.Contains(line, tc.text) {
			t.Errorf("%s: the line of all ten seconds is %q", tc.name, line)
		}
	}
}

// TestTroubleLinesAreFew: if the requests of eight walks fail at the same time, one retry at a time is
// printed.
func TestTroubleLinesAreFew(t *testing.T) {
	now := time.Date(2026, 1, 27, 19, 25, 32, 0, time.UTC)
	var lines troubleLines
	told := 0
	for tick := range 400 { // 100 s
		at := now.Add(time.Duration(tick) * time.Second / 4)
		s := ingest.Snapshot{Stalled: true}
		// The request with the most failures changes from tick to tick; each waits for 10 s.
		next := at.Truncate(10 * time.Second).Add(10*time.Second + time.Duration(tick%8)*time.Second)
		s.Retries = []ingest.Retry{{Endpoint: "events", Number: 3 + tick/40, Why: "502", Error: "down", Next: next, GivesUp: now.Add(time.Hour)}}
		if lines.due(s, at) != "" {
			told++
		}
	}
	if told < 5 || told > 11 {
		t.Errorf("%d lines in 100 s", told)
	}
}

// TestFailuresAreNamedOnce: lines about the retries of one failure name it once, until it changes or pages
// arrive.
func TestFailuresAreNamedOnce(t *testing.T) {
	now := time.Date(2026, 1, 27, 19, 25, 32, 0, time.UTC)
	failing := func(number int, cause string, pause time.Duration) ingest.Snapshot {
		return ingest.Snapshot{Stalled: true, Retries: []ingest.Retry{{Endpoint: "events", Number: number, Why: "refused", Error: cause, Next: now.Add(pause), GivesUp: now.Add(time.Minute)}}}
	}
	var lines troubleLines
	for i, step := range []struct {
		got, want string
	}{
		{lines.due(failing(3, "down", 4*time.Second), now), "retry 3 in 4 s, for 1 min more: down"},
		{lines.regular(failing(3, "down", 4*time.Second), now), "retry 3 in 4 s, for 1 min more"},
		{lines.due(failing(4, "down", 8*time.Second), now.Add(5*time.Second)), "retry 4 in 3 s, for 55 s more"},
		{lines.due(failing(5, "gone", 20*time.Second), now.Add(10*time.Second)), "retry 5 in 10 s, for 50 s more: gone"},
		{lines.regular(failing(5, "gone", 0), now), "retry 5 now, for 1 min more"},
		{lines.regular(ingest.Snapshot{}, now), ""},
		{lines.regular(failing(3, "gone", 4*time.Second), now), "retry 3 in 4 s, for 1 min more: gone"},
	} {
		if step.got != step.want {
			t.Errorf("step %d: %q, want %q", i, step.got, step.want)
		}
	}
}

// TestRetriesInStatusJSON: the JSON of a status has the waits, the retries and the silence of a running pull.
func TestRetriesInStatusJSON(t *testing.T) {
	now := time.Date(2026, 1, 27, 19, 25, 32, 0, time.UTC)
	s := ingest.Snapshot{
		Silent: 11 * time.Second, Waits: []dispatch.Wait{{Endpoint: "events", Why: "429", Until: now.Add(12 * time.Second)}},
		Retries: []ingest.Retry{{Endpoint: "feed", Number: 4, Why: "502", Error: "feed endpoint answered 502", Next: now.Add(8 * time.Second), GivesUp: now.Add(time.Minute)}},
	}
	got := (&runningPull{1, s}).json(now)
	if w := got.Waits; len(w) != 1 || w[0] != (waitJSON{"events", "429", now.Add(12 * time.Second), 12}) {
		t.Errorf("waits %+v", w)
	}
	if r := got.Retries; len(r) != 1 || r[0] != (retryJSON{"feed", 4, "502", "feed endpoint answered 502", now.Add(8 * time.Second), 8, now.Add(time.Minute)}) {
		t.Errorf("retries %+v", r)
	}
	if got.Silent != 11 {
		t.Errorf("silent for %v s", got.Silent)
	}
	if none := (&runningPull{1, ingest.Snapshot{}}).json(now); none.Waits == nil || none.Retries == nil {
		t.Error("an empty list is null")
	}
}

func TestRequestLine(t *testing.T) {
	for _, tc := range []struct {
		x    api.Exchange
		want string
	}{
		{api.Exchange{Endpoint: "events", Method: "GET", Target: "/api/v1/events?limit=5000", Status: 200, Took: 312 * time.Millisecond, Bytes: 1_730_000, Events: 5000},
			"GET /api/v1/events?limit=5000, events: 200, 312 ms, 1.7 MB, 5,000 events"},
		{api.Exchange{Endpoint: "feed", Method: "GET", Target: "/f", Status: 200, Took: time.Second, Bytes: 100, Gzipped: true, Events: -1}, "GET /f, feed: 200, which is not a page, 1 s, 100 B of gzip"},
		{api.Exchange{Endpoint: "stream-access", Method: "POST", Target: "/s", Status: 200, Took: time.Second, Bytes: 163, Events: -1}, "POST /s, stream-access: 200, 1 s, 163 B"},
		{api.Exchange{Endpoint: "events", Method: "GET", Target: "/e", Status: 429, Took: time.Second, Bytes: 98, Events: -1, Wait: 28 * time.Second,
			Err: &api.Error{Endpoint: "events", Status: 429, Code: "RATE_LIMIT_EXCEEDED"}}, "GET /e, events: 429 RATE_LIMIT_EXCEEDED, 1 s, 98 B, asks for a wait of 28 s"},
		{api.Exchange{Endpoint: "events", Method: "GET", Target: "/e", Events: -1, Err: errors.New("cannot\ndial")}, "GET /e, events: no connection (cannot; dial), 0 s"},
		{api.Exchange{Endpoint: "events", Method: "GET", Target: "/e", Events: -1, Took: time.Second, Err: errors.New("context canceled"), Stopped: true}, "GET /e, events: stopped, 1 s"},
		// If the text of an error is withheld, so is that of its cause.
		{api.Exchange{Endpoint: "events", Method: "GET", Target: "/e", Status: 500, Events: -1, Err: withheldError{&api.Error{Endpoint: "events", Status: 500, Message: "secret"}}},
			"GET /e, events: 500 (withheld), 0 s, 0 B"},
	} {
		if got := requestLine(tc.x); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

type withheldError struct{ error }

func (withheldError) Error() string   { return "withheld" }
func (e withheldError) Unwrap() error { return e.error }

// TestGivenUp: when a request is given up, its error says how often it was tried.
func TestGivenUp(t *testing.T) {
	err := fmt.Errorf("walk: %w", &dispatch.GaveUpError{Err: &api.Error{Endpoint: "events", Status: 502}, Failures: 27, After: 5 * time.Minute})
	if got, want := pullError(t.Context(), err).Error(), "walk: events endpoint answered 502; tried 27 times in 5 min; "+resume; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRecovered: the summary counts recoveries; the pull has reported only the first of each kind.
func TestRecovered(t *testing.T) {
	for want, resumed := range map[string]map[string]int64{
		"": {"by the time of the last event": 1},
		"8 times by the time of the last event, 1 time from the newest event": {"from the newest event": 1, "by the time of the last event": 8},
	} {
		if got := byWay(resumed); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestPullLines: a line says how many events were read, how fast, from which endpoint and for how long, and nothing twice.
func TestPullLines(t *testing.T) {
	now := time.Date(2026, 1, 27, 19, 25, 32, 0, time.UTC)
	for want, s := range map[string]ingest.Snapshot{
		"no page yet": {},
		"no page yet, asking the events endpoint":    {Endpoint: "events", Began: now.Add(-10 * time.Second)},
		"0 of 300,000 events (0 %)":                  {Total: 300_000},
		"0 of 300,000 events (0 %), events endpoint": {Total: 300_000, Endpoint: "events"},
		"0 events, 100 events/s, feed endpoint":      {Read: 1000, Endpoint: "feed", Began: now.Add(-10 * time.Second)},
		"93,000 of 300,000 events (31 %), 9,300 events/s, feed endpoint, 25 s left": {
			Read: 93_000, Walked: 93_000, Total: 300_000, Endpoint: "feed", Began: now.Add(-10 * time.Second), Left: 25 * time.Second,
		},
		"no answer from events for 20 s": {Endpoint: "events", Silent: 20 * time.Second},
	} {
		if got := pullLine(s, now, (trouble{s, now}).text("")); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
