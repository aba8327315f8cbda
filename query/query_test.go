package query_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datasync/query"

	"github.com/google/go-cmp/cmp"
)

func TestTypes(t *testing.T) {
	s := open(t, file(t), "Asia/Tokyo")
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ sql, csv, json string }{
		{"NULL", `""`, "null"},
		{"''", `""`, `""`},
		{"true", "true", "true"},
		{"9223372036854775807", "9223372036854775807", "9223372036854775807"},
		{"(-128)::TINYINT", "-128", "-128"},
		{"18446744073709551615::UBIGINT", "18446744073709551615", "18446744073709551615"},
		{"170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727", "170141183460469231731687303715884105727"},
		{"1.50::DECIMAL(9,2)", "1.50", "1.50"},
		{"12345678901234567890123456789012345.678::DECIMAL(38,3)", "12345678901234567890123456789012345.678", "12345678901234567890123456789012345.678"},
		{"0.1::DOUBLE", "0.1", "0.1"},
		{"1e300::DOUBLE", "1e+300", "1e+300"},
		{"'inf'::DOUBLE", "inf", `"inf"`},
		{"'-inf'::FLOAT", "-inf", `"-inf"`},
		{"'nan'::DOUBLE", "nan", `"nan"`},
		{"'a,\"b\n'", "\"a,\"\"b\n\"", `"a,\"b\n"`},
		{"'<&>'", "<&>", `"<&>"`},
		{"TIMESTAMPTZ '2026-01-27 19:20:12.369+00'", "2026-01-28T04:20:12.369+09:00", `"2026-01-28T04:20:12.369+09:00"`},
		{"TIMESTAMPTZ '1969-12-31 23:59:59.999999+00'", "1970-01-01T08:59:59.999999+09:00", `"1970-01-01T08:59:59.999999+09:00"`},
		{"'infinity'::TIMESTAMPTZ", "infinity", `"infinity"`},
		{"TIMESTAMP '2026-01-27 19:20:12'", "2026-01-27T19:20:12", `"2026-01-27T19:20:12"`},
		{"'2026-01-27 19:20:12.123456789'::TIMESTAMP_NS", "2026-01-27T19:20:12.123456789", `"2026-01-27T19:20:12.123456789"`},
		{"'2026-01-27 19:20:12'::TIMESTAMP_S", "2026-01-27T19:20:12", `"2026-01-27T19:20:12"`},
		{"'2026-01-27 19:20:12.5'::TIMESTAMP_MS", "2026-01-27T19:20:12.5", `"2026-01-27T19:20:12.5"`},
		{"DATE '2026-01-27'", "2026-01-27", `"2026-01-27"`},
		{"TIME '19:20:12'", "19:20:12", `"19:20:12"`},
		{"INTERVAL 1 DAY", "1 day", `"1 day"`},
		{"'6f1b0c3e-0000-4000-8000-000000000001'::UUID", "6f1b0c3e-0000-4000-8000-000000000001", `"6f1b0c3e-0000-4000-8000-000000000001"`},
		{"'\\x00\\xab'::BLOB", "\\x00\\xAB", `"\\x00\\xAB"`},
		{"'b'::ENUM('a', 'b')", "b", `"b"`},
		{"'101'::BIT", "101", `"101"`},
		{"[1, NULL]", "\"[1, NULL]\"", "[1,null]"},
		{"[1, 2]::INTEGER[2]", "\"[1, 2]\"", "[1,2]"},
		{"{'a': 1, 'b': 'x'}", "\"{'a': 1, 'b': x}\"", `{"a":1,"b":"x"}`},
		{"MAP {'k': 1}", "{k=1}", `{"k":1}`},
		{`'{"z": 1, "a": 10000000000000000000000001}'::JSON`, `"{""z"": 1, ""a"": 10000000000000000000000001}"`, `{"z": 1, "a": 10000000000000000000000001}`},
		{"'{\n\t\"z\": \"\u202e\"}'::JSON", "\"{\n\t\"\"z\"\": \"\"\u202e\"\"}\"", `{  "z": "\u202e"}`},
	} {
		t.Run(tc.sql, func(t *testing.T) {
			opts := query.Options{SQL: "SELECT " + tc.sql + " AS v -- so", Location: tokyo}
			for format, want := range map[query.Format]string{
				query.CSV: "v\n" + tc.csv + "\n", query.JSON: "[\n{\"v\":" + tc.json + "}\n]\n", query.JSONLines: "{\"v\":" + tc.json + "}\n",
			} {
				opts.Format = format
				got := ask(t, s, opts)
				if got != want {
					t.Errorf("%s: %q, want %q", format, got, want)
				}
				if format != query.CSV && !json.Valid([]byte(got)) {
					t.Errorf("no JSON: %s", got)
				}
			}
		})
	}
}

