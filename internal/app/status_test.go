package app

import (
	"strings"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/dispatch"
	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/term"

	"github.com/google/go-cmp/cmp"
)

// statusCase is a status and its text on a terminal of 80 columns.
type statusCase struct {
	name string
	view func(v *statusView)
	want string
}

func ptr[T any](v T) *T { return &v }

func statusCases() []statusCase {
	at := func(text string) time.Time { t, _ := time.Parse(time.RFC3339, text); return t }
	done := []inspect.WindowStatus{{Window: 1, State: model.Done, Pages: 6, Events: 300_000}}
	open := []inspect.WindowStatus{{Window: 1, State: model.UnderWay, Pages: 2, Events: 93_000, Last: ptr(at("2026-01-12T01:02:03Z")), CursorAlive: ptr(false)}}
	complete := func(v *statusView) {
		v.Complete, v.CompletedAt, v.Windows = true, ptr(at("2026-01-27T19:25:03Z")), done
		v.Events, v.Oldest, v.Newest = 300_000, ptr(at("2025-12-27T19:20:19.5Z")), ptr(at("2026-01-27T19:20:12Z"))
		v.Total, v.Missing = ptr[int64](300_000), ptr[int64](0)
		v.Runs = []inspect.RunStatus{{Began: at("2026-01-27T19:25:03Z"), Ended: ptr(at("2026-01-27T19:25:28Z")), Outcome: "complete", Stored: ptr[int64](300_000)}}
	}
	return []statusCase{
		{"a file without a window", func(*statusView) {}, `
complete  no; run datasync pull
events    0
file      events.duckdb, 22.8 MB, from https://api.example.com:443`},
		{"complete", complete, `
complete  yes, as of 2026-01-27T19:25:03Z, 12 s ago
events    300,000, 2025-12-27T19:20:19Z to 2026-01-27T19:20:12Z
missing   0 of 300,000 at the API
file      events.duckdb, 22.8 MB, from https://api.example.com:443`},
		{"with rejects, conflicts, copies and a start bound", func(v *statusView) {
			complete(v)
			v.Rejected, v.Conflicts, v.Copies, v.From = map[string]int64{"missing_id": 2, "bad_timestamp": 4}, 1, 3, ptr(at("2026-01-01T00:00:00Z"))
		}, `
complete  yes, as of 2026-01-27T19:25:03Z, 12 s ago; only events from
          2026-01-01T00:00:00Z on
events    300,000, 2025-12-27T19:20:19Z to 2026-01-27T19:20:12Z
missing   0 of 300,000 at the API, which counts 3 exact copies
rejected  6: bad_timestamp 4, missing_id 2 (datasync explain rejected)
conflict  1 event with other contents than stored (datasync explain conflicts)
file      events.duckdb, 22.8 MB, from https://api.example.com:443`},
		{"events are missing", func(v *statusView) {
			complete(v)
			v.Complete, v.Missing, v.LookedInto = false, ptr[int64](340), true
			v.Runs[0].Outcome, v.Runs[0].Reason = "failed", ptr("events are missing")
		}, `
complete  no; a walk to the end did not find the missing events
          (datasync explain events-missing)
as of     2026-01-27T19:25:03Z, 12 s ago: the last complete pull
events    300,000, 2025-12-27T19:20:19Z to 2026-01-27T19:20:12Z
missing   at least 340 of 300,000 at the API (datasync explain events-missing)
last run  failed, 13 s in the future, by this machine's clock: events are
          missing
file      events.duckdb, 22.8 MB, from https://api.example.com:443`},
		{"killed on the way", func(v *statusView) {
			v.Windows, v.Events, v.Total, v.Missing = open, 93_000, ptr[int64](300_000), ptr[int64](207_000)
			v.Runs = []inspect.RunStatus{{Began: at("2026-01-27T19:20:15Z"), Outcome: "killed"}}
			v.NotBefore = map[string]time.Time{"events": at("2026-01-27T19:25:44Z")}
			v.LockHolder = &dbfile.Holder{PID: 42, Command: "duck\x1bdb"}
		}, `
complete  no; run datasync pull
events    93,000
to fetch  about 207,000 of 300,000 at the API
waiting   events: until 2026-01-27T19:25:44Z, in 29 s
last run  killed, 5 min ago (datasync explain killed)
open      process 42 (duck\x1bdb) reads it
file      events.duckdb, 22.8 MB, from https://api.example.com:443`},
		{"in a pull", func(v *statusView) {
			v.Windows, v.Events, v.Total, v.Missing = open, 93_000, ptr[int64](300_000), ptr[int64](207_000)
			v.LockHolder = &dbfile.Holder{PID: 4711, Writing: true}
			v.NotBefore = map[string]time.Time{"events": at("2026-01-27T19:25:27Z")}
			v.pull = &runningPull{4711, ingest.Snapshot{Walked: 93_000, Total: 300_000, Left: 37 * time.Second,
				Waits:   []dispatch.Wait{{Endpoint: "events", Why: "429", Until: at("2026-01-27T19:25:27Z")}},
				Retries: []ingest.Retry{{Endpoint: "feed", Number: 3, Why: "502", Error: "feed answered 502", Next: at("2026-01-27T19:25:23Z")}},
			}}
		}, `
complete  no, process 4711 pulls: 31 %, 37 s left
events    93,000
to fetch  about 207,000 of 300,000 at the API
waiting   events: 429, until 2026-01-27T19:25:27Z, in 12 s
          feed: retry 3 in 8 s, answered 502
file      events.duckdb, 22.8 MB, from https://api.example.com:443`},
		{"the total cannot tell", func(v *statusView) {
			complete(v)
			v.Missing, v.Gone = nil, 5
		}, `
complete  yes, as of 2026-01-27T19:25:03Z, 12 s ago
events    300,000, 2025-12-27T19:20:19Z to 2026-01-27T19:20:12Z
missing   not known: at least 5 events here are no longer at the API; whether
          others are missing cannot be told
file      events.duckdb, 22.8 MB, from https://api.example.com:443`},
		{"the API has no total", func(v *statusView) {
			complete(v)
			v.Missing, v.Total = nil, nil
		}, `
complete  yes, as of 2026-01-27T19:25:03Z, 12 s ago
events    300,000, 2025-12-27T19:20:19Z to 2026-01-27T19:20:12Z
missing   not known: the API did not say how many events it has
file      events.duckdb, 22.8 MB, from https://api.example.com:443`},
	}
}

