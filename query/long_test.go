package query_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"html"
	"strings"
	"testing"

	"datasync/internal/term"
	"datasync/query"
)

// TestLongValues: a value that is written piece by piece reads like one that is written at once,
// wherever a piece ends.
func TestLongValues(t *testing.T) {
	s := open(t, file(t), "UTC")
	run := func(text string, opts query.Options, pattern string, times int) string {
		t.Helper()
		var b bytes.Buffer
		opts.SQL, opts.Params = text, map[string]string{"pattern": pattern, "times": strings.Repeat("i", times)}
		if err := query.Run(t.Context(), s, opts, &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	const value = "SELECT repeat($pattern, length($times)) AS a"
	for _, pattern := range []string{"x", "ab\x1b", "漢", "a漢字\n", "😀", "e\u0301\u0301", "\"", "|<&", "\u202e", ",", "\t", "=1", "\U000e0001\r"} {
		for _, size := range []int{1, 9_998, 10_000, 10_001, 32 << 10, 32<<10 + 1, 100_000} {
			times := max(1, size/len(pattern))
			want := strings.Repeat(pattern, times)
			seen := term.Visible(want)
			if got := run(value, query.Options{Format: query.Markdown}, pattern, times); got != "| a |\n| --- |\n| "+strings.ReplaceAll(seen, "|", `\|`)+" |\n" {
				t.Errorf("Markdown of %d times %q: %.100q", times, pattern, got)
			}
			if got := run(value, query.Options{Format: query.Line}, pattern, times); got != "a = "+seen+"\n" {
				t.Errorf("Line of %d times %q: %.100q", times, pattern, got)
			}
			if got := run(value, query.Options{Format: query.HTML}, pattern, times); !strings.Contains(got, "<td>"+html.EscapeString(seen)+"</td>") {
				t.Errorf("HTML of %d times %q: %.100q", times, pattern, got)
			}
			var object struct{ A string }
			if err := json.Unmarshal([]byte(run(value, query.Options{Format: query.JSONLines}, pattern, times)), &object); err != nil || object.A != want {
				t.Errorf("JSON of %d times %q: %v, %.100q", times, pattern, err, object.A)
			}
			var list []struct{ A []string }
			if err := json.Unmarshal([]byte(run("SELECT [repeat($pattern, length($times)), 'end'] AS a", query.Options{Format: query.JSON}, pattern, times)), &list); err != nil || list[0].A[0] != want || list[0].A[1] != "end" {
				t.Errorf("nested JSON of %d times %q: %v", times, pattern, err)
			}
			for _, o := range []query.Options{{Format: query.CSV}, {Format: query.TSV}, {Format: query.CSV, Terminal: true}, {Format: query.CSV, FormulaSafe: true}} {
				r := csv.NewReader(strings.NewReader(run("SELECT repeat($pattern, length($times)) AS a, 'end' AS b", o, pattern, times)))
				if o.Format == query.TSV {
					r.Comma = '\t'
				}
				rows, err := r.ReadAll()
				read := want
				if o.Terminal {
					read = seen
				}
				if o.FormulaSafe && strings.ContainsAny(pattern[:1], "=\t\n\r") {
					read = "'" + read
				}
				read = strings.ReplaceAll(read, "\r\n", "\n") // as the reader does
				if err != nil || rows[1][0] != read || rows[1][1] != "end" {
					t.Errorf("%v of %d times %q: %v, %.100q", o, times, pattern, err, rows)
				}
			}
		}
	}
}

// TestTablesCutLongValues: Table and Box cut a long value after a whole character and say so. They
// show a shorter value uncut.
func TestTablesCutLongValues(t *testing.T) {
	s := open(t, file(t), "UTC")
	for _, pattern := range []string{"x", "\x1b", "漢", "😀", "e\u0301", "\u202e", "\n"} {
		for _, times := range []int{9_996 / len(pattern), 10_000/len(pattern) + 1, 1_000_000} {
			for _, o := range []query.Options{{Format: query.Table}, {Format: query.Table, Width: 80}, {Format: query.Box}} {
				var b bytes.Buffer
				o.SQL, o.Params = "SELECT 1 AS n, repeat($p, length($times)) AS a FROM range(2)", map[string]string{"p": pattern, "times": strings.Repeat("i", times)}
				if err := query.Run(t.Context(), s, o, &b); err != nil {
					t.Fatal(err)
				}
				if cut := times*len(pattern) > 10_000; strings.Contains(b.String(), "2 values cut at 10,000 bytes") != cut || strings.Contains(b.String(), "\ufffd") {
					t.Errorf("%v, %d of %q: %.200q", o.Format, times, pattern, b.String())
				}
				if b.Len() > 8*7*10_000*3 {
					t.Errorf("%v, %d of %q: %d bytes", o.Format, times, pattern, b.Len())
				}
			}
		}
	}
	var b bytes.Buffer
	// Only cut values that are shown count, not those that the tail dropped.
	const many = "SELECT repeat('x', CASE WHEN range % 2 = 0 THEN 10001 ELSE 1 END) AS a FROM range(100)"
	if err := query.Run(t.Context(), s, query.Options{SQL: many, Format: query.Table, MaxRows: 10}, &b); err != nil || !strings.Contains(b.String(), "100 rows (10 shown); 5 values cut") {
		t.Errorf("%v, %.500q", err, b.String()[max(0, b.Len()-500):])
	}
}