// TestGolden compares each format with a file, which -update writes anew.
func TestGolden(t *testing.T) {
	s := open(t, file(t), "UTC")
	const text = `SELECT * FROM (VALUES
		(1, 'click', 1.50::DECIMAL(9,2), TIMESTAMPTZ '2026-01-27 19:20:12.369+00', '{"page":"/a|b"}'::JSON, [1, NULL], NULL),
		(-20, '=1+1', NULL, NULL, NULL, NULL, ''),
		(300, 'ünï 日本' || chr(27) || '[2J' || chr(10) || '<b>', 0.00, TIMESTAMPTZ '2199-12-31 23:59:59.999999+00', '[]'::JSON, [], 'a,"b"')
		) AS t(n, type, amount, "timestamp", properties, list, "no|te");
		SELECT 1 AS one WHERE false`
	for format, name := range map[query.Format]string{
		query.Table: "table.txt", query.Box: "box.txt", query.CSV: "csv.csv", query.TSV: "tsv.tsv", query.JSON: "json.json", query.JSONLines: "jsonl.jsonl",
		query.Markdown: "markdown.md", query.Line: "line.txt", query.HTML: "html.html",
	} {
		t.Run(string(format), func(t *testing.T) {
			got := ask(t, s, query.Options{SQL: text, Format: format, FormulaSafe: true})
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCSVIsReadBack: another reader reads the same texts from CSV.
func TestCSVIsReadBack(t *testing.T) {
	s := open(t, file(t), "UTC")
	got := ask(t, s, query.Options{Format: query.CSV, SQL: `SELECT chr(n::INT) || 'x' || chr(n::INT) AS "a,b", n FROM range(1, 300) r(n)`})
	records, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil || len(records) != 300 || records[0][0] != "a,b" {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for n, r := range records[1:] {
		// encoding/csv removes a carriage return before a line feed, and no other.
		if want := string(rune(n+1)) + "x" + string(rune(n+1)); r[0] != want {
			t.Errorf("%q, want %q", r[0], want)
		}
	}
}

func TestFormulaSafe(t *testing.T) {
	s := open(t, file(t), "UTC")
	opts := query.Options{Format: query.CSV, SQL: `SELECT '=a' AS "=h", '+a', '-a', '@a', chr(9) || 'a', chr(13) || 'a', chr(10) || 'a', chr(0) || 'a', 'a=', -5, -5.0::DOUBLE, '＝a', NULL, [-1], '-1'::JSON`}
	plain := ask(t, s, opts)
	opts.FormulaSafe = true
	safe := ask(t, s, opts)
	if want := "'=a,'+a,'-a,'@a,'\ta,\"'\ra\",\"'\na\",'\x00a,a=,-5,-5.0,'＝a,,[-1],'-1\n"; !strings.HasSuffix(safe, want) || !strings.HasPrefix(safe, "'=h,") {
		t.Errorf("%q, want %q", safe, want)
	}
	if !strings.HasPrefix(plain, "=h,") || !strings.Contains(plain, "\n=a,+a,-a,@a,\ta,") {
		t.Errorf("%q", plain)
	}
}

func TestTablesShowHeadAndTail(t *testing.T) {
	s := open(t, file(t), "UTC")
	text := ask(t, s, query.Options{SQL: "SELECT range AS n FROM range(1000003) ORDER BY n", Format: query.Table})
	for _, want := range []string{"│       0 │", "│      19 │", "│ 1000002 │", "│  999983 │", "1,000,003 rows (40 shown)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "│      20 │") || strings.Contains(text, "│  999982 │") || strings.Index(text, "999983") > strings.Index(text, "1000002") {
		t.Errorf("not head and tail:\n%s", text)
	}
	for _, tc := range []struct {
		rows, most int
		want       string
	}{{0, 0, "0 rows"}, {1, 0, "1 row"}, {40, 0, "40 rows"}, {41, 0, "41 rows (40 shown)"}, {5, 3, "5 rows (3 shown)"}, {5, 1, "5 rows (1 shown)"}, {200, -1, "200 rows"}} {
		opts := query.Options{SQL: "SELECT n FROM range($n::BIGINT) r(n) ORDER BY n", Format: query.Table, MaxRows: tc.most, Params: map[string]string{"n": jsonNumber(tc.rows)}}
		if text := ask(t, s, opts); !strings.HasSuffix(text, "\n"+tc.want+"\n") {
			t.Errorf("%d rows, at most %d:\n%s", tc.rows, tc.most, text)
		}
	}
}

func jsonNumber(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func TestMaxRowsOfOtherFormats(t *testing.T) {
	s := open(t, file(t), "UTC")
	var rows, written int64
	opts := query.Options{SQL: "FROM range(5000)", Format: query.CSV, MaxRows: 2, Done: func(r, w int64, _ time.Duration) { rows, written = r, w }}
	if got := ask(t, s, opts); got != "range\n0\n1\n" || rows <= written || written != 2 {
		t.Errorf("%q, %d rows, %d written", got, rows, written)
	}
	opts.MaxRows = 5000
	if ask(t, s, opts); rows != 5000 || written != 5000 {
		t.Errorf("%d rows, %d written", rows, written)
	}
}

// TestTablesFitTheirWidth: no line exceeds the width if one column fits into it, and the caption
// says how much is left out.
func TestTablesFitTheirWidth(t *testing.T) {
	s := open(t, file(t), "UTC")
	const text = `SELECT 'a' AS short, repeat('日本', 40) AS wide, 12345678901 AS number, repeat('x', 200) AS long, 'e' AS e, TIMESTAMPTZ '2026-01-27 19:20:12.369+00' AS t, 7 AS last`
	for width := 20; width < 420; width += 7 {
		got := ask(t, s, query.Options{SQL: text, Format: query.Table, Width: width})
		for line := range strings.Lines(got) {
			cells := 0
			for _, r := range strings.TrimRight(line, "\n") {
				if cells++; r == '日' || r == '本' {
					cells++
				}
			}
			if cells > width && strings.ContainsAny(line, "│┌") {
				t.Errorf("%d columns in a width of %d:\n%s", cells, width, got)
				break
			}
		}
		if left := strings.Contains(strings.ReplaceAll(got, "\n", " "), " of 7 columns"); !left && strings.Contains(got, "│ … │") {
			t.Errorf("width %d:\n%s", width, got)
		}
		if !strings.Contains(got, "12345678901") && strings.Contains(got, "number") {
			t.Errorf("a number was cut in a width of %d:\n%s", width, got)
		}
	}
}

func TestControlCharactersAreEscaped(t *testing.T) {
	s := open(t, file(t), "UTC")
	const text = `SELECT 'a' || chr(27) || '[2J' || chr(8238) || chr(155) || chr(127) AS "n` + "\x1b]0;x\x07" + `", '{"` + "\u202e\u009b" + `":"\u001b"}'::JSON AS j; EXPLAIN SELECT '` + "\x1b" + `' AS x`
	for _, f := range []query.Format{query.Table, query.Box, query.CSV, query.TSV, query.JSON, query.JSONLines, query.Markdown, query.Line, query.HTML} {
		got := ask(t, s, query.Options{SQL: text, Format: f, Terminal: true})
		if strings.ContainsAny(got, "\x1b\x07\x7f\u202e\u009b") {
			t.Errorf("%s: %q", f, got)
		}
	}
	if got := ask(t, s, query.Options{SQL: text, Format: query.Table}); !strings.Contains(got, `a\x1b[2J\u{202e}\x9b\x7f`) {
		t.Errorf("%q", got)
	}
}

func TestFormatNames(t *testing.T) {
	for name, want := range map[string]query.Format{"a.csv": query.CSV, "b.TSV": query.TSV, "c.d.ndjson": query.JSONLines, "x/y.md": query.Markdown, "h.htm": query.HTML, "t.txt": query.Table} {
		if f, err := query.FormatOfFile(name); f != want || err != nil {
			t.Errorf("%s: %q, %v", name, f, err)
		}
	}
	for _, name := range []string{"a", "a.parquet", ".csv.x"} {
		if f, err := query.FormatOfFile(name); err == nil {
			t.Errorf("%s: %q", name, f)
		}
	}
	if _, err := query.ParseFormat("xml"); err == nil || !strings.HasSuffix(err.Error(), "html") {
		t.Errorf("%v", err)
	}
	if _, err := query.ParseFormat("markdwn"); err == nil || !strings.HasSuffix(err.Error(), "; did you mean markdown?") {
		t.Errorf("%v", err)
	}
}