// statusAt returns the text of a case on a terminal of that many columns.
func statusAt(tc statusCase, columns int, opts statusOptions) string {
	now, _ := time.Parse(time.RFC3339, "2026-01-27T19:25:15Z")
	v := statusView{now: now}
	v.Path, v.Bytes, v.Origin = "events.duckdb", 22_800_000, "https://api.example.com:443"
	tc.view(&v)
	opts.io = term.IO{Getenv: func(name string) string {
		if name == "COLUMNS" && columns > 0 {
			return term.Thousands(int64(columns))
		}
		return ""
	}}
	return v.text(opts)
}

func TestStatusText(t *testing.T) {
	for _, tc := range statusCases() {
		if diff := cmp.Diff(strings.TrimPrefix(tc.want, "\n")+"\n", statusAt(tc, 80, statusOptions{})); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

// TestStatusFits: a status is wrapped at words on a terminal, and not at all in a pipe.
func TestStatusFits(t *testing.T) {
	for _, tc := range statusCases() {
		for _, opts := range []statusOptions{{}, {verbose: true}} {
			whole := strings.Join(strings.Fields(statusAt(tc, 0, opts)), " ")
			for _, columns := range []int{80, 60, 40} {
				text := statusAt(tc, columns, opts)
				for line := range strings.Lines(text) {
					// A word is not cut, even if it is wider.
					if n := term.Width(strings.TrimRight(line, "\n")); n > columns && strings.Contains(strings.TrimSpace(line[min(len(line), statusMargin):]), " ") {
						t.Errorf("%s: %d columns of %d: %q", tc.name, n, columns, line)
					}
				}
				if !opts.verbose && strings.Join(strings.Fields(text), " ") != whole {
					t.Errorf("%s: other words on a terminal:\n%s\n%s", tc.name, text, whole)
				}
			}
		}
	}
}

// TestStatusRuns: the table of runs keeps its columns, and becomes a list if they do not fit.
func TestStatusRuns(t *testing.T) {
	at := func(text string) time.Time { t, _ := time.Parse(time.RFC3339, text); return t }
	tc := statusCase{view: func(v *statusView) {
		v.Runs = []inspect.RunStatus{
			{Began: at("2026-01-27T19:25:03Z"), Ended: ptr(at("2026-01-27T19:25:28Z")), Outcome: "complete", Stored: ptr[int64](207_000)},
			{Began: at("2026-01-27T19:18:40Z"), Ended: ptr(at("2026-01-27T19:23:40Z")), Outcome: "failed", Stored: ptr[int64](93_000), Reason: ptr("events endpoint answered 502 for 5 min")},
			{Began: at("2026-01-27T19:18:30Z"), Outcome: "killed"},
		}
	}}
	_, wide, _ := strings.Cut(statusAt(tc, 80, statusOptions{verbose: true}), "\n\n")
	want := `Run                    Took  Outcome    Stored  Why
2026-01-27T19:25:03Z   25 s  complete  207,000
2026-01-27T19:18:40Z  5 min  failed     93,000  events endpoint answered 502 for
                                                5 min
2026-01-27T19:18:30Z         killed
`
	if diff := cmp.Diff(want, wide); diff != "" {
		t.Error(diff)
	}
	_, narrow, _ := strings.Cut(statusAt(tc, 40, statusOptions{verbose: true}), "\n\n")
	want = `run 2026-01-27T19:25:03Z, took 25 s,
    outcome complete, stored 207,000
run 2026-01-27T19:18:40Z, took 5 min,
    outcome failed, stored 93,000, why
    events endpoint answered 502 for 5
    min
run 2026-01-27T19:18:30Z, outcome killed
`
	if diff := cmp.Diff(want, narrow); diff != "" {
		t.Error(diff)
	}
}

// TestStatusIsAligned: on a narrow terminal, values stay beside their names.
func TestStatusIsAligned(t *testing.T) {
	want := `complete  yes, as of
          2026-01-27T19:25:03Z, 12 s ago
events    300,000, 2025-12-27T19:20:19Z
          to 2026-01-27T19:20:12Z
missing   0 of 300,000 at the API
file      events.duckdb, 22.8 MB, from
          https://api.example.com:443
`
	if diff := cmp.Diff(want, statusAt(statusCases()[1], 40, statusOptions{})); diff != "" {
		t.Error(diff)
	}
}

// TestRejectSamples: the sample of a long reject has the member that is wrong.
func TestRejectSamples(t *testing.T) {
	long := strings.Repeat("x", 500)
	tc := statusCase{view: func(v *statusView) {
		v.samples = []inspect.RejectSample{{Reason: "bad_timestamp", Raw: `{"properties":{"a":"` + long + `"},"timestamp":"soon","b":"` + long + `"}`}}
	}}
	text := statusAt(tc, 0, statusOptions{rejected: true})
	_, sample, _ := strings.Cut(text, "bad_timestamp: ")
	sample = strings.TrimSpace(sample)
	if !strings.Contains(sample, `"timestamp":"soon"`) || !strings.HasPrefix(sample, "…") || !strings.HasSuffix(sample, "…") || term.Width(sample) > excerptBytes+2 {
		t.Errorf("%s", text)
	}
}
