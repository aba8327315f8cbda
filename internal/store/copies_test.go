package store_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/store"

	"github.com/google/uuid"
)

// moved returns a later copy of an event, with an instant n seconds before its own.
func moved(e model.Event, n int) model.Event {
	e.Timestamp -= model.Instant(n) * 1_000_000
	return e
}

// mustAddUp fails for any finding of Verify, except about the chain of pages, which these histories do not
// have.
func mustAddUp(t *testing.T, path string) {
	t.Helper()
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	findings, err := inspect.Verify(context.Background(), db, path)
	if err != nil {
		t.Error(err)
	}
	for _, f := range findings {
		if f.Check != "chain" {
			t.Error(f)
		}
	}
}

// The closing check removes all copies and nothing else, for any kind of ids and for poor fingerprints.
func TestFinalizeRemovesExactlyTheCopies(t *testing.T) {
	poor := func(bits uint64) func([][2]uint64, []uint64) {
		return func(ids [][2]uint64, out []uint64) {
			for i := range ids {
				out[i] = (ids[i][0] ^ ids[i][1]) % bits
			}
		}
	}
	limits := []struct {
		name              string
		by                func([][2]uint64, []uint64)
		words, candidates int
	}{
		{"usual", store.Fingerprints, 1 << 22, 1_000_000},
		{"many shares", store.Fingerprints, 64, 10_000},
		{"poor fingerprints", poor(512), 1 << 12, 100_000},
		{"one fingerprint", poor(1), 1 << 12, 100_000},
		{"no room for candidates", poor(1), 1 << 12, 0},
	}
	ids := []struct {
		name string
		id   func(n int) uuid.UUID
	}{
		{"random", func(n int) uuid.UUID { return event(n).ID }},
		{"alike in the high half", func(n int) (id uuid.UUID) { binary.BigEndian.PutUint64(id[8:], uint64(n)); return id }},
		{"alike in the low half", func(n int) (id uuid.UUID) { binary.BigEndian.PutUint64(id[:8], uint64(n)<<40); return id }},
	}
	for _, l := range limits {
		for _, kind := range ids {
			t.Run(l.name+"/"+kind.name, func(t *testing.T) {
				series := func(from, to int) []model.Event {
					list := events(from, to)
					for i := range list {
						list[i].ID = kind.id(from + i)
					}
					return list
				}
				path := filepath.Join(t.TempDir(), "a.duckdb")
				s := mustOpen(t, path)
				s.SearchBy(l.by, l.words, l.candidates)
				w := mustWindow(t, s)
				finalize := func(want model.Finalized) {
					t.Helper()
					if got, err := s.Finalize(context.Background(), uuid.Max, w.Window); err != nil || got != want {
						t.Errorf("%+v, %v; want %+v", got, err, want)
					}
				}
				first := series(0, 3000)
				mustCommit(t, s, w, pageOf(first))
				finalize(model.Finalized{Events: 3000})
				// Of the batch before, within the batch, three times, and none at all.
				mustCommit(t, s, w, pageOf(append(series(3000, 5000), moved(first[0], 3600), moved(first[2999], 3600), moved(series(4000, 4001)[0], 3600))))
				mustCommit(t, s, w, pageOf([]model.Event{moved(first[0], 7200)}))
				finalize(model.Finalized{Events: 5000, Removed: 4})
				mustCommit(t, s, w, pageOf(series(5000, 5100)))
				finalize(model.Finalized{Events: 5100})
				mustCommit(t, s, w, pageOf([]model.Event{moved(series(5099, 5100)[0], 9000)}))
				finalize(model.Finalized{Events: 5100, Removed: 1})
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				mustAddUp(t, path)
				if kept := one[bool](t, path, fmt.Sprintf(`SELECT count(*) = 5100 AND count(DISTINCT id) = 5100 AND
					min("timestamp") = make_timestamptz(%d) FROM events`, event(5099).Timestamp)); !kept {
					t.Error("not the first copies have stayed")
				}
			})
		}
	}
}

// The copies are in the first and the last rows of the file.
func TestFinalizeChecksAllOfAFileThatWasNeverChecked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	w := mustWindow(t, s)
	for from := 0; from < 9000; from += 3000 {
		mustCommit(t, s, w, pageOf(append(events(from, from+3000), moved(event(from), 3600))))
	}
	mustCommit(t, s, w, pageOf([]model.Event{moved(event(8999), 7200), moved(event(0), 7300)}))
	if got, err := s.Finalize(context.Background(), uuid.Max, w.Window); err != nil || got != (model.Finalized{Events: 9000, Removed: 5}) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mustAddUp(t, path)
}

// A check that is cancelled before any of its operations changes nothing, and the next check does all of it.
func TestFinalizeEndsWithTheContext(t *testing.T) {
	for _, candidates := range []int{0, 1_000_000} {
		path := filepath.Join(t.TempDir(), "a.duckdb")
		s := mustOpen(t, path)
		s.SearchBy(store.Fingerprints, 1<<12, candidates)
		w := mustWindow(t, s)
		mustCommit(t, s, w, pageOf(events(0, 5000)))
		mustCommit(t, s, w, pageOf([]model.Event{moved(event(7), 3600)}))
		ended := 0
		for n := 1; ; n++ {
			ctx, cancel := context.WithCancel(context.Background())
			count := 0
			s.Around(func(do func() error) error {
				if count++; count == n {
					cancel()
				}
				return do()
			})
			got, err := s.Finalize(ctx, uuid.Max, w.Window)
			cancel()
			if err == nil {
				if got != (model.Finalized{Events: 5000, Removed: 1}) {
					t.Errorf("%+v after %d ends", got, ended)
				}
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			ended++
		}
		if ended == 0 {
			t.Error("it never ended")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		mustAddUp(t, path)
	}
}
