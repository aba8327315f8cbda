package export_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"datasync/export"
	"datasync/internal/dbfile"
	"datasync/internal/model"
	"datasync/internal/outfile"
	"datasync/internal/store"
	"datasync/internal/store/storetest"
)

// fixture is a database file to which batches can be added.
type fixture struct {
	t    testing.TB
	path string
	run  uuid.UUID
}

func newFixture(t testing.TB) *fixture {
	return &fixture{t, filepath.Join(t.TempDir(), "a.duckdb"), uuid.New()}
}

// commit adds each slice of events as a batch; the pull is in that state then.
func (f *fixture) commit(state model.State, batches ...[]model.Event) {
	f.t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{Path: f.path, Origin: "http://api.test:80"})
	if err != nil {
		f.t.Fatal(err)
	}
	windows, err := s.Windows(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	if len(windows) == 0 {
		k, err := s.OpenWindow(ctx, sql.Null[model.Instant]{}, sql.Null[model.Instant]{})
		if err != nil {
			f.t.Fatal(err)
		}
		windows = append(windows, k)
	}
	windows[0].State = state
	if len(batches) == 0 {
		batches = [][]model.Event{nil}
	}
	for _, events := range batches {
		b := model.Batch{Run: f.run, Pages: []model.Page{{Events: events}}, Checkpoint: windows[0]}
		if _, err := s.CommitBatch(ctx, b); err != nil {
			f.t.Fatal(err)
		}
	}
	if state == model.Done {
		if _, err := s.Settle(ctx, f.run, windows[0].Window); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		f.t.Fatal(err)
	}
}

// series returns the events from..to of storetest, which descend in time.
func series(from, to int) []model.Event {
	var events []model.Event
	for n := from; n < to; n++ {
		e := storetest.Event(n)
		e.Type = []string{"click", "view", "error"}[n%3]
		events = append(events, e)
	}
	return events
}

// database makes a file with so many events in batches that the store takes.
func database(t testing.TB, events int) *fixture {
	t.Helper()
	f := newFixture(t)
	var batches [][]model.Event
	for from := 0; from < events; from += model.MaxRows {
		batches = append(batches, series(from, min(events, from+model.MaxRows)))
	}
	f.commit(model.Done, batches...)
	return f
}

func (f *fixture) export(opts export.Options) (export.Result, error) {
	opts.Database, opts.Keep, opts.Scratch, opts.Tool = f.path, dbfile.FilesOf(f.path), f.t.TempDir(), "test"
	return export.Run(context.Background(), opts)
}

func (f *fixture) mustExport(opts export.Options) export.Result {
	f.t.Helper()
	result, err := f.export(opts)
	if err != nil {
		f.t.Fatal(err)
	}
	return result
}

