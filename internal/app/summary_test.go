package app

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/internal/model"
	"datasync/internal/term"
)

// summaryOf returns the summary of a pull that ended so, in a file of 1,500 bytes.
func summaryOf(t *testing.T, s ingest.Summary, err error, stopped bool) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "events.duckdb")
	if err := os.WriteFile(file, make([]byte, 1500), 0o600); err != nil {
		t.Fatal(err)
	}
	r := pullResult{Summary: s, progress: &ingest.Progress{}, file: file, stopped: stopped}
	return r.text(err, term.Style{}, 0)
}

func total(n int64) model.Witness {
	return model.Witness{First: sql.Null[int64]{V: n, Valid: true}}
}

func balance(b model.Balance) sql.Null[model.Balance] {
	return sql.Null[model.Balance]{V: b, Valid: true}
}

// TestSummaries: a summary has the numbers of stored and missing events, and all others that are not
// zero.
func TestSummaries(t *testing.T) {
	failure := errors.New("events endpoint answered 502")
	pages, none := map[string]int64{"events": 3, "feed": 0}, map[string]int64{"events": 0, "feed": 0, "stream-access": 0}
	whole := ingest.Summary{
		Counts: model.Counts{Stored: 300_000}, Pages: pages, Limited: none, Took: 36 * time.Second, Minimum: 31 * time.Second, Waited: 14 * time.Second,
		Total: 300_000, Witness: total(300_000), Balance: balance(model.Balance{}), Complete: true,
	}
	nothing := ingest.Summary{Pages: none, Limited: none, Took: 30 * time.Second, Minimum: 400 * time.Millisecond}
	part := whole
	part.Complete, part.Stored, part.Total, part.Balance = false, 93_000, 0, sql.Null[model.Balance]{}
	with := func(s ingest.Summary, change func(*ingest.Summary)) ingest.Summary { change(&s); return s }
	for _, tc := range []struct {
		name    string
		summary ingest.Summary
		err     error
		stopped bool
		want    string
	}{
		{"complete", whole, nil, false, `datasync: complete as of TIME
  stored    300,000 new events, 8,333 events/s
  missing   0 of 300,000 at the API
  pages     3 from events
  took      36 s, 1.16 x the fastest the API allows; 14 s waiting
  file      events.duckdb, 300,000 events, 1.5 kB
`},
		{"with rejects, repeats and conflicts", with(whole, func(s *ingest.Summary) {
			s.Rejected, s.Duplicate, s.Conflict, s.NotReadAgain = 6, 12, 2, 1
			s.Reasons = map[string]int64{"bad_timestamp": 2, "missing_id": 4}
			s.Limited = map[string]int64{"events": 1, "feed": 1_000}
		}), nil, false, `datasync: complete as of TIME, 6 rejected
  stored    300,000 new events, 8,333 events/s
  missing   0 of 300,000 at the API
  rejected  missing_id 4, bad_timestamp 2 (datasync status --rejected)
            1 reject not read a second time: --restart reads everything again
  re-read   10 events already stored
  conflict  2 events came again with other contents (datasync explain conflicts)
  pages     3 from events
  429s      1 from events, 1,000 from feed
  took      36 s, 1.16 x the fastest the API allows; 14 s waiting
  file      events.duckdb, 300,000 events, 1.5 kB
`},
		{"nothing new", with(whole, func(s *ingest.Summary) { s.Stored, s.Waited = 0, 0 }), nil, false, `datasync: complete as of TIME
  stored    0 new events
  missing   0 of 300,000 at the API
  pages     3 from events
  took      36 s
  file      events.duckdb, 300,000 events, 1.5 kB
`},
		{"a failure with nothing stored", nothing, failure, false, ""},
		{"a failure with nothing but events that are stored already", with(nothing, func(s *ingest.Summary) { s.Duplicate = 7 }), failure, false, ""},
		{"a signal with nothing stored", nothing, errors.New("stopped"), true, "datasync: not complete\n  stored    0 new events\n  took      30 s\n"},
		{"a signal before the first request", ingest.Summary{}, errors.New("stopped"), true, "datasync: not complete\n  stored    0 new events\n"},
		{"a failure with a part stored", part, failure, false, `datasync: not complete
  stored    93,000 new events, 2,583 events/s
  pages     3 from events
  took      36 s; 14 s waiting
  file      events.duckdb, 1.5 kB
`},
		{"a signal at the end of a complete pull", whole, nil, true, `datasync: complete as of TIME
  stored    300,000 new events, 8,333 events/s
  missing   0 of 300,000 at the API
  pages     3 from events
  took      36 s; 14 s waiting
  file      events.duckdb, 300,000 events, 1.5 kB
`},
		{"nothing but rejects", with(nothing, func(s *ingest.Summary) {
			s.Rejected, s.Reasons, s.Sample = 12, map[string]int64{"missing_id": 12}, `{"id":null,"name":"`+"\x1b[2J"+`"}`
		}), failure, false, `datasync: not complete, 12 rejected
  stored    0 new events
  rejected  missing_id 12 (datasync status --rejected)
            such as {"id":null,"name":"\x1b[2J"}
  took      30 s
`},
		{"nothing but rejects, of which the error shows one", with(nothing, func(s *ingest.Summary) {
			s.Rejected, s.Reasons, s.Sample = 12, map[string]int64{"missing_id": 12}, `{"id":null}`
		}), fmt.Errorf("%w: such as {}", ingest.ErrUnusable), false, `datasync: not complete, 12 rejected
  stored    0 new events
  rejected  missing_id 12 (datasync status --rejected)
  took      30 s
`},
		{"missing", with(whole, func(s *ingest.Summary) { s.Complete, s.Balance = false, balance(model.Balance{Missing: 340}) }), failure, false, `datasync: not complete
  stored    300,000 new events, 8,333 events/s
  missing   at least 340 of 300,000 at the API
  pages     3 from events
  took      36 s; 14 s waiting
  file      events.duckdb, 300,000 events, 1.5 kB
`},
	} {
		got := summaryOf(t, tc.summary, tc.err, tc.stopped)
		if got = regexp.MustCompile(`as of \S+Z`).ReplaceAllString(got, "as of TIME"); got != tc.want {
			t.Errorf("%s:\n%s, want\n%s", tc.name, got, tc.want)
		}
	}
}

