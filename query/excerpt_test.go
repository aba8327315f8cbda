package query_test

import (
	"bytes"
	"strings"
	"testing"

	"datasync/internal/term"
	"datasync/query"
)

// excerpt runs SQL that fails, and returns the error with its excerpt.
func excerpt(t *testing.T, sql string, params map[string]string, width int) (message, excerpt string) {
	t.Helper()
	s := open(t, file(t), "UTC")
	err := query.Run(t.Context(), s, query.Options{SQL: sql, Params: params, Format: query.CSV}, &bytes.Buffer{})
	if err == nil {
		t.Fatalf("%q did not fail", sql)
	}
	return err.Error(), query.Excerpt(err, width)
}

func TestExcerpts(t *testing.T) {
	for _, tc := range []struct{ name, sql, want string }{
		{"a column", "SELECT tipe FROM events", "LINE 1: SELECT tipe FROM events\n               ^\n"},
		{"the parser", "SELEC 1", "LINE 1: SELEC 1\n        ^\n"},
		{"the end of the input", "SELECT (", "LINE 1: SELECT (\n                ^\n"},
		{"an open string", "SELECT 1, 'a", "LINE 1: SELECT 1, 'a\n                  ^\n"},
		{"a table", "FROM evnts", "LINE 1: FROM evnts\n             ^\n"},
		{"a function", "SELECT nosuch(1)", "LINE 1: SELECT nosuch(1)\n               ^\n"},
		{"a value, of a statement that is wrapped", "SELECT 'x'::INT", "LINE 1: SELECT 'x'::INT\n                  ^\n"},
		{"a value that a row has", "SELECT v::INT FROM (VALUES ('1'), ('q')) t(v)", "LINE 1: SELECT v::INT FROM (VALUES ('1'), ('q')) t(v)\n                ^\n"},
		{"the second statement of a line", "SELECT 1 AS a; SELECT tipe FROM events", "LINE 1: SELECT tipe FROM events\n               ^\n"},
		{"the third line", "SELECT 1 AS a;\n-- a comment\nSELECT tipe\nFROM events", "LINE 3: SELECT tipe\n               ^\n"},
		{"a line within the statement", "SELECT 1 AS a;\r\nSELECT\r\n\t\ttipe,\r\n 2\r\nFROM events;\r\nSELECT 3", "LINE 3:         tipe,\n                ^\n"},
		{"wide characters", "SELECT '日本é', tipe FROM events", "LINE 1: SELECT '日本é', tipe FROM events\n                        ^\n"},
		{"wide characters before an error of the parser", "SELECT '日本é' ]", "LINE 1: SELECT '日本é' ]\n                       ^\n"},
		{"a tab", "SELECT\ttipe FROM events", "LINE 1: SELECT    tipe FROM events\n                  ^\n"},
		{"a space of pasted text", "SELECT\u00a01,\u2003tipe FROM events", "LINE 1: SELECT\u00a01,\u2003tipe FROM events\n                  ^\n"},
		{"behind a parameter", "SELECT $a::INT, $b, tipe FROM events", "LINE 1: SELECT $a::INT, $b, tipe FROM events\n                            ^\n"},
		{"the value of a parameter", "FROM range(9) r(n) WHERE n < $b AND $a < 'x'", "LINE 1: FROM range(9) r(n) WHERE n < $b AND $a < 'x'\n                                     ^\n"},
		{"a statement in several steps", "PIVOT (SELECT tipe AS k FROM events) ON k USING count(*)", "LINE 1: PIVOT (SELECT tipe AS k FROM events) ON k USING count(*)\n                      ^\n"},
		{"control characters", "SELECT '\x1b[2J\u202e', tipe FROM events", `LINE 1: SELECT '\x1b[2J\u{202e}', tipe FROM events` + "\n" + strings.Repeat(" ", 34) + "^\n"},
		{"an error within a text", "FROM query('SELEC 1')", ""},
		{"an error of a function", "SELECT error('a\n\nLINE 7: x\n   ^')", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			params := map[string]string{}
			for _, name := range []string{"a", "b"} {
				if strings.Contains(tc.sql, "$"+name) {
					params[name] = "many"
				}
			}
			message, got := excerpt(t, tc.sql, params, 0)
			if got != tc.want {
				t.Errorf("%s\n%swant\n%s", message, got, tc.want)
			}
			if strings.ContainsAny(message, "\n{") {
				t.Errorf("no single line: %q", message)
			}
		})
	}
}