// ask asks a DuckDB that knows nothing of us for one row.
func ask(t testing.TB, query string, args ...any) []string {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(query, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil || !rows.Next() {
		t.Fatal(query, err, rows.Err())
	}
	texts, targets := make([]string, len(columns)), make([]any, len(columns))
	for i := range texts {
		targets[i] = &texts[i]
	}
	if err := rows.Scan(targets...); err != nil {
		t.Fatal(query, err)
	}
	return texts
}

func equal(t testing.TB, what string, got []string, want ...any) {
	t.Helper()
	for i := range want {
		if got[i] != fmt.Sprint(want[i]) {
			t.Errorf("%s: %q, want %v", what, got, want)
			return
		}
	}
}

// ordered counts the rows of Parquet files that are older than the row before them in the
// same file.
const ordered = `SELECT count(*), count(DISTINCT id), count(*) FILTER (before IS NOT NULL AND (moment, id) < (before, id_before)) FROM (
	SELECT id, "timestamp" AS moment, lag("timestamp") OVER f AS before, lag(id) OVER f AS id_before
	FROM read_parquet(?, file_row_number = true, filename = true, hive_partitioning = false, union_by_name = true)
	WINDOW f AS (PARTITION BY filename ORDER BY file_row_number))`

func TestSizes(t *testing.T) {
	sizes := []int{0, 1, 3000, 122_879, 122_880, 122_881}
	if testing.Short() {
		sizes = []int{0, 1, 3000}
	}
	for _, events := range sizes {
		t.Run(fmt.Sprint(events), func(t *testing.T) {
			f := database(t, events)
			folder := t.TempDir()
			parquet := filepath.Join(folder, "it's ünï events.parquet")
			result := f.mustExport(export.Options{Target: parquet})
			info, err := os.Stat(parquet)
			if err != nil || result.Rows != int64(events) || result.Bytes != info.Size() || info.Mode().Perm() != 0o600 || !result.Pull.Complete {
				t.Errorf("%+v, %v, %v", result, info, err)
			}
			equal(t, "order", ask(t, ordered, parquet), events, events, 0)
			groups := (events + export.DefaultRowGroup - 1) / export.DefaultRowGroup
			equal(t, "row groups", ask(t, `SELECT num_rows, num_row_groups FROM parquet_file_metadata(?)`, parquet), events, groups)
			for _, format := range []export.Format{export.CSV, export.JSONLines} {
				target := filepath.Join(folder, format.String())
				if result := f.mustExport(export.Options{Target: target, Layout: export.Layout{Format: format}}); result.Rows != int64(events) {
					t.Errorf("%+v", result)
				}
				if lines := strings.Count(read(t, target), "\n"); lines != events+map[export.Format]int{export.CSV: 1}[format] {
					t.Errorf("%s: %d lines", format, lines)
				}
			}
			for i, layout := range []export.Layout{{PartitionBy: []string{"hour"}}, {FileSize: 1_000_000}} {
				target := filepath.Join(folder, fmt.Sprint(i))
				if result := f.mustExport(export.Options{Target: target, Layout: layout}); result.Rows != int64(events) {
					t.Errorf("%+v", result)
				}
				checkFolder(t, target, events)
			}
		})
	}
}

func read(t checker, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// odd are texts that break formats which do not take care.
var odd = []string{"", " ", "a", `"`, `""`, "'", ",", "a,b", "\n", "\r", "\r\n", "a\nb", "\t", `\`, `\n`, `\"`, "=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)",
	"NULL", "null", "true", "1", "01", "1e5", "ünï", "日本語", "😀", "\u202e", "\u0001", "\x7f", "{}", "[]", "/", "..", "a=b", "a/b", "%41", "__HIVE_DEFAULT_PARTITION__", "\ufeff"}

func drawText(t *rapid.T, name string) string {
	return rapid.OneOf(rapid.SampledFrom(odd), rapid.StringOfN(rapid.RuneFrom([]rune("a\"',\n\r\\=é😀 ")), 0, 12, -1)).Draw(t, name)
}

func drawEvent(t *rapid.T) model.Event {
	id := func(name string) uuid.UUID {
		return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name))
	}
	null := func(name string) sql.NullString {
		return sql.NullString{String: drawText(t, name), Valid: rapid.Bool().Draw(t, name+" is there")}
	}
	e := model.Event{ID: id("id"), SessionID: id("session"), Type: drawText(t, "type"), Name: null("name"), DeviceType: null("device"), Browser: null("browser"),
		Timestamp: model.Instant(rapid.OneOf(rapid.Int64Range(0, 7_258_118_399_999_999), rapid.SampledFrom([]int64{0, 1, 999_999, 1_000_000, 7_258_118_399_999_999})).Draw(t, "at")),
	}
	e.UserID = uuid.NullUUID{UUID: id("user"), Valid: rapid.Bool().Draw(t, "has user")}
	for _, member := range []*string{&e.Properties, &e.Extra} {
		if rapid.Bool().Draw(t, "has object") {
			b, err := json.Marshal(map[string]any{drawText(t, "key"): drawText(t, "value"), "n": rapid.Int64().Draw(t, "n")})
			if err != nil {
				t.Fatal(err)
			}
			*member = string(b)
		}
	}
	return e
}

