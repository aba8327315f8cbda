package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"datasync/internal/model"
	"datasync/internal/store"
)

// factsOf returns the facts of batch n of a run that began then: a page, two waits and a 429.
func factsOf(began time.Time, n int) model.Facts {
	at := func(seconds float64) time.Time {
		return began.Add(time.Duration((float64(n) + seconds) * float64(time.Second)))
	}
	took := time.Duration(300+n*7919%211) * time.Millisecond
	return model.Facts{
		Began:   began,
		Fetched: []model.Fetched{{Endpoint: "events", Pages: 1, Returned: 100, Bytes: int64(50_000 + n*7919%3001), Wire: int64(9000 + n*104_729%997), Took: took, InFlight: 1 + int64(n%7)}},
		Waits: []model.Wait{
			{Endpoint: "events", Reason: model.WaitRateLimit, Answer: "429", Began: at(0.1), Ended: at(0.1 + took.Seconds()), Count: 1, Ordered: 30 * time.Second, Actual: took, Idle: took / 3},
			{Endpoint: "feed", Reason: model.WaitRetry, Answer: "502", Began: at(0.3), Ended: at(0.3 + took.Seconds()/7), Count: 2, Actual: took / 7},
		},
		Refusals: []model.Refusal{{Endpoint: "events", Refused: model.RefusedRate, Answer: "429", First: at(0.1), Last: at(0.1), Count: 1}},
	}
}

// TestFactsOfABatch: the facts of a batch are in the file if its events are, and those after the last batch if the run
// has ended.
func TestFactsOfABatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	ctx, run := context.Background(), uuid.NewSHA1(uuid.Nil, []byte("run"))
	began := time.Now()
	if err := s.BeginRun(ctx, run, began); err != nil {
		t.Fatal(err)
	}
	k := mustWindow(t, s)
	k.State, k.Cursor = model.UnderWay, "received"
	commit := func(n int) error {
		_, err := s.CommitBatch(ctx, model.Batch{Run: run, Pages: []model.Page{pageOf([]model.Event{event(n)})}, Checkpoint: k, Facts: factsOf(began, n)})
		return err
	}
	for n := range 2 {
		if err := commit(n); err != nil {
			t.Fatal(err)
		}
	}
	// A copy for readers has them, too.
	lent, err := s.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := one[string](t, lent.Path, "SELECT (SELECT count(*) FROM batches) || ' ' || (SELECT count(*) FROM waits) || ' ' || (SELECT count(*) FROM refusals)"); got != "2 4 2" {
		t.Errorf("the copy has %s facts", got)
	}
	last := factsOf(began, 2)
	if err := s.EndRun(ctx, model.Run{ID: run, Ended: time.Now(), Outcome: "complete", Minimum: 90 * time.Second, Reread: 3, Facts: last}); err != nil {
		t.Fatal(err)
	}
	hit := failNth(s, 9, true, false)
	for n := 2; n < 4; n++ {
		if err := commit(n); err == nil {
			t.Error("a batch did not fail")
		}
	}
	if err := s.Close(); err != nil || !*hit {
		t.Fatal(err, *hit)
	}
	for query, want := range map[string]string{
		"SELECT string_agg(concat_ws(' ', batch, endpoint, batches, pages, returned, bytes, wire_bytes, took_s, in_flight), ', ' ORDER BY batch) FROM batches": "1 events 1 1 100 50000 9000 0.3 1, 2 events 1 1 100 51917 9044 0.412 2",
		"SELECT (bool_and(committed_at BETWEEN began_at AND ended_at))::VARCHAR FROM batches JOIN runs USING (run)":                                            "true",
		"SELECT string_agg(concat_ws(' ', coalesce(batch, 0), endpoint, reason, answer, waits, ordered_s, actual_s, waiting_s), ', ' ORDER BY began_at) FROM waits": "1 events rate limit 429 1 30.0 0.3 0.1, 1 feed retry 502 2 0.042857 0.0, " +
			"2 events rate limit 429 1 30.0 0.412 0.137333, 2 feed retry 502 2 0.058857 0.0, 0 events rate limit 429 1 30.0 0.313 0.104333, 0 feed retry 502 2 0.044714 0.0",
		"SELECT string_agg(concat_ws(' ', coalesce(batch, 0), endpoint, refused, answer, refusals), ', ' ORDER BY first_at) FROM refusals": "1 events rate limit 429 1, 2 events rate limit 429 1, 0 events rate limit 429 1",
		"SELECT minimum_s || ' ' || reread_pages FROM runs": "90.0 3",
		"SELECT (bool_and(w.began_at - r.began_at BETWEEN INTERVAL 100 milliseconds AND INTERVAL 2301 milliseconds))::VARCHAR FROM waits w JOIN runs r USING (run)": "true",
	} {
		if got := one[string](t, path, query); got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
}

