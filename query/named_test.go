package query_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"datasync/internal/inspect"
	"datasync/mockserver"
	"datasync/query"
)

// openDB opens a file with database/sql.
func openDB(t *testing.T, path, zone string) *sql.DB {
	t.Helper()
	db, err := inspect.OpenReadOnly(t.Context(), path, zone)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// arguments binds a named query's parameters to the given values, else to their defaults.
func arguments(n query.Named, given map[string]string) []any {
	var args []any
	for _, p := range n.Params {
		value, ok := given[p.Name]
		if !ok {
			value = p.Default
		}
		args = append(args, sql.Named(p.Name, value))
	}
	return args
}

// askNamed runs a named query and returns its rows as text.
func askNamed(db *sql.DB, zone *time.Location, name string, given map[string]string) (result [][]string, err error) {
	n, err := query.FindNamed(name)
	if err != nil {
		return nil, err
	}
	return rowsOf(db, n.SQL, zone, arguments(n, given)...)
}

// rowsOf runs a statement and returns its rows as text.
func rowsOf(db *sql.DB, text string, zone *time.Location, args ...any) (result [][]string, err error) {
	rows, err := db.Query(text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	values, targets := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = cell(v, types[i].DatabaseTypeName(), zone)
		}
		result = append(result, row)
	}
	return result, rows.Err()
}

func cell(value any, typeName string, zone *time.Location) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case float64:
		return number(v)
	case time.Time:
		if typeName == "DATE" {
			return v.Format(time.DateOnly)
		}
		return v.In(zone).Format(time.RFC3339Nano)
	}
	return fmt.Sprint(value)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// used matches the parameters of a statement. JSON paths in it begin with "$.".
var used = regexp.MustCompile(`\$([a-z_]+)`)