// TestOddEvents compares what comes out with what went in, to each value.
func TestOddEvents(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		events := rapid.SliceOfNDistinct(rapid.Custom(drawEvent), 0, 20, func(e model.Event) uuid.UUID { return e.ID }).Draw(rt, "events")
		f := newFixture(t)
		f.commit(model.Done, events)
		want := map[string]model.Event{}
		for _, e := range events {
			want[e.ID.String()] = e
		}
		folder := t.TempDir()
		compareCSV(rt, f, filepath.Join(folder, "a.csv.gz"), want)
		compareJSONLines(rt, f, filepath.Join(folder, "a.jsonl"), want)
		parquet := filepath.Join(folder, "a.parquet")
		f.mustExport(export.Options{Target: parquet})
		compareDuckDB(rt, fmt.Sprintf("read_parquet('%s')", parquet), want)
		if len(events) == 0 {
			return
		}
		hive := filepath.Join(folder, "hive")
		f.mustExport(export.Options{Target: hive, Layout: export.Layout{PartitionBy: []string{"month", "browser"}}})
		checkFolder(rt, hive, len(events))
	})
}

func compareCSV(t *rapid.T, f *fixture, path string, want map[string]model.Event) {
	f.mustExport(export.Options{Target: path, Layout: export.Layout{Format: export.CSV}})
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(plain).ReadAll()
	if err != nil || len(records) != len(want)+1 || strings.Join(records[0], " ") != "id session_id user_id type name timestamp properties device_type browser extra batch" {
		t.Fatalf("%d records, %v: %q", len(records), err, records)
	}
	// Go's reader makes one character of \r\n.
	text := func(s sql.NullString) string { return strings.ReplaceAll(s.String, "\r\n", "\n") }
	for _, r := range records[1:] {
		e := want[r[0]]
		user := ""
		if e.UserID.Valid {
			user = e.UserID.UUID.String()
		}
		name, device, browser := e.Name, e.DeviceType, e.Browser
		for _, s := range []*sql.NullString{&name, &device, &browser} {
			if !s.Valid {
				s.String = ""
			}
		}
		wanted := []string{e.ID.String(), e.SessionID.String(), user, strings.ReplaceAll(e.Type, "\r\n", "\n"), text(name), e.Timestamp.Time().Format(time.RFC3339Nano),
			e.Properties, text(device), text(browser), e.Extra, "1"}
		if !slices.Equal(r, wanted) {
			t.Fatalf("CSV: %q, want %q", r, wanted)
		}
	}
}

func compareJSONLines(t *rapid.T, f *fixture, path string, want map[string]model.Event) {
	f.mustExport(export.Options{Target: path, Layout: export.Layout{Format: export.JSONLines}})
	d := json.NewDecoder(strings.NewReader(read(t, path)))
	d.DisallowUnknownFields()
	rows := 0
	for ; d.More(); rows++ {
		var got struct {
			ID, SessionID, UserID, Type, Name, Timestamp, DeviceType, Browser *string
			Properties, Extra                                                 *json.RawMessage
			Batch                                                             int64
		}
		var raw map[string]json.RawMessage
		if err := d.Decode(&raw); err != nil || len(raw) != 11 {
			t.Fatal(len(raw), err)
		}
		for name, target := range map[string]any{"id": &got.ID, "session_id": &got.SessionID, "user_id": &got.UserID, "type": &got.Type, "name": &got.Name,
			"timestamp": &got.Timestamp, "device_type": &got.DeviceType, "browser": &got.Browser, "properties": &got.Properties, "extra": &got.Extra, "batch": &got.Batch} {
			if err := json.Unmarshal(raw[name], target); err != nil {
				t.Fatal(name, err)
			}
		}
		e := want[*got.ID]
		same := *got.SessionID == e.SessionID.String() && (got.UserID != nil) == e.UserID.Valid && *got.Type == e.Type &&
			isText(got.Name, e.Name) && isText(got.DeviceType, e.DeviceType) && isText(got.Browser, e.Browser) &&
			*got.Timestamp == e.Timestamp.Time().Format(time.RFC3339Nano) && isJSON(got.Properties, e.Properties) && isJSON(got.Extra, e.Extra) && got.Batch == 1
		if !same {
			t.Fatalf("JSON: %s, want %+v", raw, e)
		}
	}
	if rows != len(want) {
		t.Fatalf("%d lines of JSON, want %d", rows, len(want))
	}
}

func isText(got *string, want sql.NullString) bool {
	return (got != nil) == want.Valid && (got == nil || *got == want.String)
}

