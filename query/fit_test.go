package query_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"datasync/internal/term"
	"datasync/query"

	"github.com/google/go-cmp/cmp"
)

// oneEvent is a row like those of events.
const oneEvent = `SELECT UUID 'ca15e3ac-0000-4000-8000-000000000001' AS id, UUID 'ca15e3ac-0000-4000-8000-000000000002' AS session_id, NULL::UUID AS user_id,
	'api_call' AS type, %s AS name, TIMESTAMPTZ '2026-01-27 19:20:12.369+00' AS "timestamp", '{"page":"/products"}'::JSON AS properties,
	'desktop' AS device_type, 'Firefox' AS browser, NULL::JSON AS extra, 185::BIGINT AS batch`

// TestTablesShowWhatMatters: if a table omits columns, time and type come first, UUIDs are short, and
// columns of NULLs are omitted before others.
func TestTablesShowWhatMatters(t *testing.T) {
	s := open(t, file(t), "UTC")
	for width, want := range map[int]string{
		60: `┌──────────────────────────┬──────────┬───────────┬───┐
│        timestamp         │   type   │    id     │ … │
│ timestamp with time zone │ varchar  │   uuid    │   │
├──────────────────────────┼──────────┼───────────┼───┤
│ 2026-01-27T19:20:12.369Z │ api_call │ ca15e3ac… │ … │
└──────────────────────────┴──────────┴───────────┴───┘
1 row, 3 of 11 columns (all: --format line); all NULL:
user_id, extra
`,
		40: `┌──────────────────────────┬──────────┐
│        timestamp         │   type   │
│ timestamp with time zone │ varchar  │
├──────────────────────────┼──────────┤
│ 2026-01-27T19:20:12.369Z │ api_call │
└──────────────────────────┴──────────┘
1 row, 2 of 11 columns (all: --format
line); all NULL: user_id, extra
`,
		160: `┌──────────────────────────────────────┬────────────┬──────────┬─────────┬──────────────────────────┬──────────────────────┬─────────────┬─────────┬───────┐
│                  id                  │ session_id │   type   │  name   │        timestamp         │      properties      │ device_type │ browser │ batch │
│                 uuid                 │    uuid    │ varchar  │ varchar │ timestamp with time zone │         json         │   varchar   │ varchar │ int64 │
├──────────────────────────────────────┼────────────┼──────────┼─────────┼──────────────────────────┼──────────────────────┼─────────────┼─────────┼───────┤
│ ca15e3ac-0000-4000-8000-000000000001 │ ca15e3ac…  │ api_call │ load    │ 2026-01-27T19:20:12.369Z │ {"page":"/products"} │ desktop     │ Firefox │   185 │
└──────────────────────────────────────┴────────────┴──────────┴─────────┴──────────────────────────┴──────────────────────┴─────────────┴─────────┴───────┘
1 row, 9 of 11 columns (all: --format line); all NULL: user_id, extra
`,
	} {
		got := ask(t, s, query.Options{SQL: fmt.Sprintf(oneEvent, "'load'"), Format: query.Table, Width: width})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("width %d (-want +got):\n%s", width, diff)
		}
	}
	if got := ask(t, s, query.Options{SQL: fmt.Sprintf(oneEvent, "'load'"), Format: query.Table}); !strings.HasSuffix(got, "\n1 row\n") || !strings.Contains(got, "│ NULL") || !strings.Contains(got, "ca15e3ac-0000-4000-8000-000000000002") {
		t.Errorf("without a width:\n%s", got)
	}
	got := ask(t, s, query.Options{SQL: fmt.Sprintf(oneEvent, "'load'"), Format: query.Table, Width: 60, Shell: true})
	if !strings.Contains(got, "(all: .mode line)") {
		t.Errorf("in the shell:\n%s", got)
	}
}

// cutNumber matches a number that was cut, or one that may have been. UUIDs have letters.
var cutNumber = regexp.MustCompile(`[0-9.]…`)

