package export_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/export"
	"datasync/internal/model"
	"datasync/internal/store/storetest"
)

func TestSelections(t *testing.T) {
	f := database(t, 3000)
	at := func(n int) sql.Null[model.Instant] {
		return sql.Null[model.Instant]{V: storetest.Event(n).Timestamp, Valid: true}
	}
	for _, tc := range []struct {
		name      string
		selection export.Selection
		rows      int64
	}{
		{"all", export.Selection{}, 3000},
		{"since, with that instant", export.Selection{Since: at(99)}, 100},
		{"until, without that instant", export.Selection{Until: at(99)}, 2900},
		{"both", export.Selection{Since: at(199), Until: at(99)}, 100},
		{"nothing", export.Selection{Since: at(0), Until: sql.Null[model.Instant]{V: at(0).V + 1, Valid: true}, Where: "false"}, 0},
		{"where", export.Selection{Where: "type = 'click'"}, 1000},
		{"where with a comment", export.Selection{Where: "type = 'click' -- or 'view'"}, 1000},
		{"where of two", export.Selection{Where: "type = 'click' OR type = 'view'", Since: at(299)}, 200},
		{"where with a query in it", export.Selection{Where: `"timestamp" >= (SELECT max("timestamp") FROM events) - INTERVAL 9 MILLISECONDS`}, 10},
		{"query", export.Selection{Query: "SELECT type, count(*) AS n FROM events GROUP BY type"}, 3},
		{"query that ends in a semicolon", export.Selection{Query: "FROM events LIMIT 7; -- seven"}, 7},
		{"query of VALUES", export.Selection{Query: "VALUES (1), (2)"}, 2},
		{"query with columns of one name", export.Selection{Query: "SELECT 1 AS a, 2 AS a, 3 AS \"timestamp\""}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for i, layout := range []export.Layout{{}, {Format: export.CSV}, {Format: export.JSONLines}, {FileSize: 1_000_000}} {
				target := filepath.Join(t.TempDir(), "a")
				if result := f.mustExport(export.Options{Target: target, Selection: tc.selection, Layout: layout}); result.Rows != tc.rows {
					t.Errorf("%d: %d rows, want %d", i, result.Rows, tc.rows)
				}
			}
		})
	}
}

func TestInvalidSelections(t *testing.T) {
	f := database(t, 10)
	for name, selection := range map[string]export.Selection{
		"two statements":          {Query: "SELECT 1; SELECT 2"},
		"a statement behind":      {Query: "SELECT 1; DROP TABLE events"},
		"a COPY":                  {Query: "COPY events TO '/tmp/datasync-never'"},
		"an INSERT":               {Query: "INSERT INTO meta VALUES ('a', 'b')"},
		"a PRAGMA":                {Query: "PRAGMA version"},
		"an EXPLAIN":              {Query: "EXPLAIN SELECT 1"},
		"a parenthesis too many":  {Query: "SELECT 1) TO '/tmp/datasync-never' (FORMAT csv"},
		"nothing":                 {Query: " "},
		"a comment":               {Query: "-- SELECT 1"},
		"NUL":                     {Query: "SELECT 1\x00"},
		"a parameter":             {Query: "SELECT $a"},
		"no condition":            {Where: "type ="},
		"more than a condition":   {Where: "true ORDER BY id"},
		"a limit":                 {Where: "true LIMIT 1"},
		"a group":                 {Where: "true GROUP BY ALL"},
		"a sample":                {Where: "true USING SAMPLE 1"},
		"a union":                 {Where: "true UNION ALL SELECT 1"},
		"parentheses":             {Where: "true) OR (true"},
		"a condition with a NUL":  {Where: "true\x00"},
		"a condition and more":    {Where: "true; SELECT 1"},
		"a condition and a query": {Where: "true", Query: "SELECT 1"},
		"an end before":           {Since: sql.Null[model.Instant]{V: 2, Valid: true}, Until: sql.Null[model.Instant]{V: 2, Valid: true}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if _, err := f.export(export.Options{Target: filepath.Join(folder, "a"), Selection: selection}); !errors.Is(err, export.ErrOptions) {
				t.Errorf("%v, want %v", err, export.ErrOptions)
			}
			if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
				t.Errorf("%v, %v", left, err)
			}
		})
	}
	// A single SELECT that reads other files.
	for _, query := range []string{"SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "SELECT nothing FROM events", "SELECT getenv('HOME')"} {
		if _, err := f.export(export.Options{Target: filepath.Join(t.TempDir(), "a"), Selection: export.Selection{Query: query}}); err == nil {
			t.Errorf("%s was exported", query)
		}
	}
}

