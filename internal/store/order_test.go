package store_test

import (
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"datasync/internal/model"
	"datasync/internal/store"

	"github.com/google/uuid"
)

// ask returns the result of a query of the store's database.
func ask(t *testing.T, s *store.Store, query string) (answer string) {
	t.Helper()
	if err := s.DB().QueryRow(query).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// rowGroup returns the events of a whole row group, the nth of a descending series.
func rowGroup(n int) []model.Event { return events(n*model.MaxRows, (n+1)*model.MaxRows) }

func batchOf(k model.Checkpoint, pages ...model.Page) model.Batch {
	k.State, k.Cursor = model.UnderWay, "next"
	k.Pages += int64(len(pages))
	return model.Batch{Run: uuid.Max, Pages: pages, Checkpoint: k}
}

// The second of two whole row groups is written before the first is committed, and committed after it.
func TestTwoAtATime(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "x.duckdb"))
	k := mustWindow(t, s)
	written := make(chan struct{})
	operations, last := [model.Writers]int{}, 0
	s.AroundEach(func(writer int, do func() error) error {
		// BEGIN, the query of stored events, the events, the page log, the checkpoint (the second writer has
		// no row to update yet), COMMIT.
		operations[writer]++
		if writer == 0 && operations[0] == 6 {
			<-written
			last = 0
		}
		if writer == 1 && operations[1] == 7 {
			last = 1
		}
		err := do()
		if writer == 1 && operations[1] == 6 {
			close(written)
		}
		return err
	})
	var waits []func() (model.Committed, error)
	for n := range 2 {
		waits = append(waits, s.StartBatch(t.Context(), batchOf(k, pageOf(rowGroup(n)))))
	}
	for n, wait := range waits {
		if done, err := wait(); err != nil || done.Batch != int64(n+1) || done.Stored != model.MaxRows {
			t.Errorf("batch %d: %+v, %v", n+1, done, err)
		}
	}
	if operations != [model.Writers]int{6, 7} || last != 1 {
		t.Errorf("operations %v, the last of writer %d", operations, last)
	}
	if got := ask(t, s, "SELECT string_agg(concat_ws(' ', batch, n), ', ' ORDER BY batch) FROM (SELECT batch, count(*) AS n FROM events GROUP BY batch)"); got != "1 122880, 2 122880" {
		t.Error(got)
	}
	windows, err := s.Windows(t.Context())
	if err != nil || len(windows) != 1 {
		t.Fatalf("%+v, %v", windows, err)
	}
	if got := ask(t, s, "SELECT string_agg(concat_ws(' ', writer, batch), ', ' ORDER BY batch) FROM checkpoints"); got != "0 1, 1 2" {
		t.Error(got)
	}
	if _, err := s.Finalize(t.Context(), uuid.Max, k.Window); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, s, "SELECT string_agg(concat_ws(' ', writer, batch), ', ' ORDER BY batch) FROM checkpoints"); got != "1 2" {
		t.Errorf("after the end: %s", got)
	}
}

var all = flag.Bool("all", false, "try all cases where the tests try a few of them")