// TestExcerptsFit: however long the line is, the excerpt fits the width, and the caret is below the
// start of the wrong name.
func TestExcerptsFit(t *testing.T) {
	for _, filler := range []string{"", "x", strings.Repeat("漢", 100), strings.Repeat("e\u0301", 100), strings.Repeat("👩‍💻 ", 50), strings.Repeat("\t", 30) + strings.Repeat("a", 300)} {
		for _, after := range []string{"", ", '" + filler + "' AS later"} {
			sql := "SELECT '" + filler + "' AS a, ẁrong" + after + " FROM events"
			s := open(t, file(t), "UTC")
			err := query.Run(t.Context(), s, query.Options{SQL: sql, Format: query.CSV}, &bytes.Buffer{})
			for _, width := range []int{20, 40, 60, 80, 120, 1000} {
				got := query.Excerpt(err, width)
				line, caret, _ := strings.Cut(strings.TrimSuffix(got, "\n"), "\n")
				at := strings.Index(line, "ẁ")
				if term.Width(line) > width || at < 0 || term.Width(line[:at])+1 != len(caret) || strings.Trim(caret, " ") != "^" {
					t.Errorf("width %d, %d columns, the name at %d, the caret at %d:\n%s", width, term.Width(line), at, len(caret), got)
				}
			}
		}
	}
}

// TestTextInDoubleQuotes: they mark names, so DuckDB looks for a column.
func TestTextInDoubleQuotes(t *testing.T) {
	message, _ := excerpt(t, `SELECT count(*) FROM events WHERE type = "click"`, nil, 0)
	if !strings.HasSuffix(message, "; write text in single quotes") {
		t.Error(message)
	}
}

