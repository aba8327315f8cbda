package cli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"datasync/internal/e2e/harness"
)

// onTerminal runs a command on a terminal to its end, and returns its output.
func onTerminal(t *testing.T, folder string, columns int, env []string, args ...string) string {
	t.Helper()
	x := harness.NewTerminalOf(t, columns, folder, env, args...)
	x.Exit()
	return x.Text()
}

// TestTablesOnTerminals: no line of a table is wrapped, and time and type are the first columns.
func TestTablesOnTerminals(t *testing.T) {
	folder := harness.Demo(t)
	for columns, head := range map[int]string{
		40:  "│        timestamp         │   type   │",
		60:  "│        timestamp         │   type   │    id     │ … │",
		80:  "│        timestamp         │   type   │    id     │ session_id │  user_id  │ … │",
		120: "│        timestamp         │",
	} {
		text := onTerminal(t, folder, columns, []string{"NO_COLOR=1"}, "query", "FROM events LIMIT 1")
		written := strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\r", ""), "\n"), "\n")
		shown := newScreen(columns).show(text).lines()
		if !slices.Equal(written, shown) || len(shown) < 7 || !strings.HasPrefix(shown[1], head) {
			t.Errorf("%d columns:\n%s\nof\n%s", columns, strings.Join(shown, "\n"), text)
		}
		if caption := strings.Join(shown[6:], " "); !strings.Contains(caption, " of 11 columns (all: --format line); all NULL: extra") {
			t.Errorf("%d columns: %s", columns, caption)
		}
	}
}

// TestNULLIsDim: NULL is dim on a terminal that shows it, directly or in a pager.
func TestNULLIsDim(t *testing.T) {
	folder := harness.Demo(t)
	const dim = "\x1b[2mNULL\x1b[0m"
	for _, tc := range []struct {
		name      string
		env, args []string
		sql       string
		want      bool
	}{
		{"a terminal", nil, nil, "SELECT NULL AS a", true},
		{"all rows in a box", nil, []string{"--format", "box"}, "SELECT NULL AS a", true},
		{"CSV", nil, []string{"--format", "csv"}, "SELECT NULL AS a, 1 AS b", false},
		{"NO_COLOR", []string{"NO_COLOR=1"}, nil, "SELECT NULL AS a", false},
		{"TERM=dumb", []string{"TERM=dumb"}, nil, "SELECT NULL AS a", false},
		{"--color never", nil, []string{"--color", "never"}, "SELECT NULL AS a", false},
		{"a pager of which nothing is known", []string{"DATASYNC_PAGER=sed s/^/P:/"}, nil, "SELECT NULL AS a FROM range(100)", false},
		{"no pager", []string{"DATASYNC_PAGER=sed s/^/P:/"}, []string{"--no-pager"}, "SELECT NULL AS a FROM range(100)", true},
		{"less that shows no colours", []string{"DATASYNC_PAGER=less", "LESS=FSX"}, nil, "SELECT NULL AS a", false},
		{"less", []string{"DATASYNC_PAGER=less", "LESS="}, nil, "SELECT NULL AS a", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := onTerminal(t, folder, 80, tc.env, append([]string{"query", tc.sql}, tc.args...)...)
			if strings.Contains(text, dim) != tc.want || strings.Contains(text, "\x1b[2m") != tc.want {
				t.Errorf("%q", text)
			}
		})
	}
	x := harness.NewTerminal(t, folder, nil, "query")
	x.Enter("SELECT NULL AS a;")
	x.Expect("\x1b\\[2mNULL\x1b\\[0m")
	x.Enter(".quit")
	x.Exit()
}

// TestWrongSQLOnTerminals: the caret is below its column at each width.
func TestWrongSQLOnTerminals(t *testing.T) {
	folder := harness.Demo(t)
	for _, columns := range []int{40, 60, 80, 120} {
		for _, sql := range []string{"SELECT tipe FROM events", "SELECT " + strings.Repeat("type, ", 30) + "tipe, " + strings.Repeat("type, ", 30) + "id FROM events", "SELECT\n\tid,\n\ttipe FROM events"} {
			text := onTerminal(t, folder, columns, []string{"NO_COLOR=1"}, "query", sql)
			shown := newScreen(columns).show(text).lines()
			line, caret := shown[len(shown)-2], shown[len(shown)-1]
			at := len([]rune(caret)) - 1
			if !strings.HasPrefix(line, fmt.Sprintf("LINE %d: ", 1+strings.Count(sql, "\n"))) || !strings.HasPrefix(string([]rune(line)[at:]), "tipe") {
				t.Errorf("%d columns:\n%s", columns, strings.Join(shown, "\n"))
			}
		}
	}
}
