package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"datasync/internal/dbfile"
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

func TestRefusedFilesStayAsTheyWere(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := filepath.Join(folder, "other.duckdb")
	db, err := sql.Open("duckdb", other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE t AS SELECT 1 AS a"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(folder, "elsewhere.duckdb")
	s, err := store.Open(context.Background(), store.Options{Path: elsewhere, Origin: "http://other.test:80"})
	if err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, mustWindow(t, s), pageOf(events(0, 1)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, path string
		kind       error
	}{
		{"text", write("text", []byte("this is no database, it is a text")), dbfile.ErrForeign},
		{"empty", write("empty", nil), dbfile.ErrForeign},
		{"DuckDB file of something else", other, dbfile.ErrForeign},
		{"another origin", elsewhere, dbfile.ErrOrigin},
		{"folder", folder, dbfile.ErrPath},
		{"question mark", filepath.Join(folder, "a?access_mode=read_write"), dbfile.ErrPath},
		{"folder to be", filepath.Join(folder, "new") + "/", dbfile.ErrPath},
		{"folder that does not exist", filepath.Join(folder, "no", "a.duckdb"), dbfile.ErrPath},
		{"memory", ":memory:", dbfile.ErrPath},
		{"no name", "", dbfile.ErrPath},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before, _ := os.ReadFile(tc.path)
			s, err := store.Open(context.Background(), store.Options{Path: tc.path, Origin: origin})
			if !errors.Is(err, tc.kind) {
				t.Errorf("error %v, want %v", err, tc.kind)
			}
			if s != nil {
				t.Error("a store was opened")
			}
			if after, _ := os.ReadFile(tc.path); string(after) != string(before) {
				t.Error("the file was changed")
			}
			if _, err := os.Stat(tc.path + ".lock"); err == nil {
				t.Error("the lock file was left")
			}
		})
	}
}

func TestAnEmptyFileTakesAnotherOrigin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{Path: path, Origin: "http://mistyped.test:80"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.SetNotBefore(ctx, "events", time.Hour), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path)
	if opens, err := s.NotBefore(ctx); err != nil || len(opens) != 0 {
		t.Errorf("%v, %v; the wait was of another API", opens, err)
	}
	mustCommit(t, s, mustWindow(t, s), pageOf(events(0, 1)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(ctx, store.Options{Path: path, Origin: "http://mistyped.test:80"}); !errors.Is(err, dbfile.ErrOrigin) {
		t.Errorf("%v, want %v", err, dbfile.ErrOrigin)
	}
}

// TestOriginInCapitals: an origin that an older program kept as it was typed is the same one.
func TestOriginInCapitals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	mustCommit(t, s, mustWindow(t, s), pageOf(events(0, 1)))
	if err := errors.Join(s.SetNotBefore(t.Context(), "events", time.Hour), s.Close()); err != nil {
		t.Fatal(err)
	}
	leaveLog(t, path, "UPDATE meta SET value = upper(value) WHERE key = 'origin'")
	opens, err := mustOpen(t, path).NotBefore(t.Context())
	if err != nil || len(opens) != 1 {
		t.Errorf("%v, %v; the wait is of the same API", opens, err)
	}
}

func TestOneWriterAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	mustOpen(t, path)
	if _, err := store.Open(context.Background(), store.Options{Path: path, Origin: origin}); !errors.Is(err, dbfile.ErrLocked) {
		t.Errorf("second writer: %v, want %v", err, dbfile.ErrLocked)
	}
}

func TestReadOnlyRefusesEveryChange(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.duckdb")
	if err := mustOpen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"INSERT INTO meta VALUES ('a', 'b')", "DROP TABLE events", "CREATE TABLE t (a INT)",
		"COPY meta TO '" + filepath.Join(folder, "out.csv") + "'", "SELECT * FROM read_text('/etc/hostname')",
		"ATTACH '" + filepath.Join(folder, "b.duckdb") + "'", "INSTALL httpfs", "LOAD httpfs",
		"SET lock_configuration = false", "SET enable_external_access = true", "SET memory_limit = '1GB'",
	} {
		if _, err := db.Exec(statement); err == nil {
			t.Errorf("%s: succeeded", statement)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Errorf("the file was changed (%v)", err)
	}
	if names, err := os.ReadDir(folder); err != nil || len(names) != 1 {
		t.Errorf("files %v, %v", names, err)
	}
}

func TestNotBeforeLasts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	before := time.Now()
	for _, wait := range []time.Duration{time.Second, time.Hour} {
		if err := s.SetNotBefore(context.Background(), "events", wait); err != nil {
			t.Fatal(err)
		}
	}
	after := time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := mustOpen(t, path).NotBefore(context.Background())
	at := got["events"]
	if err != nil || len(got) != 1 || at.Before(before.Add(time.Hour)) || at.After(after.Add(time.Hour)) {
		t.Errorf("%v, %v; want an hour after %v", got, err, before)
	}
}