// TestRefusals: the error of a refused statement names an alternative.
func TestRefusals(t *testing.T) {
	s := open(t, file(t), "UTC")
	for sql, want := range map[string]string{
		"COPY events TO 'out.csv'":                          "COPY is refused, query is read-only; use datasync export",
		"copy (SELECT 1) to 'out.parquet' (FORMAT parquet)": "COPY is refused, query is read-only; use datasync export",
		"EXPLAIN ANALYZE COPY events TO 'out.csv'":          "COPY is refused, query is read-only; use datasync export",
		"COPY events FROM 'in.csv'":                         "COPY ... FROM is refused, query is read-only; use the duckdb program while no pull runs",
		"EXPORT DATABASE 'out'":                             "EXPORT DATABASE is refused, query writes no files; use datasync export",
		"IMPORT DATABASE 'in'":                              "IMPORT DATABASE is refused, query is read-only; use the duckdb program while no pull runs",
		"ATTACH 'other.duckdb'":                             "ATTACH is refused, query reads only this database; use the duckdb program while no pull runs",
		"INSTALL httpfs":                                    "INSTALL is refused, query loads no extension; use the duckdb program while no pull runs",
		"FORCE INSTALL httpfs":                              "INSTALL is refused, query loads no extension; use the duckdb program while no pull runs",
		"LOAD httpfs":                                       "LOAD is refused, query loads no extension; use the duckdb program while no pull runs",
		"FROM st_read('a.shp')":                             "a function of an extension is refused, query loads none; use the duckdb program while no pull runs",
		"FROM delta_scan('a')":                              "a function of an extension is refused, query loads none; use the duckdb program while no pull runs",
		"SET timezone = 'Asia/Tokyo'":                       "SET TimeZone is refused, settings are fixed; use --timezone",
		"SET GLOBAL TimeZone = 'Asia/Tokyo'":                "SET TimeZone is refused, settings are fixed; use --timezone",
		"SET TIME ZONE 'Asia/Tokyo'":                        "SET TimeZone is refused, settings are fixed; use --timezone",
		"RESET timezone":                                    "RESET TimeZone is refused, settings are fixed; use --timezone",
		"PRAGMA timezone = 'Asia/Tokyo'":                    "PRAGMA TimeZone is refused, settings are fixed; use --timezone",
		"SET threads = 1":                                   "SET threads is refused, settings are fixed; use SET VARIABLE for values of your own",
		"PRAGMA enable_profiling":                           "a PRAGMA that changes a setting is refused, settings are fixed; to see how a statement runs, use EXPLAIN ANALYZE",
		"/* all */ DELETE FROM events":                      "DELETE is refused, query is read-only; use a copy: CREATE TEMP TABLE t AS FROM events",
		"INSERT INTO meta VALUES ('a', 'b')":                "INSERT is refused, query is read-only; use a copy: CREATE TEMP TABLE t AS FROM events",
		"UPDATE meta SET value = 'b'":                       "UPDATE is refused, query is read-only; use a copy: CREATE TEMP TABLE t AS FROM events",
		"TRUNCATE events":                                   "TRUNCATE is refused, query is read-only; use a copy: CREATE TEMP TABLE t AS FROM events",
		"CREATE OR REPLACE TABLE t AS SELECT 1":             "CREATE TABLE is refused, query is read-only; use CREATE TEMP TABLE",
		"CREATE VIEW v AS SELECT 1":                         "CREATE VIEW is refused, query is read-only; use CREATE TEMP VIEW",
		"CREATE FUNCTION f() AS 1":                          "CREATE FUNCTION is refused, query is read-only; use CREATE TEMP MACRO",
		"CREATE UNIQUE INDEX i ON events (id)":              "CREATE INDEX is refused, query is read-only; use CREATE TEMP TABLE",
		"DROP TABLE events":                                 "DROP is refused, query is read-only",
		"ALTER TABLE events ADD COLUMN x INT":               "ALTER is refused, query is read-only",
		"COMMENT ON TABLE events IS 'x'":                    "COMMENT is refused, query is read-only",
		"SELECT * FROM read_csv('a.csv')":                   "reading another file is refused, query reads only this database; use the duckdb program while no pull runs",
		"FROM 'a.parquet'":                                  "reading another file is refused, query reads only this database; use the duckdb program while no pull runs",
		"FROM 'http://127.0.0.1:9/a.csv'":                   "reading another file is refused, query reads only this database; use the duckdb program while no pull runs",
		".schema events":                                    ".schema is a shell command, not SQL; use datasync schema",
		".mode csv\nSELECT 1;":                              ".mode is a shell command, not SQL; use --format",
		".nothing":                                          ".nothing is a shell command, not SQL; use datasync query without SQL, which starts the shell",
		`\d`:                                                `\d is a shell command, not SQL; use datasync schema`,
		// These fail for another reason.
		"SELECT 1; COPY events": "Parser Error: syntax error at end of input",
		"SET nosuch = 1":        "SET nosuch is refused, settings are fixed; use SET VARIABLE for values of your own",
	} {
		err := query.Run(t.Context(), s, query.Options{SQL: sql, Format: query.CSV}, &bytes.Buffer{})
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", sql, err, want)
		}
	}
	for sql, want := range map[string]string{
		"SET timezone = 'UTC'": "; use .timezone", "COPY events TO 'a.csv'": "; use .once FILE before a SELECT, or datasync export",
		"SELECT $v": "; give .param v=VALUE",
	} {
		err := query.Run(t.Context(), s, query.Options{SQL: sql, Format: query.CSV, Shell: true}, &bytes.Buffer{})
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("in the shell: %v, want %s", err, want)
		}
	}
}