func isJSON(got *json.RawMessage, want string) bool {
	if got == nil || string(*got) == "null" {
		return want == ""
	}
	return string(*got) == want
}

func compareDuckDB(t *rapid.T, relation string, want map[string]model.Event) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(`SELECT id::VARCHAR, session_id::VARCHAR, user_id::VARCHAR, type, name, epoch_us("timestamp"), coalesce(properties::VARCHAR, ''), device_type, browser, coalesce(extra::VARCHAR, '') FROM ` + relation)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	n := 0
	for ; rows.Next(); n++ {
		var id, session string
		var user sql.NullString
		var got model.Event
		if err := rows.Scan(&id, &session, &user, &got.Type, &got.Name, &got.Timestamp, &got.Properties, &got.DeviceType, &got.Browser, &got.Extra); err != nil {
			t.Fatal(err)
		}
		e := want[id]
		got.ID, got.SessionID, got.UserID = e.ID, uuid.MustParse(session), uuid.NullUUID{Valid: user.Valid}
		for _, s := range []*sql.NullString{&e.Name, &e.DeviceType, &e.Browser} {
			if !s.Valid {
				s.String = ""
			}
		}
		if !user.Valid {
			e.UserID.UUID = uuid.Nil
		} else {
			got.UserID.UUID = uuid.MustParse(user.String)
		}
		if got != e {
			t.Fatalf("%s: %+v, want %+v", relation, got, e)
		}
	}
	if err := rows.Err(); err != nil || n != len(want) {
		t.Fatalf("%s: %d rows, %v; want %d", relation, n, err, len(want))
	}
}

func TestParquetForms(t *testing.T) {
	f := database(t, 5000)
	for _, compression := range []string{"zstd", "snappy", "gzip", "lz4", "brotli", "none"} {
		target := filepath.Join(t.TempDir(), "a.parquet")
		f.mustExport(export.Options{Target: target, Layout: export.Layout{Compression: compression, RowGroup: 2048}})
		want := strings.ToUpper(map[string]string{"none": "uncompressed", "lz4": "lz4_raw"}[compression])
		if want == "" {
			want = strings.ToUpper(compression)
		}
		equal(t, compression, ask(t, `SELECT any_value(compression), count(DISTINCT compression), count(DISTINCT row_group_id), count(stats_min_value) FILTER (path_in_schema = 'timestamp') FROM parquet_metadata(?)`, target), want, 1, 3, 3)
		equal(t, "order", ask(t, ordered, target), 5000, 5000, 0)
	}
	const schema = `SELECT string_agg(name || ':' || type || ':' || coalesce(logical_type, ''), ' ' ORDER BY name) FROM parquet_schema(?) WHERE name IN ('id', 'timestamp', 'properties', 'name')`
	for uuidText, want := range map[bool]string{
		false: "id:FIXED_LEN_BYTE_ARRAY:UUIDType()",
		true:  "id:BYTE_ARRAY:",
	} {
		target := filepath.Join(t.TempDir(), "a.parquet")
		f.mustExport(export.Options{Target: target, Layout: export.Layout{UUIDText: uuidText}})
		got := ask(t, schema, target)[0]
		if !strings.Contains(got, want) || !strings.Contains(got, "isAdjustedToUTC=1") || !strings.Contains(got, "MICROS=MicroSeconds") {
			t.Errorf("%s, want %s", got, want)
		}
		equal(t, "ids", ask(t, "SELECT count(DISTINCT id::UUID) FROM read_parquet(?)", target), 5000)
	}
}

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

func TestWhatIsNoSelection(t *testing.T) {
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
	// What is one SELECT and reaches for what is not its own.
	for _, query := range []string{"SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "SELECT nothing FROM events", "SELECT getenv('HOME')"} {
		if _, err := f.export(export.Options{Target: filepath.Join(t.TempDir(), "a"), Selection: export.Selection{Query: query}}); err == nil {
			t.Errorf("%s was exported", query)
		}
	}
}

