package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// Store is the interface that the contract is about: the operations of a pull's store.
type Store interface {
	Windows(ctx context.Context) ([]model.Checkpoint, error)
	OpenWindow(ctx context.Context, lower, floor sql.Null[model.Instant]) (model.Checkpoint, error)
	Split(ctx context.Context, window int64, border model.Instant) (model.Checkpoint, error)
	Merge(ctx context.Context, window int64, shards ...int64) error
	MergeAndRestart(ctx context.Context, window int64, shards ...int64) error
	Held(ctx context.Context) (int64, error)
	FailRun(ctx context.Context, window int64) error
	Witness(ctx context.Context) (model.Witness, error)
	SetDeficit(ctx context.Context, d model.Deficit) error
	Deficit(ctx context.Context) (model.Deficit, error)
	CommitBatch(ctx context.Context, b model.Batch) (model.Committed, error)
	Finalize(ctx context.Context, run uuid.UUID, window int64) (model.Finalized, error)
	BeginRun(ctx context.Context, id uuid.UUID, began time.Time) error
	EndRun(ctx context.Context, r model.Run) error
	SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error
	NotBefore(ctx context.Context) (map[string]time.Time, error)
}

var _ Store = (*Memory)(nil)

// TestContract tests that a store passes the contract. Each call of open must return an empty one.
func TestContract(t *testing.T, open func(t *testing.T) Store) {
	for _, tc := range []struct {
		name string
		test func(*testing.T, Store)
	}{
		{"batches are counted", testCounts},
		{"windows are kept", testWindows},
		{"a window that was never begun is replaced", testNeverBegun},
		{"windows have shards", testShards},
		{"a batch needs its window", testNoWindow},
		{"a batch is bounded", testTooLarge},
		{"an ended context stores nothing", testEndedContext},
		{"a whole walk ends older windows", testWholeWalk},
		{"later copies are removed, rejects resolved", testFinalize},
		{"rejects without an id are resolved", testFinalizeWithoutID},
		{"what is left out is counted", testOutside},
		{"failed runs are counted up to the next commit", testFailRun},
		{"a deficit lasts", testDeficit},
		{"the totals of the newest window bear witness", testWitness},
		{"waits last", testNotBefore},
		{"waits are bounded", testWaitsAreBounded},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.test(t, open(t)) })
	}
}

// Event returns event n of a series that descends by a millisecond from event to event.
func Event(n int) model.Event {
	return model.Event{
		ID: uuid.NewSHA1(uuid.Nil, fmt.Appendf(nil, "event %d", n)), SessionID: uuid.NewSHA1(uuid.Nil, []byte("session")),
		Timestamp: model.Instant(1_769_541_612_369_000 - int64(n)*1000), Type: "click",
	}
}

func pageOf(from, to int, rejects ...model.Reject) model.Page {
	p := model.Page{Record: model.PageRecord{Endpoint: "events", CursorReceived: "next"}, Rejects: rejects, Descending: true}
	for n := from; n < to; n++ {
		p.Events = append(p.Events, Event(n))
	}
	return p
}

func spoilt(n int) model.Reject {
	id := Event(n).ID
	return model.Reject{Key: "id:" + id.String(), ID: uuid.NullUUID{UUID: id, Valid: true}, Reason: "missing_type", Raw: "{}"}
}