func TestInvalidLayouts(t *testing.T) {
	f := database(t, 10)
	for name, opts := range map[string]export.Options{
		"CSV with row groups":          {Layout: export.Layout{Format: export.CSV, RowGroup: 5000}},
		"CSV with forms of UUIDs":      {Layout: export.Layout{Format: export.CSV, UUID: "string"}},
		"CSV with types":               {Layout: export.Layout{Format: export.CSV, Types: export.Portable}},
		"unknown types":                {Layout: export.Layout{Types: "physical"}},
		"an unknown form of UUIDs":     {Layout: export.Layout{UUID: "blob"}},
		"types in two ways":            {Layout: export.Layout{Types: export.Logical, UUID: "uuid"}},
		"an interval, logically":       {Layout: export.Layout{Types: export.Logical}, Selection: export.Selection{Query: "SELECT INTERVAL 1 DAY AS i"}},
		"an interval in a list":        {Layout: export.Layout{Types: export.Logical}, Selection: export.Selection{Query: "SELECT [{'a': INTERVAL 1 DAY}] AS i"}},
		"a time with an offset":        {Layout: export.Layout{Types: export.Logical}, Selection: export.Selection{Query: "SELECT '12:00:00+05'::TIMETZ AS t"}},
		"Parquet safe from formulas":   {Layout: export.Layout{Safe: true}},
		"an unknown compression":       {Layout: export.Layout{Compression: "zip"}},
		"brotli for CSV":               {Layout: export.Layout{Format: export.CSV, Compression: "brotli"}},
		"a tiny row group":             {Layout: export.Layout{RowGroup: 1}},
		"a tiny file size":             {Layout: export.Layout{FileSize: 1}},
		"an unknown column":            {Layout: export.Layout{PartitionBy: []string{"nothing"}}},
		"a column twice":               {Layout: export.Layout{PartitionBy: []string{"type", "TYPE"}}},
		"a span of a query without it": {Selection: export.Selection{Query: "SELECT 1 AS a"}, Layout: export.Layout{PartitionBy: []string{"day"}}},
		"all columns":                  {Selection: export.Selection{Query: "SELECT 1 AS a"}, Layout: export.Layout{PartitionBy: []string{"a"}}},
		"more than 10,000 folders":     {Selection: export.Selection{Query: "SELECT n, 1 AS a FROM range(10001) r(n)"}, Layout: export.Layout{PartitionBy: []string{"n"}}},
		"Parquet on stdout":            {Stdout: io.Discard},
		"a folder on stdout":           {Stdout: io.Discard, Layout: export.Layout{Format: export.CSV, PartitionBy: []string{"type"}}},
		"a query, incrementally":       {Selection: export.Selection{Query: "SELECT 1"}, Incremental: true},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			opts.Target = filepath.Join(folder, "a")
			if _, err := f.export(opts); !errors.Is(err, export.ErrOptions) {
				t.Errorf("%v, want %v", err, export.ErrOptions)
			}
			if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
				t.Errorf("%v, %v", left, err)
			}
		})
	}
}

func TestQueryTypes(t *testing.T) {
	f := database(t, 1)
	const query = `SELECT TIMESTAMPTZ '2026-01-31 12:00:00.5+02' AS z, TIMESTAMP '2026-01-31 12:00:00' AS t, TIMESTAMPTZ 'infinity' AS i, 'nan'::DOUBLE AS d, 1.5::FLOAT AS f,
		170141183460469231731687303715884105727::HUGEINT // 10 AS h, 1.50::DECIMAL(9, 2) AS c, [1, 2] AS l, {'a': 'b'} AS s, '{"a":1}'::JSON AS j, 'a\x00'::BLOB AS b, uuid() AS u, NULL AS n`
	opts := export.Options{Target: filepath.Join(t.TempDir(), "a"), Selection: export.Selection{Query: query}}
	opts.Format = export.JSONLines
	f.mustExport(opts)
	var got map[string]any
	d := json.NewDecoder(strings.NewReader(read(t, opts.Target)))
	d.UseNumber()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"z": "2026-01-31T10:00:00.5Z", "t": "2026-01-31T12:00:00", "i": "infinity", "d": "nan", "f": "1.5", "h": "17014118346046923173168730371588410572",
		"c": "1.5", "l": "[1 2]", "s": "map[a:b]", "j": "map[a:1]", "n": "<nil>"} {
		if fmt.Sprint(got[name]) != want {
			t.Errorf("%s is %v, want %s", name, got[name], want)
		}
	}
	opts.Format, opts.Force = export.CSV, true
	f.mustExport(opts)
	if text := read(t, opts.Target); !strings.Contains(text, "\n2026-01-31T10:00:00.5Z,2026-01-31T12:00:00,infinity,nan,1.5,17014118346046923173168730371588410572,1.50,\"[1, 2]\",{'a': b},\"{\"\"a\"\":1}\",a") {
		t.Error(text)
	}
	opts.Format = export.Parquet
	f.mustExport(opts)
	equal(t, "a sum is exact", ask(t, "SELECT h::VARCHAR, typeof(h), typeof(z), typeof(u) FROM read_parquet(?)", opts.Target),
		"17014118346046923173168730371588410572", "DECIMAL(38,0)", "TIMESTAMP WITH TIME ZONE", "VARCHAR")
}

func TestQueryOrder(t *testing.T) {
	f := database(t, 3000)
	for _, layout := range []export.Layout{{Format: export.CSV}, {Format: export.JSONLines}, {}} {
		target := filepath.Join(t.TempDir(), "a")
		f.mustExport(export.Options{Target: target, Selection: export.Selection{Query: "SELECT id FROM events ORDER BY id DESC"}, Layout: layout})
		reader := map[export.Format]string{export.CSV: "read_csv(?)", export.JSONLines: "read_json(?, format = 'newline_delimited')", export.Parquet: "read_parquet(?)"}[layout.Format]
		equal(t, layout.Format.String(), ask(t, "SELECT count(*), count(*) FILTER (id > before) FROM (SELECT id, lag(id) OVER () AS before FROM "+reader+")", target), 3000, 0)
	}
}