func TestLayoutsThatCannotBe(t *testing.T) {
	f := database(t, 10)
	for name, opts := range map[string]export.Options{
		"CSV with row groups":          {Layout: export.Layout{Format: export.CSV, RowGroup: 5000}},
		"CSV with forms of UUIDs":      {Layout: export.Layout{Format: export.CSV, UUIDText: true}},
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

func TestTypesOfQueries(t *testing.T) {
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
		"17014118346046923173168730371588410572", "DECIMAL(38,0)", "TIMESTAMP WITH TIME ZONE", "UUID")
}

func TestOrderOfQueries(t *testing.T) {
	f := database(t, 3000)
	for _, layout := range []export.Layout{{Format: export.CSV}, {Format: export.JSONLines}, {}} {
		target := filepath.Join(t.TempDir(), "a")
		f.mustExport(export.Options{Target: target, Selection: export.Selection{Query: "SELECT id FROM events ORDER BY id DESC"}, Layout: layout})
		reader := map[export.Format]string{export.CSV: "read_csv(?)", export.JSONLines: "read_json(?, format = 'newline_delimited')", export.Parquet: "read_parquet(?)"}[layout.Format]
		equal(t, layout.Format.String(), ask(t, "SELECT count(*), count(*) FILTER (id > before) FROM (SELECT id, lag(id) OVER () AS before FROM "+reader+")", target), 3000, 0)
	}
}

func TestSafeFromFormulas(t *testing.T) {
	f := newFixture(t)
	e := storetest.Event(0)
	e.Type, e.Name, e.Browser = "=1+1", sql.NullString{String: "@SUM(1)", Valid: true}, sql.NullString{String: "a=1", Valid: true}
	e.DeviceType = sql.NullString{String: "\t=1", Valid: true}
	f.commit(model.Done, []model.Event{e})
	target := filepath.Join(t.TempDir(), "a.csv")
	for safe, want := range map[bool]string{true: "'=1+1,'@SUM(1),", false: "=1+1,@SUM(1),"} {
		f.mustExport(export.Options{Target: target, Force: true, Layout: export.Layout{Format: export.CSV, Safe: safe}})
		if text := read(t, target); !strings.Contains(text, ","+want) || !strings.Contains(text, ",a=1,") || strings.Contains(text, "'\t=1") != safe {
			t.Errorf("%v: %s", safe, text)
		}
	}
	f.mustExport(export.Options{Target: target, Force: true, Selection: export.Selection{Query: `SELECT -1 AS n, -1.5 AS d, '-1' AS "=t", NULL::VARCHAR AS e`}, Layout: export.Layout{Format: export.CSV, Safe: true}})
	if text := read(t, target); text != "n,d,'=t,e\n-1,-1.5,'-1,\n" {
		t.Errorf("%q", text)
	}
	f.mustExport(export.Options{Target: target, Force: true, Layout: export.Layout{Format: export.CSV, Safe: true}, Selection: export.Selection{
		Query: `SELECT unnest(['=', '+', '-', '@', chr(9), chr(10), chr(13), chr(0), '＝', '＋', '－', '＠', '', 'a', 'é']) || '1' AS "＝t"`}})
	if text := read(t, target); strings.Count(text, "'") != 13 || !strings.HasPrefix(text, "'＝t\n") || !strings.HasSuffix(text, "'＠1\n1\na1\né1\n") {
		t.Errorf("%q", text)
	}
}

func TestCompressedTexts(t *testing.T) {
	f := database(t, 500)
	for _, format := range []export.Format{export.CSV, export.JSONLines} {
		plain := filepath.Join(t.TempDir(), "a")
		f.mustExport(export.Options{Target: plain, Layout: export.Layout{Format: format}})
		for name, compression := range map[string]string{"a.gz": "", "a.ZST": "", "b": "gzip", "c.gz": "zstd", "d.gz": "none"} {
			target := filepath.Join(t.TempDir(), name)
			f.mustExport(export.Options{Target: target, Layout: export.Layout{Format: format, Compression: compression}})
			want := map[string]string{"a.gz": "gzip", "a.ZST": "zstd", "b": "gzip", "c.gz": "zstd", "d.gz": "none"}[name]
			magic := map[string]string{"gzip": "\x1f\x8b", "zstd": "\x28\xb5\x2f\xfd", "none": read(t, plain)}[want]
			if text := read(t, target); !strings.HasPrefix(text, magic) {
				t.Errorf("%s: %q", name, text[:10])
			}
			equal(t, name, ask(t, fmt.Sprintf("SELECT count(*) FROM read_csv('%s', compression = '%s', header = false, columns = {'line': 'VARCHAR'}, delim = chr(1), quote = '', escape = '')", target, want)),
				500+map[export.Format]int{export.CSV: 1}[format])
		}
	}
}

func TestIncompletePull(t *testing.T) {
	f := newFixture(t)
	f.commit(model.UnderWay, series(0, 5))
	result := f.mustExport(export.Options{Target: filepath.Join(t.TempDir(), "a.parquet")})
	if result.Pull.Complete || result.Rows != 5 || result.Pull.Status.Windows[0].State != model.UnderWay {
		t.Errorf("%+v", result)
	}
}

// A file of the first schema has no status that could say what is missing.
func TestOlderFile(t *testing.T) {
	script, err := os.ReadFile("../internal/store/migrations/0001_init.sql")
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	db, err := sql.Open("duckdb", f.path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(string(script) + `; INSERT INTO meta VALUES ('application', 'datasync'), ('schema_version', '1'), ('origin', 'http://old.test:80');
		INSERT INTO events (id, session_id, type, "timestamp", batch) SELECT uuid(), uuid(), 'click', make_timestamptz(n), 1 FROM range(1, 500) r(n);
		INSERT INTO checkpoint SELECT 1, 'done', make_timestamptz(500), NULL, NULL, NULL, NULL, NULL, 1, 499, 499, 499, false, now();
		INSERT INTO page_log SELECT 1, uuid(), 1, 'events', NULL, NULL, NULL, make_timestamptz(499), NULL, make_timestamptz(1), NULL, 499, 499, 0, 0, 0, false`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "a")
	result := f.mustExport(export.Options{Target: target, Layout: export.Layout{PartitionBy: []string{"day"}}})
	if !result.Pull.Complete || result.Pull.Status != nil || result.Pull.Origin != "http://old.test:80" {
		t.Errorf("%+v", result)
	}
	if m := checkFolder(t, target, 499); !m.Complete || m.Missing != nil {
		t.Errorf("%+v", m)
	}
}

func TestTargetStaysWhereExportFails(t *testing.T) {
	f := database(t, 5000)
	for _, layout := range []export.Layout{{}, {Format: export.CSV}, {PartitionBy: []string{"type"}}} {
		folder := t.TempDir()
		target := filepath.Join(folder, "a")
		opts := export.Options{Target: target, Layout: layout, Force: true, Database: f.path, Keep: dbfile.FilesOf(f.path)}
		f.mustExport(opts)
		before := tree(t, folder)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := export.Run(ctx, opts); !errors.Is(err, context.Canceled) {
			t.Errorf("ended before it began: %v", err)
		}
		opts.Query = "SELECT type, error('no ' || type) AS e FROM events"
		if _, err := f.export(opts); err == nil {
			t.Error("exported an error")
		}
		opts.Selection = export.Selection{}
		opts.Database = filepath.Join(folder, "missing.duckdb")
		if _, err := export.Run(context.Background(), opts); !errors.Is(err, dbfile.ErrMissing) {
			t.Error(err)
		}
		if after := tree(t, folder); after != before {
			t.Errorf("%s, before %s", after, before)
		}
	}
	for _, target := range []string{f.path, f.path + ".wal", f.path + ".lock", filepath.Dir(f.path) + "/./a.duckdb"} {
		before := read(t, f.path)
		if _, err := f.export(export.Options{Target: target, Force: true}); !errors.Is(err, outfile.ErrTarget) {
			t.Errorf("%s: %v", target, err)
		}
		if read(t, f.path) != before {
			t.Error("the database has changed")
		}
	}
}

// tree is all that is in a folder, with sizes, times and contents.
func tree(t testing.TB, folder string) string {
	t.Helper()
	var b bytes.Buffer
	err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			if relative != "." {
				fmt.Fprintf(&b, "%s/ ", relative)
			}
			return nil
		}
		fmt.Fprintf(&b, "%s %d %d %x; ", relative, info.Size(), info.ModTime().UnixNano(), sum(read(t, path)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
