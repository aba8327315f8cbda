package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/model"
	"datasync/internal/store"

	"github.com/google/uuid"
)

// mustSnapshot makes a snapshot and removes it when the test ends.
func mustSnapshot(t *testing.T, s *store.Store) store.Snapshot {
	t.Helper()
	c, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// filesIn lists a folder.
func filesIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func TestSnapshotHoldsWhatIsCommitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "an 'odd' näme.duckdb")
	s := mustOpen(t, path)
	w := mustWindow(t, s)
	for batch := range 3 {
		done := mustCommit(t, s, w, pageOf(events(10*batch, 10*batch+10)))
		c := mustSnapshot(t, s)
		if !dbfile.IsSnapshot(s.Path(), c.Path) || c.Batch != done.Batch || c.Events != int64(10*batch+10) || c.Change != s.Changes() {
			t.Errorf("%+v after batch %d", c, done.Batch)
		}
		if info, err := os.Stat(c.Path); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v; want a file of this user alone", info.Mode(), err)
		}
		if got := one[string](t, c.Path, "SELECT count(*) || ' ' || max(batch) FROM events"); got != fmt.Sprint(c.Events, " ", c.Batch) {
			t.Errorf("the copy holds %s, want %+v", got, c)
		}
		// Later commits are not in it.
		if got := filesIn(t, filepath.Dir(path)); slices.Contains(got, filepath.Base(c.Path)+".wal") {
			t.Errorf("the copy has a log: %v", got)
		}
		if err := os.Remove(c.Path); err != nil {
			t.Error(err)
		}
	}
}

func TestChangesCountWhatIsWritten(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "a.duckdb"))
	ctx := t.Context()
	w := mustWindow(t, s)
	for name, write := range map[string]func() error{
		"a batch":    func() error { mustCommit(t, s, w, pageOf(events(0, 1))); return nil },
		"a wait":     func() error { return s.SetNotBefore(ctx, "feed", time.Second) },
		"a run":      func() error { return s.BeginRun(ctx, uuid.Max, time.Now()) },
		"its end":    func() error { return s.EndRun(ctx, model.Run{ID: uuid.Max}) },
		"a settling": func() error { _, err := s.Finalize(ctx, uuid.Max, w.Window); return err },
		"a window":   func() error { _, err := s.OpenWindow(ctx, noInstant, noInstant); return err },
	} {
		before := s.Changes()
		if err := write(); err != nil || s.Changes() == before {
			t.Errorf("%s: %v, %d changes, as before", name, err, before)
		}
	}
	before := s.Changes()
	_, _, err1 := s.Status(ctx, 3)
	_, err2 := s.Windows(ctx)
	_, err3 := s.Held(ctx)
	c := mustSnapshot(t, s)
	if err := errors.Join(err1, err2, err3); err != nil || s.Changes() != before || c.Change != before {
		t.Errorf("reading: %v, %d changes, were %d", err, s.Changes(), before)
	}
}

// Each copy is sound and holds the batches up to its own, while others read and write.
func TestSnapshotsAmongWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	w := mustWindow(t, s)
	ctx, written := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	var mu sync.Mutex
	var copies []store.Snapshot
	for range 2 {
		readers.Go(func() {
			// At least one, even if all writes end before this begins.
			for first := true; first || ctx.Err() == nil; first = false {
				c, err := s.Snapshot(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				copies = append(copies, c)
				mu.Unlock()
			}
		})
		readers.Go(func() {
			for ctx.Err() == nil {
				if _, _, err := s.Status(t.Context(), 3); err != nil {
					t.Error(err)
					return
				}
			}
		})
		readers.Go(func() {
			for ctx.Err() == nil {
				if err := s.SetNotBefore(t.Context(), "feed", time.Second); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	const batches, size = 30, 500
	for batch := range batches {
		mustCommit(t, s, w, pageOf(events(batch*size, batch*size+size)))
	}
	written()
	readers.Wait()
	for _, c := range copies {
		got := one[string](t, c.Path, "SELECT count(*) || ' ' || coalesce(max(batch), 0) || ' ' || (SELECT coalesce(sum(stored), 0)::BIGINT FROM page_log) FROM events")
		if got != fmt.Sprint(c.Batch*size, " ", c.Batch, " ", c.Batch*size) || c.Events != c.Batch*size {
			t.Errorf("%+v holds %s", c, got)
		}
	}
	if c := mustSnapshot(t, s); c.Batch != batches || len(copies) < 2 {
		t.Errorf("%d copies were made, the last as of batch %d", len(copies), c.Batch)
	}
}

func TestSnapshotIsRefused(t *testing.T) {
	full := func(free int64) func(*testing.T, *store.Store) {
		return func(_ *testing.T, s *store.Store) { s.Free(func(string) (int64, error) { return free, nil }) }
	}
	for _, tc := range []struct {
		name    string
		prepare func(*testing.T, *store.Store)
		kind    error
		text    string
		broken  bool // nothing can be committed any more
	}{
		{"no room for a checkpoint", full(1 << 20), dbfile.ErrNoRoomForCopy, "17 MiB are needed, 1 MiB are free", false},
		{"no room for the copy", func(t *testing.T, s *store.Store) {
			asked := 0
			s.Free(func(folder string) (int64, error) {
				if asked++; asked == 1 {
					return 1 << 40, nil
				}
				if _, err := os.Stat(s.Path() + ".wal"); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the log is still there: %v", err)
				}
				return 2 << 20, nil
			})
		}, dbfile.ErrNoRoomForCopy, "MiB are needed, 2 MiB are free; free some space", false},
		{"a transaction that does not end", func(t *testing.T, s *store.Store) {
			tx, err := s.DB().Begin()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = tx.Rollback() })
			var n int
			if err := tx.QueryRow("SELECT count(*) FROM checkpoint").Scan(&n); err != nil {
				t.Fatal(err)
			}
			windows, err := s.Windows(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			// The transaction still sees the rows that both writers had before.
			for n := range model.Writers {
				mustCommit(t, s, windows[0], pageOf(events(10+10*n, 20+10*n)))
			}
		}, dbfile.ErrLocked, "try again", false},
		{"a commit that failed", func(t *testing.T, s *store.Store) {
			w := mustWindow(t, s)
			failNth(s, 2, false, false)
			_, err := s.CommitBatch(t.Context(), model.Batch{Run: uuid.Max, Pages: []model.Page{pageOf(events(10, 20))}, Checkpoint: w})
			if !errors.Is(err, errInjected) {
				t.Fatal(err)
			}
		}, dbfile.ErrLocked, "about to end", true},
		{"a store that is closed", func(t *testing.T, s *store.Store) {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}, dbfile.ErrLocked, "about to end", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			folder := t.TempDir()
			s := mustOpen(t, filepath.Join(folder, "a.duckdb"))
			mustCommit(t, s, mustWindow(t, s), pageOf(events(0, 10)))
			tc.prepare(t, s)
			_, err := s.Snapshot(t.Context())
			if !errors.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v; want %v: %s", err, tc.kind, tc.text)
			}
			if left := strings.Join(filesIn(t, folder), " "); strings.Contains(left, ".snapshot-") {
				t.Errorf("a copy is left: %s", left)
			}
			if !tc.broken {
				mustCommit(t, s, mustWindow(t, s), pageOf(events(20, 30)))
			}
		})
	}
}

