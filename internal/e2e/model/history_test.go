package model_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/walk"
	"datasync/internal/e2e/harness"
	"datasync/internal/model"
	"datasync/internal/store"
	"datasync/mockserver"
)

// history is a file and its API, in this process.
type history struct {
	t    *testing.T
	api  *mockserver.Server
	path string
	opts ingest.Options
}

func newHistory(t *testing.T, o mockserver.Options) *history {
	t.Helper()
	base, err := url.Parse(mockserver.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	api := mockserver.New(o)
	return &history{t: t, api: api, path: filepath.Join(t.TempDir(), "a.duckdb"), opts: ingest.Options{
		Transport: api.Transport(), BaseURL: base, Key: "ds_test_key", PageSize: 100_000,
		Lookback: 10 * time.Minute, MaxWait: 5 * time.Minute, MaxRetryTime: time.Second,
	}}
}

// run pulls until it ends, with a store that wrap may change.
func (h *history) run(ctx context.Context, wrap func(*store.Store) ingest.Store) (ingest.Summary, error) {
	h.t.Helper()
	s, err := store.Open(ctx, store.Options{Path: h.path, Origin: api.Origin(h.opts.BaseURL), ToolVersion: "test"})
	if err != nil {
		h.t.Fatal(err)
	}
	opts := h.opts
	opts.Store = s
	if wrap != nil {
		opts.Store = wrap(s)
	}
	summary, err := ingest.Run(ctx, opts)
	if err := s.Close(); err != nil {
		h.t.Fatal(err)
	}
	if err := harness.Verify(h.path); err != nil {
		h.t.Error(err)
	}
	return summary, err
}

func (h *history) pull() {
	h.t.Helper()
	if s, err := h.run(h.t.Context(), nil); err != nil || !s.Complete {
		h.t.Fatalf("%v, %+v", err, s)
	}
	if err := harness.Compare(h.api, h.path); err != nil {
		h.t.Error(err)
	}
}

// stop pulls and cancels at the nth request.
func (h *history) stop(request int) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	defer cancel()
	real := h.opts.Transport
	h.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if request--; request == 0 {
			cancel()
		}
		return real.RoundTrip(r)
	})
	if _, err := h.run(ctx, nil); !errors.Is(err, context.Canceled) {
		h.t.Fatal(err)
	}
	h.opts.Transport = real
}

// healthy returns files with all kinds of histories.
func healthy(t *testing.T) map[string]*history {
	t.Helper()
	const size = 20
	files := map[string]*history{}
	begin := func(name string, o mockserver.Options) *history {
		o.Events.Cap, o.Feed.Cap = size, size
		if o.Data.Events == 0 {
			o.Data.Events = 1000
		}
		files[name] = newHistory(t, o)
		return files[name]
	}
	begin("pulled once", mockserver.Options{}).pull()

	grown := begin("grown", mockserver.Options{Data: mockserver.DataOptions{DirtyEvery: 13}})
	for _, n := range []int{0, 90, 0, 300, 5} {
		grown.api.Dataset().Grow(n)
		grown.pull()
	}
	grown.opts.Restart = true
	grown.pull()

	stopped := begin("stopped in a later pull", mockserver.Options{})
	stopped.pull()
	stopped.api.Dataset().Grow(200)
	stopped.stop(4)
	begin("stopped at once", mockserver.Options{}).stop(1)

	byTime := begin("gone on by time", mockserver.Options{Data: mockserver.DataOptions{TieSize: 70, TieEvery: 90}, Feed: mockserver.Pages{Until: mockserver.Inclusive},
		Scripts: []mockserver.Script{{Endpoint: mockserver.Events, Request: 21, Faults: []mockserver.Fault{mockserver.Repeat(2, mockserver.CursorExpired())}}}})
	byTime.pull()

	again := begin("walked again", mockserver.Options{Cursor: mockserver.Cursors{Signed: true},
		Scripts: []mockserver.Script{{Endpoint: mockserver.Any, Request: 21, Faults: []mockserver.Fault{mockserver.Repeat(2, mockserver.CursorExpired())}}}})
	again.stop(20)
	again.api.Dataset().Grow(100)
	_, _ = again.run(t.Context(), nil)

	disordered := begin("out of order, each event twice, ends that are none", mockserver.Options{
		Data: mockserver.DataOptions{SwapEvery: 40, SwapDistance: 15}, RepeatAcross: true, RepeatWithin: 5, RepeatChanged: true, LastPage: mockserver.LastWithCursor})
	disordered.pull()
	disordered.api.Dataset().Grow(200)
	disordered.stop(3)
	disordered.pull()

	from := begin("limited in time", mockserver.Options{})
	from.opts.From = sql.Null[model.Instant]{V: model.InstantOf(from.api.Dataset().Event(333).Time()), Valid: true}
	from.stop(5)
	if _, err := from.run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	from.api.Dataset().Grow(77)
	if _, err := from.run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	clock := begin("stopped after the clock was set back", mockserver.Options{})
	clock.pull()
	harness.Change(t, clock.path, "UPDATE runs SET began_at = began_at + INTERVAL 1 HOUR")
	clock.api.Dataset().Grow(100)
	clock.stop(3)

	part := begin("a part walked again", mockserver.Options{})
	part.stop(9)
	part.opts.Restart = true
	part.opts.From = sql.Null[model.Instant]{V: model.InstantOf(part.api.Dataset().Event(333).Time()), Valid: true}
	part.stop(5)
	part.pull()

	circle := begin("led in a circle", mockserver.Options{Cursor: mockserver.Cursors{Loop: 3}})
	if _, err := circle.run(t.Context(), nil); !errors.Is(err, walk.ErrLoop) {
		t.Fatal(err)
	}
	begin("empty", mockserver.Options{Data: mockserver.DataOptions{Events: mockserver.NoEvents}}).pull()
	return files
}

