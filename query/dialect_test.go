package query_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"datasync/query"

	"github.com/google/go-cmp/cmp"
)

// printed returns the SQL of a named query with the default table.
func printed(t *testing.T, name string, d query.Dialect, given map[string]string, zone *time.Location) string {
	t.Helper()
	n, err := query.FindNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := n.Print(d, "events", given, when("2026-02-01T12:00:00Z"), zone)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// valueOf returns a value of a parameter that is not its default, and what of it the SQL must have.
func valueOf(p query.Param) (value string, traces []string) {
	switch {
	case p.Name == "by":
		return "hour", []string{"hour"}
	case p.Type == "TIMESTAMPTZ":
		return "2026-01-20T19:00:00.123456Z", []string{"19:00:00.123456"}
	case p.Type == "BIGINT":
		return "4711", []string{"4711"}
	case p.Type == "INTERVAL":
		return "3d", []string{"3"}
	case p.Type == "VARCHAR[]":
		return "uno,'dos, tres'", []string{"uno", "dos, tres"}
	}
	return "cuatro", []string{"cuatro"}
}

// TestDialectFiles: each engine has each query, with all its parameters, and nothing of a template or of a
// parameter is left in the SQL.
func TestDialectFiles(t *testing.T) {
	all, err := query.NamedQueries()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []query.Dialect{query.InSpark, query.InTrino} {
		files, err := fs.Glob(os.DirFS(filepath.Join("named", string(d))), "*")
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, n := range all {
			want = append(want, n.Name+".sql")
		}
		if slices.Sort(want); !slices.Equal(files, want) {
			t.Errorf("%s has %v, want %v", d, files, want)
		}
	}
	for _, d := range query.Dialects() {
		for _, n := range all {
			plain := printed(t, n.Name, query.Dialect(d), nil, time.UTC)
			for _, p := range n.Params {
				value, traces := valueOf(p)
				text := printed(t, n.Name, query.Dialect(d), map[string]string{p.Name: value}, time.UTC)
				for _, trace := range traces {
					if text == plain || !strings.Contains(text, trace) {
						t.Errorf("%s in %s lacks %s of --param %s=%s:\n%s", n.Name, d, trace, p.Name, value, text)
					}
				}
				for _, rest := range []string{"{{", "}}", "<no value>", "$" + p.Name, "%!"} {
					if strings.Contains(text, rest) {
						t.Errorf("%s in %s has %q:\n%s", n.Name, d, rest, text)
					}
				}
			}
			for i, line := range strings.Split(plain, "\n") {
				if line != strings.TrimRight(line, " \t\r") || strings.Contains(line, "\t") || len(line) > 160 {
					t.Errorf("%s in %s, line %d: %q", n.Name, d, i+1, line)
				}
			}
			if !strings.HasSuffix(plain, ";\n") || strings.Count(plain, ";") != 1 {
				t.Errorf("%s in %s is not one statement:\n%s", n.Name, d, plain)
			}
		}
	}
}

// TestPrintedGolden: the whole text of each query with all parameters, for each engine.
func TestPrintedGolden(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	all, err := query.NamedQueries()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range query.Dialects() {
		var b strings.Builder
		for _, n := range all {
			given := map[string]string{}
			for _, p := range n.Params {
				given[p.Name], _ = valueOf(p)
			}
			b.WriteString(printed(t, n.Name, query.Dialect(d), nil, time.UTC) + "\n")
			b.WriteString(printed(t, n.Name, query.Dialect(d), given, zone) + "\n")
		}
		path := filepath.Join("testdata", "dialects", d+".sql")
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got; go test ./query -update writes it):\n%s", path, diff)
		}
	}
}

// TestPrintedRuns: DuckDB runs the printed SQL, and its rows are those of the named query, whatever the texts
// have.
func TestPrintedRuns(t *testing.T) {
	hostile := "it's \\ \"x\" $y ${env:HOME} {{.table}} \x1b[31m\n-- ü 😀\u202e;"
	path := file(t)
	insert(t, path, []event{
		{at: when("2026-01-20T10:00:00.123456Z"), session: 1, user: 1, kind: "page_view", properties: `{"page":"/a"}`},
		{at: when("2026-01-20T10:00:01Z"), session: 1, kind: "click"},
		{at: when("2026-01-20T11:00:01Z"), session: 2, kind: hostile},
		{at: when("2026-01-21T11:00:01Z"), session: 2, user: 2, kind: hostile},
	})
	db := openDB(t, path, "UTC")
	quote := "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(hostile) + "'"
	all, err := query.NamedQueries()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		for _, given := range []map[string]string{
			nil,
			{"since": "2026-01-20T10:00:00.1234564Z", "until": "2026-01-21", "limit": "3", "days": "2", "gap": "1us", "within": "1d", "by": "hour", "type": hostile, "errors": quote, "steps": quote + ",click," + quote},
			{"since": "infinity", "type": hostile, "steps": quote, "errors": quote},
		} {
			own := map[string]string{}
			for _, p := range n.Params {
				if value, ok := given[p.Name]; ok {
					own[p.Name] = value
				}
			}
			bound, err := n.Bind(own, when("2026-02-01T12:00:00Z"), time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			want, err := askNamed(db, time.UTC, n.Name, bound.Params)
			if err != nil {
				t.Fatal(err)
			}
			got, err := rowsOf(db, printed(t, n.Name, query.InDuckDB, own, time.UTC), time.UTC)
			if err != nil {
				t.Errorf("%s with %v: %v", n.Name, own, err)
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s with %v (-want +got):\n%s", n.Name, own, diff)
			}
		}
	}
}