// setCp makes a script copy snapshots, for which "$3" is the file.
func setCp(t *testing.T, script string) {
	t.Helper()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "cp"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
}

// A cp that outlives its pull, and copies after the next one has removed its target, leaves no file.
func TestSnapshotByAnOrphan(t *testing.T) {
	folder := t.TempDir()
	s := mustOpen(t, filepath.Join(folder, "a.duckdb"))
	setCp(t, `/bin/rm -- "$3".snapshot-* && exec /bin/cp -- "$3" "$4"`)
	c := mustSnapshot(t, s)
	if got := filesIn(t, folder); slices.Contains(got, filepath.Base(c.Path)) || len(got) != 2 {
		t.Errorf("left are %v, want the database and its lock", got)
	}
}

// A file system that shares blocks needs no free space. The cp of this test reports that it does.
func TestSnapshotSharesBlocks(t *testing.T) {
	setCp(t, `[ "$1 $2" = '--reflink=always --' ] && [ -z "$DATASYNC_API_KEY" ] && exec /bin/cp -- "$3" "$4"; exit 1`)
	t.Setenv("DATASYNC_API_KEY", "ds_test_canary")
	s := mustOpen(t, filepath.Join(t.TempDir(), "a.duckdb"))
	mustCommit(t, s, mustWindow(t, s), pageOf(events(0, 10)))
	asked := 0
	s.Free(func(string) (int64, error) { asked++; return 1 << 30, nil })
	c := mustSnapshot(t, s)
	if got := one[int64](t, c.Path, "SELECT count(*) FROM events"); got != 10 || asked != 1 {
		t.Errorf("%d events, room was asked for %d times, want once: for the log", got, asked)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := s.Snapshot(t.Context()); err == nil || !strings.Contains(err.Error(), "copy the file: exec: \"cp\"") {
		t.Errorf("without cp: %v", err)
	}
	mustCommit(t, s, mustWindow(t, s), pageOf(events(10, 20)))
}

func TestSnapshotIsCancelled(t *testing.T) {
	folder := t.TempDir()
	s := mustOpen(t, filepath.Join(folder, "a.duckdb"))
	mustCommit(t, s, mustWindow(t, s), pageOf(events(0, 10)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Snapshot(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left := strings.Join(filesIn(t, folder), " "); strings.Contains(left, ".snapshot-") {
		t.Errorf("a copy is left: %s", left)
	}
	mustCommit(t, s, mustWindow(t, s), pageOf(events(20, 30)))
	if c := mustSnapshot(t, s); c.Batch != 2 || c.Events != 20 {
		t.Errorf("%+v", c)
	}
}

// Open removes the leftovers of a killed pull, but no other file with a similar name.
func TestOpenRemovesCopies(t *testing.T) {
	folder := t.TempDir()
	kept := []string{"a.duckdb", "a.duckdb.snapshot-2026-01-31", "a.duckdb.snapshot-0123456789abcdef.gz", "b.duckdb.snapshot-0123456789abcdef", "a.duckdb.snapshot-0123456789ABCDEF"}
	for _, name := range append([]string{"a.duckdb.snapshot-0123456789abcdef", "a.duckdb.snapshot-0123456789abcdef.wal"}, kept[1:]...) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "a.duckdb.snapshot-ffffffffffffffff"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := mustOpen(t, filepath.Join(folder, "a.duckdb")).Close(); err != nil {
		t.Fatal(err)
	}
	want := append(kept, "a.duckdb.snapshot-ffffffffffffffff")
	slices.Sort(want)
	if got := filesIn(t, folder); !slices.Equal(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
}
