package app_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/app"
	"datasync/internal/inspect"
)

func run(args ...string) (code int, stderr string) {
	var out, errs bytes.Buffer
	code = app.Main(append([]string{"datasync"}, args...), func(string) string { return "" }, strings.NewReader(""), &out, &errs)
	return code, errs.String()
}

// TestPullDemo: the demo has a few malformed events, and late ones for the second pull. Later pulls
// find nothing new.
func TestPullDemo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	for i, want := range []int{119_995, 119_997, 119_997} {
		if code, text := run("--db", path, "pull", "--demo", "--demo-events", "120000"); code != 0 {
			t.Fatalf("pull %d: exit %d: %s", i+1, code, text)
		}
		db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
		if err != nil {
			t.Fatal(err)
		}
		var events, ids, logged, rejected int
		err = db.QueryRow(`SELECT count(*), count(DISTINCT id), (SELECT sum(stored)::BIGINT FROM page_log), (SELECT count(*) FROM rejected_events) FROM events`).Scan(&events, &ids, &logged, &rejected)
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		if events != want || ids != events || logged != events || rejected != 5 {
			t.Errorf("pull %d: %d events, %d ids, %d in the page log, %d rejected; want %d and 5 rejected", i+1, events, ids, logged, rejected, want)
		}
		if code, text := run("--db", path, "verify"); code != 0 {
			t.Errorf("pull %d: verify: exit %d: %s", i+1, code, text)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		code int
	}{
		{"no base URL", []string{"pull"}, 2},
		{"an invalid base URL", []string{"pull", "--base-url", "::"}, 2},
		{"no key", []string{"pull", "--base-url", "http://127.0.0.1:1"}, 2},
		{"unknown command", []string{"pul"}, 2},
		{"unknown option", []string{"pull", "--nope"}, 2},
		{"a folder as database", []string{"--db", t.TempDir(), "pull", "--demo"}, 2},
		{"a page without events", []string{"pull", "--demo", "--page-size", "0"}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, text := run(tc.args...)
			if code != tc.code || strings.Count(strings.TrimSpace(text), "\n") != 0 || text == "" {
				t.Errorf("exit %d, want %d; stderr %q", code, tc.code, text)
			}
		})
	}
}

// TestErrorsAreEscaped: text in an error that comes from data or from the command line is escaped.
func TestErrorsAreEscaped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	if code, text := run("--db", path, "pull", "--quiet", "--demo", "--demo-events", "10"); code != 0 {
		t.Fatalf("exit %d: %s", code, text)
	}
	for _, args := range [][]string{
		{"--db", path, "query", "SELECT error(chr(27) || '[2J' || chr(8238) || chr(155) || chr(10) || 'end')"},
		{"--db", path, "query", "SELECT \"\x1b[2J\u202e\u009bend\""},
		{"--db", "\x1b[2J\u202e\u009bend", "verify"},
		{"\x1b[2J\u202e\u009bend"},
	} {
		code, text := run(args...)
		line, excerpt, _ := strings.Cut(text, "\n")
		if code == 0 || strings.ContainsAny(text, "\x1b\u202e\u009b") || !strings.Contains(line, "end") || excerpt != "" && !strings.HasPrefix(excerpt, "LINE 1: SELECT \"\\x1b[2J") {
			t.Errorf("%q: exit %d, %q", args, code, text)
		}
	}
}