// TestLiterals: a text is one literal in each engine, without a character that splits the input of its
// program.
func TestLiterals(t *testing.T) {
	for _, tc := range []struct{ value, duckdb, spark, trino string }{
		{"a", `'a'`, `'a'`, `'a'`},
		{"it's", `'it''s'`, `'it\'s'`, `'it''s'`},
		{`\`, `'\'`, `'\\'`, `'\'`},
		{`\' OR 1=1 --`, `'\'' OR 1=1 --'`, `'\\\' OR 1=1 --'`, `'\'' OR 1=1 --'`},
		{"${env:HOME} $x", `'${env:HOME} $x'`, `'\u0024{env:HOME} $x'`, `'${env:HOME} $x'`},
		{"a\n;", `('a' || chr(10) || ';')`, `'a\u000A;'`, `U&'a\+00000A;'`},
		{"'\\\x1b", `('''\' || chr(27) || '')`, `'\'\\\u001B'`, `U&'''\\\+00001B'`},
		{"ü漢😀", `'ü漢😀'`, `'ü漢😀'`, `'ü漢😀'`},
		{"\U000E0041", `('' || chr(917569) || '')`, `'\uDB40\uDC41'`, `U&'\+0E0041'`},
		{"\xff", `'�'`, `'�'`, `'�'`},
		{"{{.table}}", `'{{.table}}'`, `'{{.table}}'`, `'{{.table}}'`},
	} {
		for d, want := range map[query.Dialect]string{query.InDuckDB: tc.duckdb, query.InSpark: tc.spark, query.InTrino: tc.trino} {
			if text := printed(t, "top_pages", d, map[string]string{"type": tc.value}, time.UTC); !strings.Contains(text, want) {
				t.Errorf("%q in %s lacks %s:\n%s", tc.value, d, want, text)
			}
		}
	}
}

func TestPrintedBounds(t *testing.T) {
	for _, tc := range []struct{ since, until, want string }{
		{"-infinity", "infinity", ""},
		{"2026-01-20", "infinity", "WHERE `timestamp` >= TIMESTAMP '2026-01-19 23:00:00.000000Z'\n"},
		{"-infinity", "2026-01-20T00:00:00.9999999Z", "WHERE `timestamp` < TIMESTAMP '2026-01-20 00:00:00.999999Z'\n"},
		{"infinity", "infinity", "WHERE FALSE\n"},
		{"2026-01-20", "-infinity", "WHERE `timestamp` >= TIMESTAMP '2026-01-19 23:00:00.000000Z' AND FALSE\n"},
		{"0000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", ""}, // no event is that early, or that late
	} {
		text := printed(t, "daily_active_users", query.InSpark, map[string]string{"since": tc.since, "until": tc.until}, time.FixedZone("", 3600))
		if want := "FROM events\n" + tc.want + "GROUP BY"; !strings.Contains(text, want) {
			t.Errorf("since %s until %s lacks %q:\n%s", tc.since, tc.until, want, text)
		}
	}
}

func TestPrintedTable(t *testing.T) {
	n, err := query.FindNamed("devices")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ table, spark, trino string }{
		{"events", "FROM events\n", "FROM events\n"},
		{"web.events", "FROM `web`.`events`\n", `FROM "web"."events"` + "\n"},
		{`lake."a.b".Table`, "FROM `lake`.`a.b`.`Table`\n", `FROM "lake"."a.b"."Table"` + "\n"},
		{"a`b.c", "FROM `a``b`.`c`\n", "FROM \"a`b\".\"c\"\n"},
		{`a."b""c"`, "FROM `a`.`b\"c`\n", `FROM "a"."b""c"` + "\n"},
		{"a b.c", "FROM `a b`.`c`\n", `FROM "a b"."c"` + "\n"},
		{"a.b.c.d", "FROM `a`.`b`.`c`.`d`\n", ""},
		{"", "", ""}, {".", "", ""}, {"a.", "", ""}, {"a..b", "", ""}, {`"a`, "", ""}, {`"a"b`, "", ""}, {`""`, "", ""}, {" a", "", ""}, {"a\nb", "", ""},
	} {
		for d, want := range map[query.Dialect]string{query.InSpark: tc.spark, query.InTrino: tc.trino, query.InDuckDB: tc.trino} {
			text, err := n.Print(d, tc.table, nil, time.Time{}, time.UTC)
			if want == "" && !errors.Is(err, query.ErrTable) {
				t.Errorf("%q in %s: %v\n%s", tc.table, d, err, text)
			}
			if want != "" && (err != nil || !strings.Contains(text, want)) {
				t.Errorf("%q in %s lacks %q: %v\n%s", tc.table, d, want, err, text)
			}
		}
	}
}