// TestTablesAtAllWidths: no line is wider than the terminal, no number or time is cut, and all lines of
// the box are equally wide, for any characters.
func TestTablesAtAllWidths(t *testing.T) {
	s := open(t, file(t), "UTC")
	for _, value := range []string{"日本語のとても長い名前です", "👩‍💻👨‍👩‍👧‍👦🏳️‍🌈 team", "👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽 ok", "❤️❤️❤️❤️❤️❤️❤️❤️", "🇩🇪🇫🇷🇯🇵🇧🇷🇩🇪🇫🇷🇯🇵🇧🇷", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", "กำลังทดสอบก็", "한국어 텍스트입니다", "\u202e\x1b[2J\t", "12345678901234567890123456789"} {
		quoted := "'" + value + "'"
		for _, sql := range []string{
			fmt.Sprintf(oneEvent, quoted),
			fmt.Sprintf("SELECT %s AS v, 170141183460469231731687303715884105727::HUGEINT AS big, 0.1::DOUBLE AS x", quoted),
			fmt.Sprintf("SELECT '12345678901234567'::JSON AS a, %s AS b, INTERVAL '3 days 04:05:06.789' AS c, %s AS d, -12345.678901 AS e", quoted, quoted),
			fmt.Sprintf(`SELECT '{"amount":-123456.789012,"n":[1234567890123,98765432109876]}'::JSON AS a, 'order-1234567890-' || %s AS b, [123456789, 1234567891] AS c, 'x 1.5e300 1.5e300' AS d, {'n': 1234567890123.5} AS e`, quoted),
			"SELECT count(*) AS a_count_with_a_long_name_of_many_words FROM range(3)",
		} {
			for width := 10; width <= 130; width++ {
				got := ask(t, s, query.Options{SQL: sql, Format: query.Table, Width: width})
				var box []int
				for line := range strings.Lines(got) {
					line = strings.TrimSuffix(line, "\n")
					n := term.Width(line)
					if n > width && width >= 40 {
						t.Errorf("%d columns in a width of %d:\n%s", n, width, got)
					}
					if strings.ContainsAny(line, "│┌├└") {
						box = append(box, n)
					}
				}
				if len(box) > 0 && slices.Min(box) != slices.Max(box) {
					t.Errorf("a ragged box in a width of %d:\n%s", width, got)
				}
				if cutNumber.MatchString(got) {
					t.Errorf("a number is cut in a width of %d:\n%s", width, got)
				}
			}
		}
	}
}

// TestColumnsOfNULL: a column is folded only if the table is too wide, and all rows of the result,
// shown or not, are NULL in it. Never are all columns folded.
func TestColumnsOfNULL(t *testing.T) {
	s := open(t, file(t), "UTC")
	for _, tc := range []struct {
		sql   string
		width int
		want  string
	}{
		{"SELECT NULL AS a, 1 AS b", 40, "1 row"},
		{"SELECT NULL AS a, repeat('x', 50) AS b", 40, "1 row, 1 of 2 columns (all: --format\nline); all NULL: a"},
		{"SELECT CASE WHEN n = 500 THEN 1 END AS a, repeat('x', 50) AS b FROM range(1000) r(n)", 40, "1,000 rows (40 shown)"},
		{"SELECT NULL AS " + strings.Repeat("a", 60) + ", NULL AS b", 40, "1 row"},
		{"SELECT NULL AS a, NULL AS b WHERE false", 20, "0 rows"},
		{"SELECT " + strings.Repeat("NULL AS n, ", 12) + "1 AS b", 60, "1 row, 1 of 13 columns (all: --format line); all NULL: n, n,\nn, n, n, n, n, n, and 4 more"},
	} {
		if got := ask(t, s, query.Options{SQL: tc.sql, Format: query.Table, Width: tc.width}); !strings.HasSuffix(got, "┘\n"+tc.want+"\n") {
			t.Errorf("%s:\n%swant\n%s", tc.sql, got, tc.want)
		}
	}
}

// TestColumnsThatComeFirst: the first column is the event's own time, or a day if there is no time.
func TestColumnsThatComeFirst(t *testing.T) {
	s := open(t, file(t), "UTC")
	for columns, want := range map[string]string{
		`now() AS stored, now() AS "timestamp", 'a' AS type`:     `│ timestamp │ type `,
		`1 AS n, now() AS began, now() AS ended`:                 `│ began `,
		`1 AS n, DATE '2026-01-27' AS day, 'click' AS type`:      `│ day │ type │ n `,
		`1 AS n, 'click' AS type, 'x' AS t`:                      `│ type │ n │ t `,
		`TIMESTAMP '2026-01-27 19:20:12' AS local, 1 AS n`:       `│ local │ n `,
		`'2026-01-27' AS "timestamp", 'x' AS t, 'click' AS type`: `│ type │ timestamp │ t `,
	} {
		sql := "SELECT " + columns
		for range 9 {
			sql += ", repeat('x', 20) AS more"
		}
		got := ask(t, s, query.Options{SQL: sql, Format: query.Table, Width: 70})
		head := strings.Join(strings.Fields(strings.Split(got, "\n")[1]), " ")
		if !strings.HasPrefix(head, want) {
			t.Errorf("%s: %s, want %s", columns, head, want)
		}
	}
}

// TestDimNULL: NULL is dim, and a text that reads NULL is not.
func TestDimNULL(t *testing.T) {
	s := open(t, file(t), "UTC")
	dim := func(text string) string { return "<" + text + ">" }
	const sql = "SELECT NULL AS a, 'NULL' AS b, NULL::INT AS c, [NULL] AS d"
	for format, want := range map[query.Format]string{
		query.Table: "│  <NULL> │ NULL    │  <NULL> │ [NULL]  │", query.Box: "│ <NULL> │ NULL │ <NULL> │ [NULL] │",
		query.Line: "a = <NULL>\nb = NULL\nc = <NULL>\nd = [NULL]", query.CSV: ",NULL,,[NULL]", query.Markdown: "| NULL | NULL | NULL | [NULL] |",
	} {
		if got := ask(t, s, query.Options{SQL: sql, Format: format, Dim: dim}); !strings.Contains(got, want) {
			t.Errorf("%s:\n%swant\n%s", format, got, want)
		}
	}
}