// TestWaitsOfAKilledPull: what a killed pull noted in the lock file and could not commit any
// more is kept to, whatever else stands there, and stays where another pull cannot use it.
func TestWaitsOfAKilledPull(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	if err := s.SetNotBefore(ctx, "feed", 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	line := func(endpoint string, wait time.Duration) string {
		return fmt.Sprintf("not_before.%s %s %s", endpoint, time.Now().Add(wait).UTC().Format(time.RFC3339Nano), wait)
	}
	noted := "rubbish\n" + line("events", time.Hour) + "\n" + line("events", time.Minute) + "\n" + line("feed", time.Minute) + "\norigin elsewhere\n" + line("stream-access", time.Hour)
	if err := os.WriteFile(path+".lock", []byte(noted), 0o600); err != nil {
		t.Fatal(err)
	}
	// A dry run keeps to them too, and leaves them to the pull.
	p, err := store.OpenPreflight(ctx, store.Options{Path: path, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	foreseen, err := p.NotBefore(ctx)
	if err := errors.Join(err, p.Close()); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path)
	opens, err := s.NotBefore(ctx)
	for _, opens := range []map[string]time.Time{foreseen, opens} {
		for endpoint, want := range map[string]time.Duration{"events": time.Hour, "feed": 2 * time.Hour} {
			if left := time.Until(opens[endpoint]); left > want || left < want-10*time.Minute {
				t.Errorf("%s is closed for %s, want %s", endpoint, left, want)
			}
		}
		if err != nil || len(opens) != 2 {
			t.Errorf("%v, %v; want two endpoints, as half a line is none", opens, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock file is still there: %v", err)
	}
}

func TestNotBeforeIsNoFurtherAwayThanWasAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	if err := mustOpen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO meta VALUES ('not_before.feed', '2199-01-01T00:00:00Z 30s')"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path)
	got, err := s.NotBefore(context.Background())
	if err != nil || got["feed"].After(time.Now().Add(30*time.Second)) || got["feed"].IsZero() {
		t.Errorf("%v, %v; want within 30 s", got, err)
	}
	// It does not begin again with each pull.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if again, err := mustOpen(t, path).NotBefore(context.Background()); err != nil || !again["feed"].Round(0).Equal(got["feed"].Round(0)) {
		t.Errorf("%v, %v; before it was %v", again, err, got)
	}
}

func TestSettleRemovesLaterCopiesAndResolvesRejects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	w := mustWindow(t, s)
	moved := event(3)
	moved.Timestamp -= 3_600_000_000
	spoilt := func(n int) model.Reject {
		id := event(n).ID
		return model.Reject{Key: "id:" + id.String(), ID: uuid.NullUUID{UUID: id, Valid: true}, Reason: "missing_type", Raw: "{}"}
	}
	mustCommit(t, s, w, pageOf(events(0, 10), spoilt(100), spoilt(200)))
	mustCommit(t, s, w, pageOf([]model.Event{moved}))
	mustCommit(t, s, w, pageOf(events(100, 101)))
	for round, want := range []model.Settled{{Events: 11, Rejected: 1, Removed: 1}, {Events: 11, Rejected: 1}} {
		got, err := s.Settle(context.Background(), uuid.Max, w.Window)
		if err != nil || got != want {
			t.Errorf("round %d: %+v, %v; want %+v", round, got, err, want)
		}
	}
	// What is checked is not checked again, but copies of it are found.
	again := event(5)
	again.Timestamp -= 7_200_000_000
	mustCommit(t, s, w, pageOf([]model.Event{again}))
	if got, err := s.Settle(context.Background(), uuid.Max, w.Window); err != nil || got.Removed != 1 {
		t.Errorf("%+v, %v; want 1 removed", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, check := range []string{
		`SELECT count(*) = 11 AND count(DISTINCT id) = 11 FROM events`,
		`SELECT sum(stored) = 11 AND bool_and(returned = stored + duplicate + rejected) FROM page_log`,
		fmt.Sprintf(`SELECT count(*) = 1 FROM events WHERE id = '%s' AND batch = 1`, moved.ID),
		fmt.Sprintf(`SELECT bool_and(resolved = (id = '%s')) FROM rejected_events`, event(100).ID),
	} {
		if !one[bool](t, path, check) {
			t.Errorf("not so: %s", check)
		}
	}
}

func TestRunsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	ctx := context.Background()
	from := event(1)
	killed, ended := uuid.NewSHA1(uuid.Nil, []byte("1")), uuid.NewSHA1(uuid.Nil, []byte("2"))
	for _, id := range []uuid.UUID{killed, ended} {
		if err := s.BeginRun(ctx, id, time.Now()); err != nil {
			t.Fatal(err)
		}
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
	if !one[bool](t, path, `SELECT count(*) = 2 AND count(*) FILTER (outcome = 'killed' AND ended_at IS NULL) = 1 AND
		count(*) FILTER (outcome = 'complete' AND stored = 7 AND events_requests = 3 AND events_429s = 1 AND feed_requests = 2
			AND feed_429s = 0 AND waiting_s = 1.5 AND resumed_from LIKE '2026-01-27T19:20:12.368Z %') = 1 FROM runs`) {
		t.Error("the runs are not as they were")
	}
}

// Of readings of one reject none of which has its id, the first is kept.
func TestSettleResolvesOtherReadingsOfARejectWithoutID(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	k := mustWindow(t, s)
	at := sql.Null[model.Instant]{V: event(0).Timestamp, Valid: true}
	for _, r := range []model.Reject{
		{Key: "1", Raw: `{"name":"n","sessionId":"S","type":"click","timestamp":1}`, Timestamp: at},
		{Key: "2", Raw: `{"name":"n","sessionId":"other","type":"click","timestamp":1}`, Timestamp: at},
		{Key: "3", Raw: `{"name":"n","type":"click","timestamp":1}`, Timestamp: at},
		{Key: "4", Raw: `{"name":"n","sessionId":"s","type":"click"}`},
		{Key: "5", Raw: `{"name":"n","type":"click"}`},
	} {
		r.Reason = "missing_id"
		mustCommit(t, s, k, pageOf(nil, r))
	}
	if got, err := s.Settle(context.Background(), uuid.Max, k.Window); err != nil || got.Rejected != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := one[string](t, path, "SELECT string_agg(reject_key, ' ' ORDER BY reject_key) FROM rejected_events WHERE resolved"); got != "3 4" {
		t.Errorf("resolved are %s", got)
	}
}
