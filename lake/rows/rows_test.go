package rows_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"datasync/internal/duck"
	"datasync/internal/inspect"
	"datasync/internal/model"

	"datasync/lake/laketest"
	"datasync/lake/rows"
)

const origin = "https://api.example.com"

// columns gives columns their own names, and ids from 101 on.
func columns(names ...string) (all []rows.Column) {
	for i, name := range names {
		all = append(all, rows.Column{Name: name, As: name, ID: 101 + i})
	}
	return all
}

func eventColumns() []rows.Column {
	return columns("id", "session_id", "user_id", "type", "name", "timestamp", "properties", "device_type", "browser", "extra", "batch", rows.OriginColumn)
}

func open(t *testing.T, f laketest.File) (s *rows.Source, staging string) {
	t.Helper()
	staging = t.TempDir()
	s, err := rows.Open(t.Context(), rows.Options{Path: f.Path, Name: "events.duckdb", Staging: staging})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(staging, ".spill")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder for sorts is left: %v", err)
		}
	})
	return s, staging
}

// lake opens the files as the view lake, beside the tables of the file.
func lake(t *testing.T, f laketest.File, files []rows.File) *sql.DB {
	t.Helper()
	db, err := duck.OpenInstance(t.Context(), ":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	paths := make([]string, len(files))
	for i, file := range files {
		paths[i] = duck.Quote(file.Path)
	}
	db.SetMaxOpenConns(1)
	for _, statement := range []string{
		"SET TimeZone = 'UTC'", "ATTACH " + duck.Quote(f.Path) + " AS db (READ_ONLY)",
		"CREATE VIEW lake AS SELECT * FROM read_parquet([" + strings.Join(paths, ", ") + "], filename = true)",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func ask[T any](t *testing.T, db *sql.DB, query string) (v T) {
	t.Helper()
	if err := db.QueryRowContext(context.WithoutCancel(t.Context()), query).Scan(&v); err != nil {
		t.Fatalf("%v in %s", err, query)
	}
	return v
}

// differences counts the rows that only one side has.
const differences = `WITH a AS (SELECT id::VARCHAR AS id, session_id::VARCHAR AS s, user_id::VARCHAR AS u, type, name, epoch_us("timestamp") AS us, properties::VARCHAR AS p, device_type, browser, extra::VARCHAR AS x, batch FROM db.events WHERE batch > %d AND batch <= %d),
	b AS (SELECT id::VARCHAR, session_id::VARCHAR, user_id::VARCHAR, type, name, epoch_us("timestamp"), properties, device_type, browser, extra, batch FROM lake)
	SELECT (SELECT count(*) FROM (FROM a EXCEPT ALL FROM b)) + (SELECT count(*) FROM (FROM b EXCEPT ALL FROM a))`

// extremes are the first and last instants of a file, and of days.
var extremes = []string{
	"290309-12-22 (BC) 00:00:00", "0044-03-15 (BC) 12:00:00.000001", "0001-01-01 00:00:00", "1582-10-15 00:00:00", "1969-12-31 23:59:59.999999",
	"1970-01-01 00:00:00", "1970-01-01 23:59:59.999999", "1970-01-02 00:00:00", "2016-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999", "294247-01-10 04:00:54.775806",
}

// extreme makes a file with events of ordinary and extreme instants.
func extreme(t *testing.T) laketest.File {
	t.Helper()
	f := laketest.NewFile(t, origin)
	f.Add(t, 3, 1000, 5)
	for i, instant := range extremes {
		f.Exec(t, fmt.Sprintf(`INSERT INTO events VALUES (md5('x%d')::UUID, md5('s')::UUID, NULL, 'odd', NULL, '%s+00'::TIMESTAMPTZ, NULL, NULL, NULL, NULL, 2)`, i, instant))
	}
	return f
}

func TestWriteByDay(t *testing.T) {
	f := extreme(t)
	s, staging := open(t, f)
	checked, err := s.Checked(t.Context())
	if err != nil || checked != 3 {
		t.Fatalf("checked %d, %v", checked, err)
	}
	total, checksum, err := s.UpTo(t.Context(), checked)
	if err != nil || total != int64(3000+len(extremes)) {
		t.Fatalf("%d rows, %v", total, err)
	}
	first, sumFirst, err1 := s.UpTo(t.Context(), 1)
	rest, sumRest, err2 := s.Between(t.Context(), 1, checked)
	counted, err3 := s.Count(t.Context(), 1, checked)
	if err := errors.Join(err1, err2, err3); err != nil || first+rest != total || counted != rest || (sumFirst+sumRest)&(1<<63-1) != checksum {
		t.Errorf("%d and %d rows of %d, checksums %d and %d of %d, %v", first, rest, total, sumFirst, sumRest, checksum, err)
	}
	var reported int64
	files, err := s.Write(t.Context(), rows.Part{After: 0, UpTo: checked, Columns: eventColumns(), FileRows: 300, Wrote: func(n int64) { reported += n },
		Name: func(day string, n int) string { return fmt.Sprintf("data/timestamp_day=%s/f-%d.parquet", day, n) }})
	if err != nil {
		t.Fatal(err)
	}
	var sum, bytes int64
	for i, file := range files {
		sum, bytes = sum+file.Rows, bytes+file.Bytes
		info, err := os.Stat(file.Path)
		if want := filepath.Join(staging, "data", "timestamp_day="+file.Day, fmt.Sprintf("f-%d.parquet", i)); err != nil || info.Size() != file.Bytes || file.Path != want {
			t.Errorf("file %+v, %v, want %s", file, err, want)
		}
		if file.Rows > 300 || file.Rows == 0 {
			t.Errorf("%s has %d rows", file.Path, file.Rows)
		}
	}
	if sum != total || reported != total {
		t.Errorf("the files have %d rows, %d were reported, want %d", sum, reported, total)
	}
	db := lake(t, f, files)
	if n := ask[int64](t, db, fmt.Sprintf(differences, 0, checked)); n != 0 {
		t.Errorf("%d rows differ", n)
	}
	if n := ask[int64](t, db, "SELECT count(DISTINCT origin) FROM lake WHERE origin = "+duck.Quote(origin)); n != 1 {
		t.Error("the column origin has another value")
	}
	// Each file has one day, the one of its name, and is sorted.
	for _, file := range files {
		path := duck.Quote(file.Path)
		days := ask[string](t, db, `SELECT string_agg(DISTINCT (CASE WHEN us >= 0 THEN us // 86400000000 ELSE -1 - (-1 - us) // 86400000000 END)::VARCHAR, ' ') FROM (SELECT epoch_us("timestamp") AS us FROM `+path+")")
		if days != fmt.Sprint(file.Days) {
			t.Errorf("%s has the days %s, want %d", file.Path, days, file.Days)
		}
		if n := ask[int64](t, db, `SELECT count(*) FROM (SELECT "timestamp" AS a, id, lag("timestamp") OVER (ORDER BY file_row_number) AS b, lag(id) OVER (ORDER BY file_row_number) AS i FROM read_parquet(`+path+`, file_row_number = true)) WHERE b IS NOT NULL AND (a, id) < (b, i)`); n != 0 {
			t.Errorf("%s has %d rows out of order", file.Path, n)
		}
	}
	if !slices.IsSortedFunc(files, func(a, b rows.File) int { return int(a.Days - b.Days) }) {
		t.Error("the files are not in the order of their days")
	}
}

// TestTypes compares Parquet's types and field ids with Iceberg's specification.
func TestTypes(t *testing.T) {
	f := extreme(t)
	s, _ := open(t, f)
	for _, c := range []struct {
		as rows.UUIDType
		id string
	}{{"", "BYTE_ARRAY UTF8"}, {rows.UUIDAsString, "BYTE_ARRAY UTF8"}, {rows.UUIDAsUUID, "FIXED_LEN_BYTE_ARRAY UUID"}} {
		files, err := s.Write(t.Context(), rows.Part{UpTo: 3, Columns: eventColumns(), UUID: c.as, PartitionBy: rows.Unpartitioned,
			Name: func(day string, n int) string { return fmt.Sprintf("%s%s/%d.parquet", c.as, day, n) }})
		if err != nil || len(files) != 1 || files[0].Day != "" {
			t.Fatalf("%+v, %v", files, err)
		}
		db := lake(t, f, files)
		if n := ask[int64](t, db, fmt.Sprintf(differences, 0, 3)); n != 0 {
			t.Errorf("%s: %d rows differ", c.as, n)
		}
		got := ask[string](t, db, `SELECT string_agg(name || ' ' || field_id || ' ' || type || ' ' || coalesce(converted_type, regexp_replace(logical_type, 'Type\(.*', ''), ''), ', ' ORDER BY field_id)
			FROM parquet_schema(`+duck.Quote(files[0].Path)+`) WHERE field_id IS NOT NULL`)
		text := "BYTE_ARRAY UTF8"
		want := fmt.Sprintf("id 101 %[1]s, session_id 102 %[1]s, user_id 103 %[1]s, type 104 %[2]s, name 105 %[2]s, timestamp 106 INT64 TIMESTAMP_MICROS, properties 107 %[2]s, device_type 108 %[2]s, browser 109 %[2]s, extra 110 %[2]s, batch 111 INT64 INT_64, origin 112 %[2]s", c.id, text)
		if got != want {
			t.Errorf("%q\nwant %q", got, want)
		}
		if utc := ask[string](t, db, `SELECT logical_type FROM parquet_schema(`+duck.Quote(files[0].Path)+`) WHERE name = 'timestamp'`); !strings.Contains(utc, "isAdjustedToUTC=1") || !strings.Contains(utc, "MICROS") {
			t.Errorf("timestamp is %s", utc)
		}
	}
}

// TestNames: the files have the table's current column names.
func TestNames(t *testing.T) {
	f := extreme(t)
	s, _ := open(t, f)
	odd := []rows.Column{{Name: "timestamp", As: `wann "genau"; --`, ID: 7}, {Name: "id", As: "Größe", ID: 3}, {Name: "batch", As: "rowid", ID: 1}}
	files, err := s.Write(t.Context(), rows.Part{After: 1, UpTo: 2, Columns: odd})
	if err != nil {
		t.Fatal(err)
	}
	db := lake(t, f, files)
	if n := ask[int64](t, db, `SELECT count(DISTINCT "Größe") FROM lake WHERE "rowid" = 2 AND "wann ""genau""; --" IS NOT NULL`); n != int64(1000+len(extremes)) {
		t.Errorf("%d rows", n)
	}
	for what, wrong := range map[string][]rows.Column{
		"a column that is not there": columns("id", "nothing"), "no name": {{Name: "id", ID: 1}},
		"one name twice": {{Name: "id", As: "a", ID: 1}, {Name: "type", As: "A", ID: 2}}, "one id twice": {{Name: "id", As: "a", ID: 1}, {Name: "type", As: "b", ID: 1}},
	} {
		if _, err := s.Write(t.Context(), rows.Part{UpTo: 3, Columns: wrong}); !errors.Is(err, rows.ErrColumn) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestManyDays(t *testing.T) {
	f := laketest.NewFile(t, origin)
	f.Exec(t, `INSERT INTO events SELECT md5(i::VARCHAR)::UUID, md5('s')::UUID, NULL, 'far', NULL, make_timestamptz(i * 86400000000 * 37), NULL, NULL, NULL, NULL, 1 FROM range(-200, 200) t(i)`)
	s, _ := open(t, f)
	files, err := s.Write(t.Context(), rows.Part{UpTo: 1, Columns: eventColumns()})
	if err != nil || len(files) != 400 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	if n := ask[int64](t, lake(t, f, files), fmt.Sprintf(differences, 0, 1)); n != 0 {
		t.Errorf("%d rows differ", n)
	}
	whole, err := s.Write(t.Context(), rows.Part{UpTo: 1, Columns: eventColumns(), PartitionBy: rows.Unpartitioned,
		Name: func(string, int) string { return "whole.parquet" }})
	if err != nil || len(whole) != 1 {
		t.Fatalf("%d files, %v", len(whole), err)
	}
	if n := ask[int64](t, lake(t, f, whole), fmt.Sprintf(differences, 0, 1)); n != 0 {
		t.Errorf("%d rows differ", n)
	}
}

// TestOneInstant: rows of the same instant stay in one file.
func TestOneInstant(t *testing.T) {
	f := laketest.NewFile(t, origin)
	f.Exec(t, `INSERT INTO events SELECT md5(i::VARCHAR)::UUID, md5('s')::UUID, NULL, 'same', NULL, make_timestamptz(1 + i // 50), NULL, NULL, NULL, NULL, 1 FROM range(200) t(i)`)
	s, _ := open(t, f)
	files, err := s.Write(t.Context(), rows.Part{UpTo: 1, Columns: eventColumns(), FileRows: 20})
	if err != nil || len(files) != 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	if n := ask[int64](t, lake(t, f, files), fmt.Sprintf(differences, 0, 1)); n != 0 {
		t.Errorf("%d rows differ", n)
	}
}

func TestNothing(t *testing.T) {
	s, staging := open(t, laketest.NewFile(t, origin))
	if checked, err := s.Checked(t.Context()); err != nil || checked != 0 {
		t.Errorf("checked %d, %v", checked, err)
	}
	if n, sum, err := s.UpTo(t.Context(), 9); n != 0 || sum != 0 || err != nil {
		t.Errorf("%d rows, checksum %d, %v", n, sum, err)
	}
	if cuts, err := s.Cuts(t.Context(), 4, 4, 10); cuts != nil || err != nil {
		t.Errorf("cuts %v, %v", cuts, err)
	}
	for _, by := range []rows.Partitioning{rows.ByDay, rows.Unpartitioned} {
		if files, err := s.Write(t.Context(), rows.Part{UpTo: 9, Columns: eventColumns(), PartitionBy: by}); len(files) != 0 || err != nil {
			t.Errorf("%+v, %v", files, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(staging, "[^.]*"))
	if err != nil || len(left) != 0 {
		t.Errorf("the staging folder has %q, %v", left, err)
	}
	if m := s.Meta(); m.Origin != origin || len(m.Lineage) != 36 {
		t.Errorf("meta %+v", m)
	}
}

// TestChecksum: UpTo takes the page log's checksum if both have as many events, else the events' checksum.
func TestChecksum(t *testing.T) {
	f := laketest.NewFile(t, origin)
	f.Add(t, 2, 100, 3)
	sum := func() int64 {
		t.Helper()
		s, err := rows.Open(t.Context(), rows.Options{Path: f.Path})
		if err != nil {
			t.Fatal(err)
		}
		n, sum, err := s.UpTo(t.Context(), 2)
		if err := errors.Join(err, s.Close()); err != nil || n != 200 {
			t.Fatalf("%d rows, %v", n, err)
		}
		return sum
	}
	ofEvents := sum()
	var want int64
	f.Row(t, "SELECT "+inspect.ChecksumOf("sum("+inspect.ChecksumTerm+")")+" FROM events", &want)
	if ofEvents != want {
		t.Errorf("checksum %d, want %d", ofEvents, want)
	}
	log := func(batch, stored int, checksum string) {
		f.Exec(t, fmt.Sprintf(`INSERT INTO page_log (batch, run, window_id, endpoint, returned, stored, duplicate, conflict, rejected, resumed, checksum)
			VALUES (%d, uuid(), 1, 'events', %d, %d, 0, 0, 0, false, %s)`, batch, stored, stored, checksum))
	}
	log(1, 100, "9223372036854775807")
	if got := sum(); got != want {
		t.Errorf("a page log without a batch: checksum %d, want %d", got, want)
	}
	log(2, 101, "43")
	log(2, -1, "9223372036854775807") // the closing check has removed a copy
	log(2, 0, "NULL")
	if got := sum(); got != 41 {
		t.Errorf("a whole page log: checksum %d, want 41", got)
	}
	f.Exec(t, "UPDATE page_log SET checksum = NULL WHERE batch = 1")
	if got := sum(); got != want {
		t.Errorf("a page log of an older version: checksum %d, want %d", got, want)
	}
}

func TestCuts(t *testing.T) {
	f := laketest.NewFile(t, origin)
	f.Add(t, 6, 100, 3)
	f.Exec(t, "DELETE FROM events WHERE batch = 3", "UPDATE events SET batch = 9 WHERE batch = 6")
	s, _ := open(t, f)
	for _, c := range []struct {
		after, upTo, most int64
		want              []int64
	}{{0, 9, 1000, []int64{9}}, {0, 9, 200, []int64{2, 5, 9}}, {0, 9, 250, []int64{2, 5, 9}}, {0, 9, 1, []int64{1, 2, 4, 5, 9}}, {2, 4, 200, []int64{4}}, {5, 8, 10, []int64{8}}, {9, 12, 10, []int64{12}}} {
		if got, err := s.Cuts(t.Context(), c.after, c.upTo, c.most); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("from %d to %d by %d: %v, %v, want %v", c.after, c.upTo, c.most, got, err, c.want)
		}
	}
}

func TestInfinite(t *testing.T) {
	f := laketest.NewFile(t, origin)
	f.Add(t, 2, 10, 1)
	f.Exec(t, `UPDATE events SET "timestamp" = 'infinity' WHERE batch = 2 AND id = (SELECT min(id) FROM events WHERE batch = 2)`)
	s, _ := open(t, f)
	if _, err := s.Write(t.Context(), rows.Part{UpTo: 1, Columns: eventColumns()}); err != nil {
		t.Errorf("batches before the infinite instant: %v", err)
	}
	_, err := s.Write(t.Context(), rows.Part{UpTo: 2, Columns: eventColumns()})
	if !errors.Is(err, rows.ErrInfinite) || model.ExitOf(err).Code != model.ExitData {
		t.Errorf("an infinite instant: %v", err)
	}
}

func TestCancel(t *testing.T) {
	f := laketest.NewFile(t, origin)
	f.Add(t, 2, 1000, 40)
	s, _ := open(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Write(ctx, rows.Part{UpTo: 2, Columns: eventColumns(), Wrote: func(int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after the context has ended: %v", err)
	}
}

// TestRejects: rows are append-only, also when a later pull resolves a reject.
func TestRejects(t *testing.T) {
	f := laketest.NewFile(t, origin)
	f.Exec(t, `INSERT INTO rejected_events BY NAME FROM (VALUES
		('{"a": 1}', 'missing_id', 'k1', NULL, 'events', 1, false, NULL::TIMESTAMPTZ, NULL::BIGINT),
		('\xff', 'no_json', 'k2', md5('2')::UUID, 'feed', 2, true, '2026-01-01 00:00:00.000001+00'::TIMESTAMPTZ, 4),
		('', 'empty', 'k3', NULL, 'events', 4, true, NULL, 4)) t(raw, reason, reject_key, id, endpoint, batch, resolved, "timestamp", resolved_batch)`)
	s, _ := open(t, f)
	r := s.Rejects()
	part := rows.Part{PartitionBy: rows.Unpartitioned, Columns: columns("reject_key", "raw", "reason", "id", "endpoint", "timestamp", "batch", "resolved", "resolved_batch", rows.OriginColumn)}
	n := 0
	part.Name = func(string, int) string { n++; return fmt.Sprint(n, ".parquet") }
	var all []rows.File
	for _, c := range []struct{ after, upTo, rows int64 }{{0, 1, 1}, {1, 3, 1}, {3, 5, 3}} {
		part.After, part.UpTo = c.after, c.upTo
		files, err := r.Write(t.Context(), part)
		counted, errCount := r.Count(t.Context(), c.after, c.upTo)
		if err := errors.Join(err, errCount); err != nil || len(files) != 1 || files[0].Rows != c.rows || counted != c.rows {
			t.Errorf("batches %d to %d: %+v, %d, %v, want %d rows", c.after, c.upTo, files, counted, err, c.rows)
		}
		all = append(all, files...)
	}
	got := ask[string](t, lake(t, f, all), `SELECT string_agg(concat_ws(' ', reject_key, batch, coalesce(raw, '-'), coalesce(reason, '-'), resolved, coalesce(resolved_batch::VARCHAR, '-')), ', ' ORDER BY reject_key, resolved) FROM lake`)
	if want := `k1 1 {"a": 1} missing_id false -, k2 2 \xff no_json false -, k2 2 - - true 4, k3 4  empty false -, k3 4 - - true 4`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	total, checksum, err := r.UpTo(t.Context(), 5)
	if err != nil || total != 5 || checksum == 0 {
		t.Errorf("%d rows, checksum %d, %v", total, checksum, err)
	}
	// A reject that is resolved later adds a row, and changes nothing before.
	before, sumBefore, err := r.UpTo(t.Context(), 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f.Exec(t, "UPDATE rejected_events SET resolved = true, resolved_batch = 7 WHERE reject_key = 'k1'")
	again, _ := open(t, f)
	after, sumAfter, err1 := again.Rejects().UpTo(t.Context(), 5)
	added, _, err2 := again.Rejects().Between(t.Context(), 5, 7)
	if err := errors.Join(err1, err2); err != nil || before != after || sumBefore != sumAfter || added != 1 {
		t.Errorf("%d and %d rows, checksums %d and %d, %d added, %v", before, after, sumBefore, sumAfter, added, err)
	}
	part.PartitionBy = ""
	if _, err := again.Rejects().Write(t.Context(), part); !errors.Is(err, rows.ErrColumn) {
		t.Errorf("rejects by day: %v", err)
	}
}
