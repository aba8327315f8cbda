package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"datasync/internal/store"

	"github.com/google/uuid"
)

// ask returns the answer to a query, as the store's database has it now.
func ask(t *testing.T, s *store.Store, query string) (answer string) {
	t.Helper()
	if err := s.DB().QueryRow(query).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func countEvents(t *testing.T, s *store.Store) int {
	t.Helper()
	n, err := strconv.Atoi(ask(t, s, "SELECT count(*)::VARCHAR FROM events"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// commitStaged commits a full batch, so that there is room to stage, then stages the next
// pages and commits them.
func commitStaged(t *testing.T, s *store.Store, k store.Checkpoint, first, next []store.Page) store.Committed {
	t.Helper()
	mustCommit(t, s, k, first...)
	k.State = store.UnderWay
	b := store.Batch{Run: uuid.Max, Pages: next, Checkpoint: k}
	s.Stage(&b)
	if !s.IsStaged(&b) {
		t.Fatal("nothing was staged")
	}
	if n := countEvents(t, s); n != store.MaxRows {
		t.Fatalf("%d events can be seen before the commit, want %d", n, store.MaxRows)
	}
	done, err := s.CommitBatch(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// TestStaged: a staged batch is stored as one that was not, to the row and the page log.
func TestStaged(t *testing.T) {
	full := pageOf(events(0, store.MaxRows))
	for _, tc := range []struct {
		name string
		next []store.Page
		want store.Counts
	}{
		{"all new", []store.Page{pageOf(events(store.MaxRows, store.MaxRows+3000)), pageOf(events(store.MaxRows+3000, store.MaxRows+5001))},
			store.Counts{Returned: 5001, Stored: 5001}},
		{"some stored before", []store.Page{pageOf(events(store.MaxRows-10, store.MaxRows+3000))},
			store.Counts{Returned: 3010, Stored: 3000, Duplicate: 10}},
		{"all stored before", []store.Page{pageOf(events(5, 2500))}, store.Counts{Returned: 2495, Duplicate: 2495}},
		{"with rejects, and an empty page at the end", []store.Page{pageOf(events(store.MaxRows, store.MaxRows+10), store.Reject{Key: "k", Reason: "bad_id", Raw: "{}"}), pageOf(nil)},
			store.Counts{Returned: 11, Stored: 10, Rejected: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var tables [2]string
			for i := range tables {
				s := mustOpen(t, filepath.Join(t.TempDir(), "x.duckdb"))
				k := mustWindow(t, s)
				var done store.Committed
				if i == 0 {
					done = commitStaged(t, s, k, []store.Page{full}, tc.next)
				} else {
					mustCommit(t, s, k, full)
					done = mustCommit(t, s, k, tc.next...)
				}
				if done.Counts != tc.want {
					t.Errorf("counts %+v, want %+v", done.Counts, tc.want)
				}
				tables[i] = ask(t, s, `SELECT (SELECT count(*)::VARCHAR || ' ' || bit_xor(hash(e::VARCHAR)) FROM events e) || ' ' ||
					(SELECT string_agg(concat_ws(',', batch, returned, stored, duplicate, rejected, checksum, first_id, last_id), ' ' ORDER BY rowid) FROM page_log)`)
			}
			if tables[0] != tables[1] {
				t.Errorf("staged     %s\nnot staged %s", tables[0], tables[1])
			}
		})
	}
}

// TestNothingToStage: what is not in order, or comes out of turn, is left to CommitBatch.
func TestNothingToStage(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "x.duckdb"))
	k := mustWindow(t, s)
	ordered := store.Batch{Run: uuid.Max, Pages: []store.Page{pageOf(events(0, 10))}, Checkpoint: k}
	if s.Stage(&ordered); s.IsStaged(&ordered) {
		t.Error("staged before the first commit")
	}
	mustCommit(t, s, k, pageOf(events(0, store.MaxRows)))
	twice := pageOf(events(store.MaxRows, store.MaxRows+10))
	for name, pages := range map[string][]store.Page{
		"pages that overlap": {twice, twice},
		"not descending":     {{Events: twice.Events}},
		"no events":          {pageOf(nil)},
		"too many":           {pageOf(events(store.MaxRows, 2*store.MaxRows+1))},
	} {
		b := store.Batch{Run: uuid.Max, Pages: pages, Checkpoint: k}
		if s.Stage(&b); s.IsStaged(&b) {
			t.Errorf("%s: staged", name)
		}
	}
	// Of two, one is staged, and neither is stored by the other's commit.
	a := store.Batch{Run: uuid.Max, Pages: []store.Page{pageOf(events(store.MaxRows, store.MaxRows+10))}, Checkpoint: k}
	b := store.Batch{Run: uuid.Max, Pages: []store.Page{pageOf(events(store.MaxRows+10, store.MaxRows+15))}, Checkpoint: k}
	s.Stage(&a)
	if s.Stage(&b); !s.IsStaged(&a) || s.IsStaged(&b) {
		t.Fatal("want the first of two staged")
	}
	if done, err := s.CommitBatch(t.Context(), b); err != nil || done.Stored != 5 {
		t.Errorf("%+v, %v", done, err)
	}
	if done, err := s.CommitBatch(t.Context(), a); err != nil || done.Stored != 10 {
		t.Errorf("%+v, %v", done, err)
	}
	if n := countEvents(t, s); n != store.MaxRows+15 {
		t.Errorf("%d events", n)
	}
}

// TestStagedAndClosed: what was staged and not committed is gone with the store.
func TestStagedAndClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.duckdb")
	opts := store.Options{Path: path, Origin: origin, ToolVersion: "test", MemoryLimit: "64MB"}
	for round := range 2 {
		s, err := store.Open(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		if n := countEvents(t, s); n != round*store.MaxRows {
			t.Fatalf("%d events", n)
		}
		k := mustWindow(t, s)
		from := round * store.MaxRows
		mustCommit(t, s, k, pageOf(events(from, from+store.MaxRows)))
		b := store.Batch{Run: uuid.Max, Pages: []store.Page{pageOf(events(from+store.MaxRows, from+2*store.MaxRows))}, Checkpoint: k}
		if s.Stage(&b); !s.IsStaged(&b) {
			t.Fatal("not staged")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStagedTexts: DuckDB does not store by itself what is staged, however much text it
// is, and a pull's limit is enough for as long texts as a batch may hold.
func TestStagedTexts(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "x.duckdb"), Origin: origin, MemoryLimit: store.PullMemoryLimit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	large := events(store.MaxRows, store.MaxRows+250)
	for i := range large {
		large[i].Properties = `{"a":"` + strings.Repeat(fmt.Sprint(i%7, i), 200_000/len(fmt.Sprint(i%7, i))) + `"}`
	}
	commitStaged(t, s, mustWindow(t, s), []store.Page{pageOf(events(0, store.MaxRows))}, []store.Page{pageOf(large)})
	var want int
	for i := range large {
		want += len(large[i].Properties)
	}
	if got := ask(t, s, fmt.Sprintf("SELECT sum(length(properties::VARCHAR))::VARCHAR FROM events WHERE batch = 2 AND length(properties::VARCHAR) > %d", 100)); got != fmt.Sprint(want) {
		t.Errorf("%s bytes of texts, want %d", got, want)
	}
}

// TestStagedNotStored: where a staged batch cannot be stored, nothing of it is.
func TestStagedNotStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.duckdb")
	s := mustOpen(t, path)
	k := mustWindow(t, s)
	mustCommit(t, s, k, pageOf(events(0, store.MaxRows)))
	b := store.Batch{Run: uuid.Max, Pages: []store.Page{pageOf(events(store.MaxRows, store.MaxRows+5000))}, Checkpoint: k}
	s.Stage(&b)
	want := errors.New("out of space")
	operations := 0
	s.Around(func(do func() error) error {
		if operations++; operations == 3 { // BEGIN, what is stored, the events
			return want
		}
		return do()
	})
	if _, err := s.CommitBatch(t.Context(), b); !errors.Is(err, want) || s.IsStaged(&b) {
		t.Fatal(err, operations)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := store.OpenReadOnly(t.Context(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var n int
	if err := db.QueryRow("SELECT count(*) FROM events").Scan(&n); err != nil || n != store.MaxRows {
		t.Errorf("%d events, %v", n, err)
	}
}