// TestNamedFiles: every file has a valid header and statement.
func TestNamedFiles(t *testing.T) {
	all, err := query.NamedQueries()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range all {
		names = append(names, n.Name+".sql")
	}
	files, err := fs.Glob(os.DirFS("named"), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	if !slices.Equal(files, names) {
		t.Errorf("files %v, queries %v", files, names)
	}
	db := openDB(t, file(t), "UTC")
	for _, n := range all {
		t.Run(n.Name, func(t *testing.T) {
			var declared, inSQL []string
			for _, p := range n.Params {
				declared = append(declared, p.Name)
				if p.Description == "" || p.Default == "" || p.Type == "" {
					t.Errorf("parameter %+v", p)
				}
			}
			for _, m := range used.FindAllStringSubmatch(n.SQL, -1) {
				if !slices.Contains(inSQL, m[1]) {
					inSQL = append(inSQL, m[1])
				}
			}
			if slices.Sort(inSQL); !slices.Equal(slices.Sorted(slices.Values(declared)), inSQL) {
				t.Errorf("declared %v, in the SQL %v", declared, inSQL)
			}
			if !slices.Contains(declared, "since") || !slices.Contains(declared, "until") {
				t.Errorf("no since and until among %v", declared)
			}
			var selects int
			if err := db.QueryRow("SELECT json_array_length(json_serialize_sql(?::VARCHAR), '$.statements')", n.SQL).Scan(&selects); err != nil || selects != 1 {
				t.Errorf("%d SELECTs, %v", selects, err)
			}
			text, err := os.ReadFile(filepath.Join("named", n.Name+".sql"))
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.Split(string(text), "\n") {
				if line != strings.TrimRight(line, " \t\r") || strings.Contains(line, "\t") || len(line) > 140 {
					t.Errorf("line %d: %q", i+1, line)
				}
			}
			// A user can run the file itself with the parameters bound.
			rows, err := db.Query(string(text), arguments(n, nil)...)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFindNamed(t *testing.T) {
	n, err := query.FindNamed("top_pages")
	if err != nil || n.Name != "top_pages" || n.Title != "Top pages" || !strings.HasPrefix(n.Description, "Which pages were viewed most, ") ||
		!strings.HasPrefix(n.SQL, "SELECT properties") || strings.HasSuffix(n.SQL, ";") {
		t.Errorf("%+v, %v", n, err)
	}
	if p := n.Params[3]; p != (query.Param{Name: "limit", Type: "BIGINT", Default: "20", Description: "the maximum number of rows, from the top; all for all"}) {
		t.Errorf("%+v", p)
	}
	f, err := query.FindNamed("funnel")
	if p := f.Params[0]; err != nil || p.Type != "VARCHAR[]" || p.Default != "page_view,click,form_submit,purchase" || !strings.HasSuffix(p.Description, "separated by commas; a type with a comma goes in single quotes") {
		t.Errorf("%+v, %v", p, err)
	}
	for _, name := range []string{"", "top pages", "top_page", "../named/top_pages", "TOP_PAGES", "top_pages.sql"} {
		if _, err := query.FindNamed(name); !errors.Is(err, query.ErrNoNamed) || !strings.Contains(err.Error(), "events_per_hour, error_rate, daily_active_users") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestNamedRefusesInvalidValues: a value that is not of its parameter's type fails, and the error
// names it.
func TestNamedRefusesInvalidValues(t *testing.T) {
	path := file(t)
	insert(t, path, []event{{at: when("2026-01-20T10:00:00Z"), session: 1, user: 1, kind: "page_view"}, {at: when("2026-01-20T10:00:01Z"), session: 1, kind: "click"}})
	db := openDB(t, path, "UTC")
	all, err := query.NamedQueries()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		for _, p := range n.Params {
			invalid := map[string][]string{
				"TIMESTAMPTZ": {"nonsense", "2026-13-01", ""}, "BIGINT": {"nonsense", "1; DROP TABLE events", ""},
				"INTERVAL": {"5 nonsenses", ""}, "VARCHAR[]": {"page_view,'click"},
			}[p.Type]
			if p.Name == "by" {
				invalid = []string{"minute", ""}
			}
			if p.Name == "limit" {
				invalid = append(invalid, "-1")
			}
			for _, value := range invalid {
				result, err := askNamed(db, time.UTC, n.Name, map[string]string{p.Name: value})
				if err == nil {
					t.Errorf("%s --param %s=%q: %v", n.Name, p.Name, value, result)
				} else if len(value) > 2 && !strings.Contains(err.Error(), strings.Trim(value, "5 '")) {
					t.Errorf("%s --param %s=%q does not name the value: %v", n.Name, p.Name, value, err)
				}
			}
		}
	}
}

// TestNamedDocs: docs/queries.md describes each query and its parameters like the file, and shows
// results of the demo's events.
func TestNamedDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/queries.md")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pull(t, path, mockserver.New(mockserver.Options{Data: mockserver.DemoData(mockserver.ShapeLively, 300_000)}))
	session := open(t, path, "UTC")
	all, err := query.NamedQueries()
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(text), "\n## ")[1:]
	if len(sections) != len(all) {
		t.Fatalf("%d sections, %d queries", len(sections), len(all))
	}
	for i, n := range all {
		want := n.Name + "\n\n" + n.Title + ".\n\n" + n.Description + "\n\n| parameter | type | default | |\n|---|---|---|---|\n"
		for _, p := range n.Params {
			want += fmt.Sprintf("| `%s` | %s | `%s` | %s |\n", p.Name, p.Type, p.Default, p.Description)
		}
		section, examples, _ := strings.Cut(sections[i], "\n\n    $ ")
		if oneLine(section) != oneLine(want) {
			t.Errorf("docs/queries.md says\n%s\nwant\n%s", section, want)
		}
		for example := range strings.SplitSeq(examples, "\n\n    $ ") {
			command, result, _ := strings.Cut(example, "\n")
			params, ok := strings.CutPrefix(command, "datasync query --format csv --named "+n.Name)
			given := map[string]string{}
			for _, p := range n.Params {
				given[p.Name] = p.Default
			}
			for _, m := range paramOption.FindAllStringSubmatch(params, -1) {
				given[m[1]] = strings.Trim(m[2], "'")
			}
			if !ok || paramOption.ReplaceAllString(params, "") != "" {
				t.Errorf("command %q", command)
			}
			var b strings.Builder
			if err := query.Run(t.Context(), session, query.Options{SQL: n.SQL, Params: given, Format: query.CSV}, &b); err != nil {
				t.Errorf("%s: %v", command, err)
			}
			rows, _, _ := strings.Cut(result, "\n    datasync: ") // stderr is compared with the program
			if got, want := strings.TrimSpace(b.String()), strings.ReplaceAll(strings.TrimSpace(rows), "\n    ", "\n"); got != want {
				t.Errorf("%s: the program says\n%s\nthe docs\n%s", command, got, want)
			}
		}
	}
}

// paramOption matches a parameter in the docs' commands.
var paramOption = regexp.MustCompile(` --param ([a-z]+)=('[^']+'|[^ ']+)`)

// oneLine joins lines and removes the marks of parameters, $ in files and ` in docs.
func oneLine(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "`", ""), "$", "")
}

// TestListNamed: no line is wider than the terminal, and no value is cut.
func TestListNamed(t *testing.T) {
	for _, columns := range []int{0, 120, 80, 60, 41, 40, 30} {
		text, err := query.ListNamed(columns)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimRight(line, "\n"); columns > 0 && len(line) > columns {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
		for _, value := range []string{"form_submit", "purchase", "within=none", "until=infinity", "daily_active_users"} {
			if !strings.Contains(text, value) {
				t.Errorf("%d columns: no %s:\n%s", columns, value, text)
			}
		}
	}
}