// A page larger than a batch has several rows in the page log, also where it was requested by time.
// Where it is split depends on when the batch before it was committed.
func TestVerifyPagesOfSeveralBatches(t *testing.T) {
	t.Parallel()
	h := newHistory(t, mockserver.Options{
		Data: mockserver.DataOptions{Events: 260_000}, Events: mockserver.Pages{Cap: 30_000}, Feed: mockserver.Pages{Cap: 220_000, Until: mockserver.Inclusive},
		Scripts: []mockserver.Script{{Endpoint: mockserver.Events, Request: 2, Faults: []mockserver.Fault{mockserver.Repeat(2, mockserver.CursorExpired())}}},
	})
	h.opts.PageSize = 300_000
	h.pull()
	const rows = "SELECT count(*) || ' rows of ' || string_agg(returned, '+' ORDER BY batch) FROM page_log WHERE until IS NOT NULL"
	const sound = "SELECT count(*) BETWEEN 2 AND 3 AND sum(returned) = 220000 AND count(DISTINCT batch) = count(*) FROM page_log WHERE until IS NOT NULL"
	if harness.One(t, h.path, sound) != "true" {
		t.Errorf("the page by time has the rows %s", harness.One(t, h.path, rows))
	}
}

// TestVerify: verify finds nothing in a healthy file of any history, and every damage that can be
// detected.
func TestVerify(t *testing.T) {
	t.Parallel()
	files := healthy(t)
	for name, h := range files {
		if err := harness.Verify(h.path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, tc := range []struct{ name, statement, check string }{
		{"a row deleted", `DELETE FROM events WHERE rowid = 107`, "counts"},
		{"a row doubled", `INSERT INTO events SELECT * FROM events WHERE rowid = 107`, "ids"},
		{"a row put in", `INSERT INTO events SELECT * REPLACE (uuid() AS id) FROM events WHERE rowid = 107`, "counts"},
		{"a row replaced", `UPDATE events SET id = uuid() WHERE rowid = 107`, "instants"},
		{"an instant changed", `UPDATE events SET "timestamp" = "timestamp" + INTERVAL 1 MICROSECOND WHERE rowid = 107`, "instants"},
		{"an instant changed by far", `UPDATE events SET "timestamp" = "timestamp" - INTERVAL 1 YEAR WHERE rowid = 107`, "instants"},
		{"instants swapped", `UPDATE events SET "timestamp" = CASE rowid WHEN 107 THEN (SELECT "timestamp" FROM events WHERE rowid = 112)
			ELSE (SELECT "timestamp" FROM events WHERE rowid = 107) END WHERE rowid IN (107, 112)`, "instants"},
		{"all rows deleted", `DELETE FROM events`, "counts"},
		{"the first page missing in the log", `DELETE FROM page_log WHERE rowid = (SELECT min(rowid) FROM page_log)`, "chain"},
		{"a page missing in the log", `DELETE FROM page_log WHERE rowid = 7`, "chain"},
		{"the last page missing in the log", `DELETE FROM page_log WHERE rowid = (SELECT max(rowid) FROM page_log)`, "chain"},
		{"a page and its events missing", `DELETE FROM events WHERE "timestamp" <= (SELECT first_timestamp FROM page_log WHERE rowid = 7)
			AND "timestamp" > (SELECT first_timestamp FROM page_log WHERE rowid = 8); DELETE FROM page_log WHERE rowid = 7;
			UPDATE checkpoints SET pages = pages - 1 WHERE window_id = 1`, "chain"},
		{"a batch missing", `DELETE FROM events WHERE batch = 1; DELETE FROM page_log WHERE batch = 1`, "chain"},
		{"a page twice in the log", `INSERT INTO page_log SELECT * FROM page_log WHERE rowid = 7`, "chain"},
		{"a hole below the newest window", `UPDATE checkpoints SET lower = upper WHERE window_id = (SELECT max(window_id) FROM checkpoint WHERE lower IS NOT NULL)`, "windows"},
		{"a hole above the oldest window", `UPDATE checkpoints SET upper = upper - INTERVAL 11 MINUTES WHERE window_id = 1`, "windows"},
		{"an upper border raised", `UPDATE checkpoints SET upper = upper + INTERVAL 1 HOUR WHERE window_id = (SELECT max(window_id) FROM checkpoint)`, "windows"},
		{"a window missing", `DELETE FROM checkpoints WHERE window_id = 3`, "windows"},
		{"the oldest window missing", `DELETE FROM checkpoints WHERE window_id = 1; DELETE FROM page_log WHERE window_id = 1`, "windows"},
		{"a reject twice", `INSERT INTO rejected_events SELECT * FROM rejected_events LIMIT 1`, "rejects"},
		{"a reject missing", `DELETE FROM rejected_events WHERE rowid = 3`, "counts"},
		{"a resolved reject of no batch", `INSERT INTO rejected_events SELECT '{}', 'missing_type', 'x', NULL, 'events', 1, true, NULL, NULL`, "rejects"},
		{"a stored event rejected", `INSERT INTO rejected_events SELECT '{}', 'missing_type', 'id:' || id, id, 'events', 1, false, NULL, NULL FROM events LIMIT 1`, "rejects"},
		{"events below the floor", `UPDATE checkpoints SET floor = '2026-01-20' WHERE window_id = 1`, "instants"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "b.duckdb")
			b, err := os.ReadFile(files["grown"].path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			harness.Change(t, path, tc.statement)
			if err := harness.Verify(path); err == nil || !strings.Contains(err.Error(), tc.check+": ") {
				t.Errorf("found %v, want %s", err, tc.check)
			}
		})
	}
}

// TestEveryStoreOperationFails lets the nth store operation of a pull fail, for each n (or each
// seventh). The run reports it, the file it leaves is sound, and the next pull ends with exactly
// the API's events.
func TestEveryStoreOperationFails(t *testing.T) {
	t.Parallel()
	step := 7
	if harness.All() {
		step = 1
	}
	for i, tc := range []struct {
		name         string
		once, before bool
	}{
		{"once", true, true}, {"from then on", false, true}, {"once, though it was done", true, false}, {"from then on, though it was done", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for n, met := 1+i%step, true; met; n += step {
				h := newHistory(t, mockserver.Options{
					Data:   mockserver.DataOptions{Events: 700, DirtyEvery: 30},
					Events: mockserver.Pages{Cap: 100}, Feed: mockserver.Pages{Cap: 100},
					Scripts: []mockserver.Script{{Endpoint: mockserver.Events, Request: 4, Faults: []mockserver.Fault{mockserver.RateLimited(time.Millisecond)}}},
				})
				_, _ = h.run(t.Context(), func(s *store.Store) ingest.Store { return &killing{Store: s, left: 9, before: true} })
				h.api.Dataset().Grow(100)
				var k *killing
				summary, err := h.run(t.Context(), func(s *store.Store) ingest.Store {
					k = &killing{Store: s, left: n, once: tc.once, before: tc.before}
					return k
				})
				if met = k.left <= 0; met && (!errors.Is(err, errKilled) || errors.Is(err, walk.ErrMissing)) || !met && (err != nil || !summary.Complete) {
					t.Errorf("operation %d failed: %v; the run says %v, complete: %v", n, met, err, summary.Complete)
				}
				h.pull()
			}
		})
	}
}
