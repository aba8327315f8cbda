package store_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"

	"github.com/google/uuid"
)

// firstSchema creates a file of the first schema: three batches of one window, of which a closing check has
// deleted a copy from the last one.
func firstSchema(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "first.duckdb")
	script, err := os.ReadFile("migrations/0001_init.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		string(script),
		`INSERT INTO meta VALUES ('application', 'datasync'), ('schema_version', '1'), ('tool_version', '0.1.0'),
			('duckdb_version', 'v1.5.6'), ('origin', '` + origin + `'), ('checked_batch', '4')`,
		`INSERT INTO events (id, session_id, type, "timestamp", batch)
			SELECT uuid(), uuid(), 'click', make_timestamptz(1769541612369000 - n * 1000), n // 10 + 1 FROM range(29) r(n)`,
		`INSERT INTO checkpoint SELECT 1, 'done', make_timestamptz(1769541612369000), NULL, NULL, NULL, NULL, NULL, 2, 30, 30, 29, false, now()`,
		`INSERT INTO page_log (batch, run, window_id, endpoint, cursor_sent, cursor_received, first_timestamp, last_timestamp, returned, stored, duplicate, conflict, rejected, resumed)
			SELECT n, uuid(), 1, 'events', CASE WHEN n > 1 THEN n::VARCHAR END, CASE WHEN n < 3 THEN (n + 1)::VARCHAR END,
			make_timestamptz(1769541612369000 - (n - 1) * 10000), make_timestamptz(1769541612369000 - n * 10000 + 1000), 10, 10, 0, 0, 0, false FROM range(1, 4) r(n)`,
		`INSERT INTO page_log (batch, run, window_id, endpoint, returned, stored, duplicate, conflict, rejected, resumed)
			VALUES (4, uuid(), 1, 'closing check', 0, -1, 1, 1, 0, false)`,
		`INSERT INTO runs (run, tool_version, began_at, outcome) SELECT uuid(), '0.1.0', now(), 'failed'`,
		`INSERT INTO rejected_events SELECT '{}', 'missing_type', n::VARCHAR, NULL, 'events', n, n <> 2 FROM range(1, 6) r(n)`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// An older file can be queried at once, and the next pull brings it up to date.
func TestFilesOfTheFirstSchema(t *testing.T) {
	path := firstSchema(t)
	if n := one[int](t, path, "SELECT count(*) FROM events"); n != 29 {
		t.Errorf("%d events", n)
	}
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inspect.Verify(context.Background(), db, path); !errors.Is(err, dbfile.ErrOlder) {
		t.Errorf("verify: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path)
	windows, err := s.Windows(context.Background())
	if err != nil || len(windows) != 1 || windows[0].Pages != 3 || windows[0].StartBound.Valid || !windows[0].ToTheEnd() {
		t.Errorf("%+v, %v", windows, err)
	}
	// Why its runs failed is not known.
	status, _, err := s.Status(context.Background(), 1)
	if err != nil || len(status.Runs) != 1 || status.Runs[0].Outcome != "failed" || status.Runs[0].Reason != nil {
		t.Errorf("%+v, %v", status.Runs, err)
	}
	// New events get the next batch and are checked.
	k := mustWindow(t, s)
	again := event(0)
	again.Timestamp -= 7_200_000_000
	mustCommit(t, s, k, pageOf([]model.Event{event(0)}))
	if done := mustCommit(t, s, k, pageOf([]model.Event{again})); done.Batch != 5 {
		t.Errorf("batch %d", done.Batch)
	}
	if done, err := s.Finalize(context.Background(), [16]byte{}, k.Window); err != nil || done.Removed != 1 || done.Events != 30 {
		t.Errorf("%+v, %v", done, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if v := one[string](t, path, "SELECT value FROM meta WHERE key = 'schema_version'"); v != strconv.Itoa(inspect.SchemaVersion) {
		t.Errorf("schema %s", v)
	}
	lineage := one[string](t, path, "SELECT value FROM meta WHERE key = 'lineage'")
	if _, err := uuid.Parse(lineage); err != nil {
		t.Error(err)
	}
	if err := mustOpen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if again := one[string](t, path, "SELECT string_agg(value) FROM meta WHERE key = 'lineage'"); again != lineage {
		t.Errorf("lineage %s, then %s", lineage, again)
	}
	// The closing check of batch 3 saw the rejects up to there; those above were resolved by their commits.
	if got := one[string](t, path, "SELECT string_agg(reject_key || ':' || coalesce(resolved_batch, 0), ' ' ORDER BY reject_key) FROM rejected_events"); got != "1:3 2:0 3:3 4:4 5:5" {
		t.Errorf("rejects and when they were resolved: %s", got)
	}
	if n := one[int](t, path, "SELECT count(*) FROM page_log l FULL JOIN (SELECT batch FROM events GROUP BY 1) e USING (batch) WHERE checksum IS NULL"); n != 4 {
		t.Errorf("%d rows without a checksum", n)
	}
}

// A closing check checks the batches of an older file that no closing check has seen.
func TestUncheckedBatchesOfTheFirstSchema(t *testing.T) {
	path := firstSchema(t)
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO events SELECT * REPLACE ("timestamp" + INTERVAL 1 HOUR AS "timestamp", 5 AS batch) FROM events WHERE rowid = 7`,
		`INSERT INTO page_log SELECT * REPLACE (5 AS batch, 1 AS returned, 1 AS stored) FROM page_log WHERE batch = 1`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path)
	if done, err := s.Finalize(context.Background(), [16]byte{}, 1); err != nil || done.Removed != 1 || done.Events != 29 {
		t.Errorf("%+v, %v", done, err)
	}
}

// The schema of an older file has only the columns that the file has.
func TestSchemaOfTheFirstSchema(t *testing.T) {
	path := firstSchema(t)
	db, err := inspect.OpenReadOnly(t.Context(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := inspect.ReadSchema(t.Context(), db, path)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for _, r := range tables {
		for _, c := range r.Columns {
			if c.Comment == "" {
				t.Errorf("%s.%s has no comment", r.Name, c.Name)
			}
			if r.Name == "checkpoint" && c.Name == "floor" {
				t.Error("a column that the file does not have")
			}
		}
	}
}
