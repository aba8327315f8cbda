package figures_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/report/figures"
)

// change changes a closed file by SQL.
func change(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// trust reads how far a file can be relied on, and its pull.
func trust(t *testing.T, path string) (*figures.Trust, *figures.Pull, error) {
	t.Helper()
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	trusted, err := figures.ReadTrust(context.Background(), db, path, time.Now())
	if err != nil {
		return nil, nil, err
	}
	pull, err := figures.ReadPull(context.Background(), db)
	return trusted, pull, err
}

// TestOlderSchema: a file of an older schema has an error that says so, and one of a pull by an older version has no
// figures of it.
func TestOlderSchema(t *testing.T) {
	path := file(t, []event{{at: time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC), session: 1, kind: "click"}})
	switch got, pull, err := trust(t, path); {
	case err != nil:
		t.Fatal(err)
	case got.Complete || got.Events != 1 || pull != nil || len(got.Windows) != 0:
		t.Errorf("%+v, %+v", got, pull)
	}
	change(t, path, "UPDATE meta SET value = '6' WHERE key = 'schema_version'")
	if _, _, err := trust(t, path); !errors.Is(err, dbfile.ErrOlder) {
		t.Errorf("an older schema: %v", err)
	}
}

// TestPull: the figures of the newest pull that stored a batch.
func TestPull(t *testing.T) {
	path := file(t, nil)
	const run, older, later = "'00000000-0000-4000-8000-000000000002'", "'00000000-0000-4000-8000-000000000001'", "'00000000-0000-4000-8000-000000000003'"
	insertRun := func(run, began, ended, outcome string) string {
		return "INSERT INTO runs (run, tool_version, began_at, ended_at, outcome, minimum_s, waiting_s, reread_pages) VALUES (" + run + ", '1', '" + began + "', " + ended + ", '" + outcome + "', 3.5, 2, 1)"
	}
	change(t, path,
		insertRun(older, "2026-01-01 00:00:00Z", "'2026-01-01 00:01:00Z'", "complete"),
		insertRun(run, "2026-01-02 00:00:00Z", "'2026-01-02 00:00:12.5Z'", "complete"),
		insertRun(later, "2026-01-03 00:00:00Z", "'2026-01-03 00:00:01Z'", "complete"), // it stored nothing
		"INSERT INTO batches VALUES (1, "+older+", 'events', '2026-01-01 00:00:30Z', 1, 1, 9, 9, 9, 1, 1)",
		"INSERT INTO batches VALUES (2, "+run+", 'events', '2026-01-02 00:00:05Z', 1, 3, 300, 9000, 900, 1.5, 2), (3, "+run+", 'feed', '2026-01-02 00:00:09Z', 1, 4, 400, 9000, 900, 2.5, 2)",
		"INSERT INTO waits VALUES (2, "+run+", 'events', 'rate limit', '429', '2026-01-02 00:00:05Z', '2026-01-02 00:00:08Z', 1, 3, 3, 2), (3, "+run+", 'feed', 'pacing', NULL, '2026-01-02 00:00:06Z', '2026-01-02 00:00:07Z', 1, NULL, 1, 0)",
		"INSERT INTO refusals VALUES (2, "+run+", 'events', 'rate limit', '429', '2026-01-02 00:00:05Z', '2026-01-02 00:00:05Z', 1)",
	)
	_, p, err := trust(t, path)
	if err != nil {
		t.Fatal(err)
	}
	at := func(s float64) time.Time {
		return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(s * float64(time.Second)))
	}
	if !p.Began.Equal(at(0)) || !p.Ended.Equal(at(12.5)) || p.Outcome != "complete" || p.Minimum.V != 3500*time.Millisecond || p.Waiting != 2*time.Second || p.Reread != 1 {
		t.Errorf("%+v", p)
	}
	if len(p.Batches) != 2 || p.Batches[1] != (figures.Batch{Number: 3, Endpoint: "feed", CommittedAt: at(9), Pages: 4, Events: 400, Bytes: 9000, Took: 2500 * time.Millisecond}) {
		t.Errorf("%+v", p.Batches)
	}
	if len(p.Waits) != 2 || p.Waits[0] != (figures.Wait{Endpoint: "events", Reason: "rate limit", From: at(5), To: at(8), Count: 1, Ordered: 3 * time.Second, Actual: 3 * time.Second, Waiting: 2 * time.Second}) || p.Waits[1].Ordered != 0 {
		t.Errorf("%+v", p.Waits)
	}
	if len(p.Refusals) != 1 || p.Refusals[0] != (figures.Refusal{Endpoint: "events", Refused: "rate limit", From: at(5), To: at(5), Count: 1}) {
		t.Errorf("%+v", p.Refusals)
	}
	change(t, path, "UPDATE runs SET ended_at = NULL, outcome = 'running' WHERE run = "+run)
	if _, p, err = trust(t, path); err != nil || !p.Ended.Equal(at(9)) || p.Outcome != "running" {
		t.Errorf("a pull that was killed: %+v, %v", p, err)
	}
}