// TestFactsAreBounded: facts take at most a thousandth of the file, or four blocks. Sums and counts stay exact.
func TestFactsAreBounded(t *testing.T) {
	const batches, runs = 30_000, 3
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	before := usedBlocks(t, s)
	ctx, db := context.Background(), s.DB()
	// As many rows as so many batches of a hundred events would have stored.
	for _, statement := range []string{
		fmt.Sprintf(`INSERT INTO batches SELECT n, md5((n * %d // %d)::VARCHAR)::UUID, if(n %% 3 = 0, 'feed', 'events'), make_timestamptz(1769541612369000 + n * 1000000 + (hash(n) %% 99991)::BIGINT),
			1, 1, 100, 50000 + (hash(n + 1) %% 3001)::BIGINT, 9000 + (hash(n + 2) %% 997)::BIGINT, (300000 + (hash(n + 3) %% 400000)::BIGINT) / 1000000, 1 + n %% 7 FROM range(%[2]d) r(n)`, runs, batches),
		fmt.Sprintf(`INSERT INTO waits SELECT n // 4, md5((n * %d // %d)::VARCHAR)::UUID, if(n %% 3 = 0, 'feed', 'events'), ['rate limit', 'retry', 'pacing'][1 + n %% 3], if(n %% 3 = 2, NULL, (429 + n %% 3)::VARCHAR),
			make_timestamptz(1769541612369000 + n * 300000 + (hash(n) %% 99991)::BIGINT), make_timestamptz(1769541612369000 + n * 300000 + 100000 + (hash(n) %% 199991)::BIGINT), 1 + n %% 2,
			if(n %% 3 = 0, 30, NULL), (1 + (hash(n + 3) %% 400000)::BIGINT) / 1000000, ((hash(n + 4) %% 1000)::BIGINT) / 1000000 FROM range(100000) r(n)`, runs, 100_000),
		fmt.Sprintf(`INSERT INTO refusals SELECT n, md5((n * %d // %d)::VARCHAR)::UUID, 'events', ['rate limit', 'token'][1 + n %% 2], '429', make_timestamptz(1769541612369000 + n * 1000000 + (hash(n) %% 99991)::BIGINT),
			make_timestamptz(1769541612369000 + n * 1000000 + (hash(n) %% 99991)::BIGINT), 1 FROM range(%[2]d) r(n)`, runs, batches),
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	sums := func() (text string) {
		t.Helper()
		err := db.QueryRow(`SELECT concat_ws(' ', b, w, r) FROM
			(SELECT string_agg(concat_ws(' ', run, endpoint, n, p, e, y, z, k, i, c), ', ' ORDER BY run, endpoint) AS b FROM (SELECT run, endpoint, sum(batches) n, sum(pages) p, sum(returned) e, sum(bytes) y,
				sum(wire_bytes) z, sum(took_s::DECIMAL(18, 6)) k, max(in_flight) i, max(committed_at) c FROM batches GROUP BY ALL)),
			(SELECT string_agg(concat_ws(' ', run, endpoint, reason, answer, n, o, a, i, b, e), ', ' ORDER BY run, endpoint, reason, answer) AS w FROM (SELECT run, endpoint, reason, answer,
				sum(waits) n, sum(ordered_s::DECIMAL(18, 6)) o, sum(actual_s::DECIMAL(18, 6)) a, sum(waiting_s::DECIMAL(18, 6)) i, min(began_at) b, max(ended_at) e FROM waits GROUP BY ALL)),
			(SELECT string_agg(concat_ws(' ', run, endpoint, refused, n), ', ' ORDER BY run, refused) AS r FROM (SELECT run, endpoint, refused, sum(refusals) n FROM refusals GROUP BY ALL))`).Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	want := sums()
	run := uuid.NewSHA1(uuid.Nil, []byte("run"))
	if err := s.BeginRun(ctx, run, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := sums(); got != want {
		t.Errorf("sums changed:\n%s\n%s", want, got)
	}
	var rows [3]int
	if err := db.QueryRow("SELECT (SELECT count(*) FROM batches), (SELECT count(*) FROM waits), (SELECT count(*) FROM refusals)").Scan(&rows[0], &rows[1], &rows[2]); err != nil {
		t.Fatal(err)
	}
	used := usedBlocks(t, s) - before
	t.Logf("%v rows in %d blocks", rows, used)
	if used > 4 || rows[0] < 1000 || rows[1] < 1000 || rows[2] < 500 {
		t.Errorf("%v rows in %d blocks", rows, used)
	}
	// The file is as before in all else, and takes batches.
	k := mustWindow(t, s)
	k.State, k.Cursor = model.UnderWay, "received"
	if _, err := s.CommitBatch(ctx, model.Batch{Run: run, Pages: []model.Page{pageOf([]model.Event{event(0)})}, Checkpoint: k, Facts: factsOf(time.Now(), 0)}); err != nil {
		t.Fatal(err)
	}
	if err := s.EndRun(ctx, model.Run{ID: run, Ended: time.Now(), Outcome: "failed", Facts: factsOf(time.Now(), 1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := one[int](t, path, "SELECT count(*) FROM duckdb_columns() WHERE table_name IN ('batches', 'waits', 'refusals') AND comment IS NULL"); n != 0 {
		t.Errorf("%d columns have no comment", n)
	}
}

// usedBlocks returns how many blocks the file uses.
func usedBlocks(t *testing.T, s *store.Store) (used int64) {
	t.Helper()
	if _, err := s.DB().Exec("CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	if err := s.DB().QueryRow("SELECT used_blocks FROM pragma_database_size() WHERE database_name = current_database()").Scan(&used); err != nil {
		t.Fatal(err)
	}
	return used
}

// TestFactsOfManyRuns: the rows of many runs with few facts each are summed up, too, but not before they are too many.
func TestFactsOfManyRuns(t *testing.T) {
	const facts = `SELECT (SELECT sum(batches) || ' ' || sum(took_s) || ' ' || count(run) FROM batches) || ', ' || (SELECT sum(waits) || ' ' || sum(waiting_s) || ' ' || count(run) || ' ' || count(batch) FROM waits)
		|| ', ' || (SELECT sum(refusals) || ' ' || count(run) FROM refusals)`
	for _, tc := range []struct {
		batches, waits, refusals int
		want                     string
	}{
		{10_800, 8100, 2700, "10800 2700.0 10800, 8100 2025.0 8100 8100, 2700 2700"},
		{200_000, 200_000, 200_000, "200000 50000.0 0, 200000 50000.0 0 0, 200000 0"},
	} {
		s := mustOpen(t, filepath.Join(t.TempDir(), "a.duckdb"))
		before := usedBlocks(t, s)
		for _, rows := range []string{
			fmt.Sprintf("batches SELECT n, uuid(), 'events', make_timestamptz(n * 1000000 + (hash(n) %% 99991)::BIGINT), 1, 1, 10, 5000 + hash(n + 1) %% 3001, 900, 0.25, 1 FROM range(%d) r(n)", tc.batches),
			fmt.Sprintf("waits SELECT n, uuid(), 'events', 'retry', '502', make_timestamptz(n * 1000000 + (hash(n) %% 99991)::BIGINT), make_timestamptz(n * 1000000 + 250000), 1, NULL, 0.25, 0.25 FROM range(%d) r(n)", tc.waits),
			fmt.Sprintf("refusals SELECT n, uuid(), 'feed', 'token', '401', make_timestamptz(n * 1000000), make_timestamptz(n * 1000000), 1 FROM range(%d) r(n)", tc.refusals),
		} {
			if _, err := s.DB().Exec("INSERT INTO " + rows); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.BeginRun(context.Background(), uuid.Max, time.Now()); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := s.DB().QueryRow(facts).Scan(&got); err != nil || got != tc.want {
			t.Errorf("%s, want %s, %v", got, tc.want, err)
		}
		if used := usedBlocks(t, s) - before; used > 4 {
			t.Errorf("%d blocks for %d batches", used, tc.batches)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