func mustOpenWindow(t *testing.T, s Store) model.Checkpoint {
	t.Helper()
	k, err := s.OpenWindow(context.Background(), sql.Null[model.Instant]{}, sql.Null[model.Instant]{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustCommit(t *testing.T, s Store, k model.Checkpoint, pages ...model.Page) model.Committed {
	t.Helper()
	k.State, k.Cursor = model.UnderWay, "next"
	done, err := s.CommitBatch(context.Background(), model.Batch{Run: uuid.Max, Pages: pages, Checkpoint: k})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func testCounts(t *testing.T, s Store) {
	k := mustOpenWindow(t, s)
	changed := pageOf(5, 6)
	changed.Events[0].Type = "scroll"
	for _, step := range []struct {
		name string
		page model.Page
		want model.Counts
	}{
		{"new", pageOf(0, 10), model.Counts{Returned: 10, Stored: 10}},
		{"known", pageOf(0, 10), model.Counts{Returned: 10, Duplicate: 10}},
		{"overlapping", pageOf(5, 15), model.Counts{Returned: 10, Stored: 5, Duplicate: 5}},
		{"changed", changed, model.Counts{Returned: 1, Duplicate: 1, Conflict: 1}},
		{"rejects", pageOf(0, 0, spoilt(90), spoilt(91), spoilt(90)), model.Counts{Returned: 3, Rejected: 2, Duplicate: 1}},
		{"the same rejects", pageOf(0, 0, spoilt(90), spoilt(91)), model.Counts{Returned: 2, Duplicate: 2}},
		{"empty", pageOf(0, 0), model.Counts{}},
	} {
		if got := mustCommit(t, s, k, step.page); got.Counts != step.want || got.Reasons["missing_type"] != step.want.Rejected {
			t.Errorf("%s: %+v, want %+v", step.name, got, step.want)
		}
	}
}

func testTooLarge(t *testing.T, s Store) {
	b := model.Batch{Pages: []model.Page{{Events: make([]model.Event, model.MaxRows+1)}}, Checkpoint: mustOpenWindow(t, s)}
	if _, err := s.CommitBatch(context.Background(), b); err == nil {
		t.Error("more than MaxRows were stored")
	}
}

func testEndedContext(t *testing.T, s Store) {
	k := mustOpenWindow(t, s)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.CommitBatch(ctx, model.Batch{Pages: []model.Page{pageOf(0, 1)}, Checkpoint: k}); err == nil {
		t.Error("stored after its end")
	}
	if got := mustCommit(t, s, k, pageOf(0, 1)); got.Stored != 1 {
		t.Errorf("%+v; the event was stored before", got)
	}
}

func testFinalize(t *testing.T, s Store) {
	k := mustOpenWindow(t, s)
	moved := pageOf(3, 4)
	moved.Events[0].Timestamp -= 3_600_000_000
	mustCommit(t, s, k, pageOf(0, 10, spoilt(100), spoilt(200)))
	mustCommit(t, s, k, moved)
	mustCommit(t, s, k, pageOf(100, 101))
	for round, want := range []model.Finalized{{Events: 11, Rejected: 1, Removed: 1}, {Events: 11, Rejected: 1}} {
		if got, err := s.Finalize(context.Background(), uuid.Max, k.Window); err != nil || got != want {
			t.Errorf("round %d: %+v, %v; want %+v", round, got, err, want)
		}
	}
	if got := mustCommit(t, s, k, pageOf(3, 4)); got.Duplicate != 1 || got.Conflict != 0 {
		t.Errorf("%+v; the first copy is not the one that stayed", got)
	}
}

// A reject without an id may be another reading of a stored event. It is not if the API has as many
// elements as the store.
func testFinalizeWithoutID(t *testing.T, s Store) {
	k := mustOpenWindow(t, s)
	like := Event(5)
	withoutID := func(key, name string) model.Reject {
		return model.Reject{Key: key, Reason: "missing_id", Timestamp: sql.Null[model.Instant]{V: like.Timestamp, Valid: true},
			Raw: fmt.Sprintf(`{"sessionId":%q,"type":"click"%s,"timestamp":"?"}`, like.SessionID, name)}
	}
	broken := withoutID("c", "")
	broken.Raw = `{"name":"\ud800"`
	// Another reading of a reject, with its id and without a type.
	kept := withoutID("id:"+Event(77).ID.String(), `,"name":"twice"`)
	kept.ID, kept.Reason, kept.Raw = uuid.NullUUID{UUID: Event(77).ID, Valid: true}, "missing_type", strings.Replace(kept.Raw, `"type":"click",`, "", 1)
	mustCommit(t, s, k, pageOf(0, 3, withoutID("a", ""), withoutID("b", `,"name":"other"`), broken, kept, withoutID("d", `,"name":"twice"`)))
	k.Total = sql.Null[int64]{V: 15, Valid: true}
	mustCommit(t, s, k, pageOf(3, 10))
	for round, want := range []int64{5, 3} {
		if got, err := s.Finalize(context.Background(), uuid.Max, k.Window); err != nil || got.Rejected != want {
			t.Errorf("round %d: %+v, %v; want %d rejected", round, got, err, want)
		}
		k.Total.V = 13
		mustCommit(t, s, k, pageOf(0, 1))
	}
}

func testOutside(t *testing.T, s Store) {
	k := mustOpenWindow(t, s)
	if held, err := s.Held(context.Background()); err != nil || held != 0 {
		t.Errorf("%d, %v", held, err)
	}
	reject := spoilt(90)
	reject.Timestamp = sql.Null[model.Instant]{V: 77, Valid: true}
	p := pageOf(0, 3, reject, spoilt(91))
	p.Record.OutOfRange = 4
	if got := mustCommit(t, s, k, p); got.Counts != (model.Counts{Returned: 9, Stored: 3, Rejected: 2, Outside: 4}) {
		t.Errorf("%+v", got.Counts)
	}
	if held, err := s.Held(context.Background()); err != nil || held != 5 {
		t.Errorf("%d, %v", held, err)
	}
}

func testDeficit(t *testing.T, s Store) {
	ctx := context.Background()
	for _, want := range []model.Deficit{{}, {Missing: 3, Total: 20}, {Missing: 2, Total: 21, Walked: true}, {}} {
		if want != (model.Deficit{}) {
			if err := s.SetDeficit(ctx, want); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Deficit(ctx); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		if err := s.SetDeficit(ctx, model.Deficit{}); err != nil {
			t.Fatal(err)
		}
	}
}

func testWitness(t *testing.T, s Store) {
	ctx := context.Background()
	if w, err := s.Witness(ctx); err != nil || w != (model.Witness{}) {
		t.Errorf("%+v, %v; want nothing", w, err)
	}
	number := func(n int64) sql.Null[int64] { return sql.Null[int64]{V: n, Valid: true} }
	began := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	k := mustOpenWindow(t, s)
	k.Total, k.PageTotal, k.Copies, k.TopAt = number(20), number(18), 2, began
	k.State = model.Done
	if _, err := s.CommitBatch(ctx, model.Batch{Run: uuid.Max, Pages: []model.Page{pageOf(0, 10)}, Checkpoint: k}); err != nil {
		t.Fatal(err)
	}
	if w, err := s.Witness(ctx); err != nil || w.First != number(20) || w.Last != number(18) || w.Copies != 2 || w.Bounded || !w.ToTheEnd.Equal(began) {
		t.Errorf("%+v, %v", w, err)
	}
	above, err := s.OpenWindow(ctx, sql.Null[model.Instant]{V: 7, Valid: true}, sql.Null[model.Instant]{})
	if err != nil {
		t.Fatal(err)
	}
	above.Total, above.PageTotal, above.Copies = number(25), number(26), 1
	mustCommit(t, s, above, pageOf(10, 12))
	if w, err := s.Witness(ctx); err != nil || w.First != number(25) || w.Last != number(26) || w.Copies != 3 || !w.ToTheEnd.Equal(began) {
		t.Errorf("%+v, %v", w, err)
	}
}