// Batches that are started without a wait in between are stored like others, to the row and the page log.
func TestStartedTogether(t *testing.T) {
	out := pageOf(events(3*model.MaxRows, 3*model.MaxRows+100))
	out.Events[7], out.Events[70] = out.Events[70], out.Events[7]
	out.Descending = false
	moved := rowGroup(0)[77]
	moved.Timestamp -= 3_600_000_000_000 // far below
	for name, batches := range map[string][][]model.Page{
		"row groups":                  {{pageOf(rowGroup(0))}, {pageOf(rowGroup(1))}, {pageOf(rowGroup(2))}, {pageOf(rowGroup(3))}},
		"row groups in pages":         {{pageOf(events(0, 100)), pageOf(events(100, model.MaxRows))}, {pageOf(rowGroup(1)), pageOf(nil)}, {pageOf(rowGroup(2))}},
		"the same twice":              {{pageOf(rowGroup(0))}, {pageOf(rowGroup(0))}, {pageOf(rowGroup(1))}},
		"some twice":                  {{pageOf(rowGroup(0))}, {pageOf(events(model.MaxRows-10, 2*model.MaxRows-10))}, {pageOf(events(10, model.MaxRows+10))}, {pageOf(rowGroup(2))}},
		"not in order":                {{pageOf(rowGroup(1))}, {pageOf(rowGroup(0))}, {pageOf(rowGroup(2))}, {out}, {out}},
		"few":                         {{pageOf(events(0, 10))}, {pageOf(events(5, 15))}, {pageOf(events(15, 20))}},
		"none":                        {{pageOf(nil)}, {pageOf(rowGroup(0))}, {pageOf(nil)}, {pageOf(rowGroup(1))}},
		"rejects in row groups":       {{pageOf(events(0, 9), reject(1)), pageOf(events(9, model.MaxRows), reject(2))}, {pageOf(rowGroup(1), reject(1), reject(3))}, {pageOf(rowGroup(2), reject(3), reject(1), spoilt(5))}, {pageOf(rowGroup(3), reject(3))}},
		"with rejects":                {{pageOf(rowGroup(0), reject(1))}, {pageOf(rowGroup(1), reject(1), reject(2))}, {pageOf(rowGroup(2))}, {pageOf(nil, reject(2))}},
		"a copy of another instant":   {{pageOf(rowGroup(0))}, {pageOf(rowGroup(1))}, {pageOf([]model.Event{moved})}},
		"after what was there before": {{pageOf(events(0, model.MaxRows+5))}, {pageOf(rowGroup(0))}},
	} {
		usual := name == "row groups" || name == "rejects in row groups" || name == "some twice" || name == "few"
		if !*all && !usual {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if n := len(batches[0][0].Events); n > model.MaxRows { // what the store had when it was opened
				batches = append([][]model.Page{{pageOf(batches[0][0].Events[model.MaxRows:])}}, batches[1:]...)
			}
			var got [2]string
			for together := range got {
				s := mustOpen(t, filepath.Join(t.TempDir(), "x.duckdb"))
				k := mustWindow(t, s)
				var waits []func() (model.Committed, error)
				for n, pages := range batches {
					b := batchOf(k, pages...)
					k = b.Checkpoint
					waits = append(waits, s.StartBatch(t.Context(), b))
					if together == 0 {
						_, _ = waits[n]()
					}
				}
				for n, wait := range waits {
					done, err := wait()
					if err != nil {
						t.Fatal(err)
					}
					got[together] += fmt.Sprint(n, done)
				}
				if _, err := s.Finalize(t.Context(), uuid.Max, k.Window); err != nil {
					t.Fatal(err)
				}
				got[together] += ask(t, s, `SELECT (SELECT count(*)::VARCHAR || ' ' || sum(hash(e::VARCHAR)) FROM events e) || ' ' ||
					(SELECT coalesce(string_agg(r::VARCHAR, ' ' ORDER BY reject_key), '') FROM rejected_events r) || ' ' ||
					(SELECT string_agg(concat_ws(',', batch, returned, stored, duplicate, rejected, checksum, first_id, last_id), ' ' ORDER BY batch, rowid) FROM page_log) || ' ' ||
					(SELECT string_agg(concat_ws(',', window_id, state, pages), ' ') FROM checkpoint)`)
			}
			if got[0] != got[1] {
				t.Errorf("one by one %s\ntogether   %s", got[0], got[1])
			}
		})
	}
}

func reject(n int) model.Reject {
	return model.Reject{Key: fmt.Sprint("sha256:", n), Reason: "missing_id", Raw: "{}"}
}

// spoilt returns a reject with the id and the instant of an event.
func spoilt(n int) model.Reject {
	e := event(n)
	return model.Reject{Key: "id:" + e.ID.String(), ID: uuid.NullUUID{UUID: e.ID, Valid: true}, Reason: "missing_type", Raw: "{}",
		Timestamp: sql.Null[model.Instant]{V: e.Timestamp, Valid: true}}
}