// TestSummariesInColour: complete is green, missing events are red, rejects amber.
func TestSummariesInColour(t *testing.T) {
	stderr := term.IO{Color: &term.Color{}}
	if err := stderr.Color.Set("always"); err != nil {
		t.Fatal(err)
	}
	for want, s := range map[string]ingest.Summary{
		"datasync: \x1b[32mcomplete\x1b[0m as of ":                           {Complete: true},
		"datasync: \x1b[33mnot complete\x1b[0m, \x1b[33m3 rejected\x1b[0m\n": {Counts: model.Counts{Rejected: 3}},
		"\n  \x1b[31mmissing\x1b[0m   at least 2 of 5 at the API\n":          {Witness: total(5), Balance: balance(model.Balance{Missing: 2})},
	} {
		r := pullResult{Summary: s, progress: &ingest.Progress{}, file: "none"}
		if got := r.text(nil, stderr.Style(nil), 0); !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

// TestMissingEvents says how the API's number of events is compared with the file.
func TestMissingEvents(t *testing.T) {
	for want, s := range map[string]ingest.Summary{
		"0": {},
		"not known: the API did not say how many events it has": {Total: 5},
		"0 of 5 at the API":                              {Witness: total(5)},
		"0 of 5 at the API, which counts 1 exact copy":   {Witness: total(5), Balance: balance(model.Balance{Copies: 1})},
		"0 of 5 at the API, which counts 2 exact copies": {Witness: total(5), Balance: balance(model.Balance{Copies: 2})},
		"at least 2 of 5 at the API":                     {Witness: total(5), Balance: balance(model.Balance{Missing: 2})},
		"not known: at least 2 events here are no longer at the API; whether others are missing cannot be told": {Witness: total(5), Balance: balance(model.Balance{Gone: 2})},
		"not known: the API counted 5 events at first, and fewer at the end":                                    {Witness: total(5), Balance: balance(model.Balance{Unclear: true})},
		"not known: the API counts 5 events in total":                                                           {Witness: model.Witness{First: sql.Null[int64]{V: 5, Valid: true}, Bounded: true}},
	} {
		if got := (&pullResult{Summary: s}).missing(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestSummariesOnNarrowTerminals: no line is wider than the terminal, and no number is cut.
func TestSummariesOnNarrowTerminals(t *testing.T) {
	s := ingest.Summary{Counts: model.Counts{Stored: 300_000, Rejected: 3}, Reasons: map[string]int64{"missing_id": 3}, Took: time.Minute, Witness: total(300_003), Total: 300_000, Complete: true}
	r := pullResult{Summary: s, progress: &ingest.Progress{}, file: "none"}
	for _, columns := range []int{30, 40, 80} {
		text := r.text(nil, term.Style{}, columns)
		for line := range strings.Lines(text) {
			if len(strings.TrimSuffix(line, "\n")) > columns {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
		for _, number := range []string{"300,000", "300,003", "5,000"} {
			if !strings.Contains(text, number) {
				t.Errorf("%d columns: %q lacks %s", columns, text, number)
			}
		}
	}
}
