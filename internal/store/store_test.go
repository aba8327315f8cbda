package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/store"
)

const origin = "http://api.test:80"

// noInstant is no border.
var noInstant sql.Null[model.Instant]

var newest = model.InstantOf(time.Date(2026, 1, 27, 19, 20, 12, 369e6, time.UTC))

// mustOpen opens the store at path and closes it when the test ends.
func mustOpen(tb testing.TB, path string) *store.Store {
	tb.Helper()
	s, err := store.Open(context.Background(), store.Options{Path: path, Origin: origin, ToolVersion: "test"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// event returns event number n of a descending series, a millisecond apart.
func event(n int) model.Event {
	text := sql.NullString{String: fmt.Sprintf("a name that is longer than twelve bytes %d", n), Valid: true}
	return model.Event{
		ID: uuid.NewSHA1(uuid.Nil, fmt.Appendf(nil, "event %d", n)), SessionID: uuid.NewSHA1(uuid.Nil, fmt.Appendf(nil, "session %d", n/7)),
		UserID: uuid.NullUUID{UUID: uuid.NewSHA1(uuid.Nil, []byte("user")), Valid: n%2 == 0}, Timestamp: newest - model.Instant(n)*1000,
		Type: "page_view", Name: text, Properties: `{"page":"/home"}`, Browser: sql.NullString{String: "Chrome", Valid: true},
	}
}

func events(from, to int) []model.Event {
	out := make([]model.Event, 0, to-from)
	for n := from; n < to; n++ {
		out = append(out, event(n))
	}
	return out
}

func pageOf(events []model.Event, rejects ...model.Reject) model.Page {
	return model.Page{Record: model.PageRecord{Endpoint: "events", CursorSent: "sent", CursorReceived: "received"},
		Events: events, Rejects: rejects, Descending: true}
}

func mustCommit(tb testing.TB, s *store.Store, window model.Checkpoint, pages ...model.Page) model.Committed {
	tb.Helper()
	window.State, window.Cursor = model.UnderWay, "received"
	done, err := s.CommitBatch(context.Background(), model.Batch{Run: uuid.Max, Pages: pages, Checkpoint: window})
	if err != nil {
		tb.Fatal(err)
	}
	return done
}

func mustWindow(tb testing.TB, s *store.Store) model.Checkpoint {
	tb.Helper()
	k, err := s.OpenWindow(context.Background(), noInstant, noInstant)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func one[T any](tb testing.TB, path, query string) T {
	tb.Helper()
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	}()
	var v T
	if err := db.QueryRow(query).Scan(&v); err != nil {
		tb.Fatal(err)
	}
	return v
}

func TestCommitStoresEachColumn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	odd := event(1)
	odd.Name, odd.UserID, odd.Properties, odd.Browser = sql.NullString{}, uuid.NullUUID{}, "", sql.NullString{}
	odd.Extra = `{"x":"\u0000 ünïcödé"}`
	odd.DeviceType = sql.NullString{Valid: true}
	mustCommit(t, s, mustWindow(t, s), pageOf([]model.Event{event(0), odd}))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, want := range []model.Event{event(0), odd} {
		var got model.Event
		var properties, extra sql.NullString
		var at int64
		var batch int64
		err := db.QueryRow(`SELECT id::VARCHAR, session_id::VARCHAR, user_id::VARCHAR, type, name, epoch_us("timestamp"), properties::VARCHAR,
			device_type, browser, extra::VARCHAR, batch FROM events WHERE id = ?`, want.ID.String()).
			Scan(&got.ID, &got.SessionID, &got.UserID, &got.Type, &got.Name, &at, &properties, &got.DeviceType, &got.Browser, &extra, &batch)
		if err != nil {
			t.Fatal(err)
		}
		got.Timestamp, got.Properties, got.Extra = model.Instant(at), properties.String, extra.String
		if !want.UserID.Valid {
			want.UserID = uuid.NullUUID{}
		}
		if diff := cmp.Diff(want, got); diff != "" || batch != 1 {
			t.Errorf("batch %d, event (-want +got):\n%s", batch, diff)
		}
	}
}

func TestCommitCountsAndKeepsEachIDOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	w := mustWindow(t, s)
	changed := event(5)
	changed.Type = "click"
	unsorted := pageOf([]model.Event{event(20), event(21), event(20)})
	unsorted.Descending = false
	reject := model.Reject{Key: "sha256:1#0", Reason: "missing_id", Raw: "{}"}
	knownID := model.Reject{Key: "id:" + event(3).ID.String(), ID: uuid.NullUUID{UUID: event(3).ID, Valid: true}, Reason: "missing_type", Raw: "{}",
		Timestamp: sql.Null[model.Instant]{V: event(3).Timestamp, Valid: true}}
	steps := []struct {
		name string
		page model.Page
		want model.Counts
	}{
		{"all new", pageOf(events(0, 10)), model.Counts{Returned: 10, Stored: 10}},
		{"all known", pageOf(events(0, 10)), model.Counts{Returned: 10, Duplicate: 10}},
		{"overlap", pageOf(events(5, 15)), model.Counts{Returned: 10, Stored: 5, Duplicate: 5}},
		{"known with another payload", pageOf([]model.Event{changed}), model.Counts{Returned: 1, Duplicate: 1, Conflict: 1}},
		{"twice in a page", unsorted, model.Counts{Returned: 3, Stored: 2, Duplicate: 1}},
		{"rejects", pageOf(nil, reject, knownID, reject), model.Counts{Returned: 3, Rejected: 2, Duplicate: 1}},
		{"the same rejects", pageOf(nil, reject, knownID), model.Counts{Returned: 2, Duplicate: 2}},
		{"nothing", pageOf(nil), model.Counts{}},
	}
	for _, step := range steps {
		if got := mustCommit(t, s, w, step.page).Counts; got != step.want {
			t.Errorf("%s: %+v, want %+v", step.name, got, step.want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM events":                                                   17,
		"SELECT count(DISTINCT id) FROM events":                                         17,
		"SELECT sum(stored)::INT FROM page_log":                                         17,
		"SELECT count(*) FROM events WHERE type = 'click'":                              0,
		"SELECT count(*) FROM rejected_events":                                          2,
		"SELECT count(*) FROM rejected_events WHERE resolved":                           1,
		"SELECT count(*) FROM rejected_events WHERE resolved_batch = batch":             1,
		"SELECT count(*) FROM page_log":                                                 len(steps),
		"SELECT max(batch) FROM page_log":                                               len(steps),
		"SELECT count(*) FROM page_log WHERE returned <> stored + duplicate + rejected": 0,
	} {
		if got := one[int](t, path, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

func TestBatchesGoOnAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	w := mustWindow(t, s)
	w.Upper = sql.Null[model.Instant]{V: newest, Valid: true}
	w.Last = sql.Null[model.Position]{V: model.Position{Timestamp: newest - 9000, ID: event(9).ID}, Valid: true}
	w.Total = sql.Null[int64]{V: 3_000_000, Valid: true}
	w.CursorExpiresAt = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	w.Pages, w.Events = 1, 10
	mustCommit(t, s, w, pageOf(events(0, 10)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path)
	got, err := s.Windows(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	w.State, w.Cursor = model.UnderWay, "received"
	if diff := cmp.Diff([]model.Checkpoint{w}, got); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
	if got := mustCommit(t, s, w, pageOf(events(10, 20))).Batch; got != 2 {
		t.Errorf("batch %d, want 2", got)
	}
}

func TestFailedCommitLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	noWindow := model.Checkpoint{Window: 42}
	if _, err := s.CommitBatch(context.Background(), model.Batch{Pages: []model.Page{pageOf(events(0, 5000))}, Checkpoint: noWindow}); err == nil {
		t.Fatal("a commit without its window succeeded")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := one[int](t, path, "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM page_log)"); got != 0 {
		t.Errorf("%d rows after a failed commit", got)
	}
}

func TestRunsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	ctx := context.Background()
	from := event(1)
	killed, failed, ended := uuid.NewSHA1(uuid.Nil, []byte("1")), uuid.NewSHA1(uuid.Nil, []byte("2")), uuid.NewSHA1(uuid.Nil, []byte("3"))
	const reason = "events endpoint answered 502"
	for _, id := range []uuid.UUID{killed, failed, ended} {
		if err := s.BeginRun(ctx, id, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.EndRun(ctx, model.Run{ID: failed, Ended: time.Now(), Outcome: "failed", Reason: reason}); err != nil {
		t.Fatal(err)
	}
	err := s.EndRun(ctx, model.Run{ID: ended, Ended: time.Now(), Outcome: "complete", Counts: model.Counts{Stored: 7},
		ResumedFrom: sql.Null[model.Position]{V: from.Position(), Valid: true},
		Requests:    map[string]int64{"events": 3, "feed": 2}, Limited: map[string]int64{"events": 1}, Waiting: 1500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !one[bool](t, path, `SELECT count(*) = 3 AND count(*) FILTER (outcome = 'killed' AND ended_at IS NULL AND reason IS NULL) = 1 AND
		count(*) FILTER (outcome = 'failed' AND reason = '`+reason+`') = 1 AND
		count(*) FILTER (outcome = 'complete' AND reason IS NULL AND stored = 7 AND events_requests = 3 AND events_429s = 1 AND feed_requests = 2
			AND feed_429s = 0 AND waiting_s = 1.5 AND resumed_from LIKE '2026-01-27T19:20:12.368Z %') = 1 FROM runs`) {
		t.Error("the runs are not as they were")
	}
	db, err := inspect.OpenReadOnly(ctx, path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	status, errRead := inspect.ReadStatus(ctx, db, path, time.Now())
	if err := errors.Join(errRead, db.Close()); err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, r := range status.Runs {
		got := "none"
		if r.Reason != nil {
			got = *r.Reason
		}
		reasons = append(reasons, r.Outcome+": "+got)
	}
	if want := []string{"complete: none", "failed: " + reason, "killed: none"}; !slices.Equal(reasons, want) {
		t.Errorf("%q, want %q", reasons, want)
	}
}