// Each operation of the first of two batches fails, with the second one under way: neither is stored.
func TestNoneAfterOneThatFailed(t *testing.T) {
	operations := []int{1, 2, 3, 4, 5, 6}
	if testing.Short() {
		operations = []int{2, 5}
	}
	for _, failing := range operations {
		t.Run(fmt.Sprint("operation ", failing), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.duckdb")
			s := mustOpen(t, path)
			k := mustWindow(t, s)
			operations, second := 0, make(chan struct{})
			began := sync.OnceFunc(func() { close(second) })
			s.AroundEach(func(writer int, do func() error) error {
				if writer == 1 {
					began()
					return do()
				}
				if operations++; operations == failing {
					if failing > 3 {
						<-second // which began with the events of the first
					}
					return errInjected
				}
				return do()
			})
			waits := []func() (model.Committed, error){
				s.StartBatch(t.Context(), batchOf(k, pageOf(rowGroup(0)))), s.StartBatch(t.Context(), batchOf(k, pageOf(rowGroup(1)))),
			}
			if _, err := waits[0](); !errors.Is(err, errInjected) {
				t.Error(err)
			}
			if _, err := waits[1](); err == nil || !strings.Contains(err.Error(), "the batch before this one") {
				t.Error(err)
			}
			if _, err := s.CommitBatch(t.Context(), batchOf(k, pageOf(rowGroup(2)))); err == nil {
				t.Error("a batch was stored after one that was not")
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if n := one[int](t, path, "SELECT count(*) FROM events"); n != 0 {
				t.Errorf("%d events", n)
			}
		})
	}
}

// A pull's memory is enough for texts as long as a batch may hold. It is enough for two batches with as
// much text as may be written concurrently. It is also enough in the next run, which writes the table
// with the long texts again.
func TestLongTexts(t *testing.T) {
	if testing.Short() {
		t.Skip("much text")
	}
	for name, sizes := range map[string][][2]int{ // of batches: events, and bytes of text each
		"long":                  {{model.MaxRows, 0}, {250, 200_000}, {250, 200_000}, {250, 200_000}},
		"very long":             {{12, 4 << 20}, {12, 4 << 20}, {12, 4 << 20}},
		"one in a batch":        {{1, 24 << 20}, {1, 24 << 20}, {1, 24 << 20}, {1, 24 << 20}, {1, 24 << 20}},
		"as many as in a batch": {{model.MaxRows, 540}, {model.MaxRows, 540}, {model.MaxRows - 1, 540}},
		"two at a time":         {{model.MaxRows, 190}, {model.MaxRows, 190}, {model.MaxRows, 190}, {model.MaxRows, 190}},
	} {
		if !*all && name != "long" && name != "two at a time" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.duckdb")
			var s *store.Store
			open := func() {
				var err error
				if s, err = store.Open(t.Context(), store.Options{Path: path, Origin: origin, MemoryLimit: store.PullMemoryLimit}); err != nil {
					t.Fatal(err)
				}
			}
			open()
			k := mustWindow(t, s)
			var waits []func() (model.Committed, error)
			from, want := 0, 0
			for _, size := range sizes {
				page := pageOf(events(from, from+size[0]))
				from += size[0]
				for i := range page.Events {
					if size[1] > 0 {
						unit := fmt.Sprint(i%7, i*i, page.Events[i].ID)
						page.Events[i].Properties = `{"a":"` + strings.Repeat(unit, size[1]/len(unit)) + `"}`
						want += len(page.Events[i].Properties)
					}
				}
				waits = append(waits, s.StartBatch(t.Context(), batchOf(k, page)))
			}
			for _, wait := range waits {
				if _, err := wait(); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if got := ask(t, s, "SELECT sum(length(properties::VARCHAR))::VARCHAR FROM events WHERE length(properties::VARCHAR) > 100"); got != fmt.Sprint(want) {
					t.Errorf("%s bytes of texts, want %d", got, want)
				}
				mustCommit(t, s, k, pageOf(events(from, from+10)))
				from += 10
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				open()
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// At the end of a walk there is memory to compare any number of rejects.
func TestManyRejects(t *testing.T) {
	if testing.Short() {
		t.Skip("much text")
	}
	for name, size := range map[string][2]int{"many": {12_000, 4000}, "long": {200, 200_000}} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "x.duckdb"), Origin: origin, MemoryLimit: store.PullMemoryLimit})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			k := mustWindow(t, s)
			for batch := range 3 {
				rejects := make([]model.Reject, size[0])
				for i := range rejects {
					unit := fmt.Sprint(batch, i, i*i)
					rejects[i] = model.Reject{Key: fmt.Sprint(batch, "-", i), Reason: "missing_id", Raw: `{"name":"` + strings.Repeat(unit, size[1]/len(unit)) + `"}`}
				}
				mustCommit(t, s, k, pageOf(events(batch*10, batch*10+10), rejects...))
			}
			if finalized, err := s.Finalize(t.Context(), uuid.Max, k.Window); err != nil || finalized.Rejected != int64(3*size[0]) {
				t.Errorf("%+v, %v", finalized, err)
			}
		})
	}
}
