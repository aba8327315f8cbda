package app

import (
	"strings"
	"testing"
	"time"

	"datasync/export"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// TestIncompleteText: an export before the pull is complete says how many events are missing and what to
// do. It names no window, cursor or page.
func TestIncompleteText(t *testing.T) {
	open := []inspect.WindowStatus{{Window: 1, State: model.UnderWay, Pages: 2, Events: 93_000, CursorAlive: ptr(true)}}
	done := []inspect.WindowStatus{{Window: 1, State: model.Done, Pages: 6, Events: 300_000}}
	for _, tc := range []struct {
		name, want string
		status     func(s *inspect.Status)
	}{
		{"under way", "; about 207,000 of 300,000 events are still to fetch; REST", func(s *inspect.Status) {
			s.Windows, s.Total, s.Missing = open, ptr[int64](300_000), ptr[int64](207_000)
		}},
		{"no total", "; how many events are still to fetch is not known; REST", func(s *inspect.Status) { s.Windows = open }},
		{"all stored before the end", "; no event is known to be missing; REST", func(s *inspect.Status) {
			s.Windows, s.Total, s.Missing = open, ptr[int64](300_000), ptr[int64](0)
		}},
		{"missing at the end", "; missing: at least 1 of the API's 300,000 events; REST", func(s *inspect.Status) {
			s.Windows, s.Total, s.Missing = done, ptr[int64](300_000), ptr[int64](1)
		}},
		{"missing after a walk to the end", "; missing after a walk to the end: at least 340 of the API's 300,000 events", func(s *inspect.Status) {
			s.Windows, s.Total, s.Missing, s.LookedInto = done, ptr[int64](300_000), ptr[int64](340), true
		}},
		{"no events", "; hardly any element could be stored as an event", func(s *inspect.Status) { s.Unusable = true }},
		{"an older version", "; REST", nil},
	} {
		pull := export.Pull{}
		if tc.status != nil {
			pull.Status = &inspect.Status{}
			tc.status(pull.Status)
		}
		for _, rest := range []string{pullTheRest, awaitPull} {
			want := "partial: the pull is not complete" + strings.ReplaceAll(tc.want, "REST", rest) + " (datasync explain incomplete)"
			if got := incompleteText(pull, rest); got != want {
				t.Errorf("%s:\n%s, want\n%s", tc.name, got, want)
			}
		}
	}
}

// TestExportedText: the summary of an export states its rows, its size, its target and its duration.
func TestExportedText(t *testing.T) {
	r := export.Result{Rows: 300_000, Bytes: 14_500_000, Files: 32}
	for _, tc := range []struct {
		opts export.Options
		want string
	}{
		{export.Options{Target: "a.parquet"}, "wrote 300,000 events, 14.5 MB, to a.parquet, in 1.2 s"},
		{export.Options{Target: "a", Layout: export.Layout{PartitionBy: []string{"day"}}}, "wrote 300,000 events, 14.5 MB, in 32 files to a, in 1.2 s"},
		{export.Options{Stdout: &strings.Builder{}, Selection: export.Selection{Query: "SELECT 1"}}, "wrote 300,000 rows, 14.5 MB, in 1.2 s"},
	} {
		if got := exportedText(tc.opts, r, 1200*time.Millisecond); got != tc.want {
			t.Errorf("%s, want %s", got, tc.want)
		}
	}
}
