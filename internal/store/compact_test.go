package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/store"

	"github.com/google/uuid"
)

// slowPull writes events as a slow pull does, a page of 5,000 a batch, while readers ask for snapshots. The store is
// still open.
func slowPull(tb testing.TB, path string, total int) *store.Store {
	tb.Helper()
	s := mustOpen(tb, path)
	w := mustWindow(tb, s)
	for from := 0; from < total; from += 5000 {
		mustCommit(tb, s, w, pageOf(events(from, min(total, from+5000))))
		c, err := s.Snapshot(tb.Context())
		if err != nil {
			tb.Fatal(err)
		}
		if err := os.Remove(c.Path); err != nil {
			tb.Fatal(err)
		}
	}
	complete(tb, s, w)
	return s
}

// complete makes the closing check.
func complete(tb testing.TB, s *store.Store, w model.Checkpoint) {
	tb.Helper()
	if _, err := s.Finalize(tb.Context(), uuid.Max, w.Window); err != nil {
		tb.Fatal(err)
	}
}

func sizeOf(tb testing.TB, path string) int64 {
	tb.Helper()
	n, err := dbfile.SizeOf(path)
	if err != nil || n == 0 {
		tb.Fatal(n, err)
	}
	return n
}

func fingerprint(tb testing.TB, path string) inspect.Fingerprint {
	tb.Helper()
	db, err := inspect.OpenReadOnly(tb.Context(), path, "UTC")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	f, err := inspect.ReadFingerprint(tb.Context(), db, path)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// The file of a slow pull is at most a tenth larger than that of a fast pull of the same events. It has the same rows
// as before, in the same order, and the next pull continues it.
func TestCompact(t *testing.T) {
	const total = 100_000
	folder := t.TempDir()
	fast, slow := filepath.Join(folder, "fast.duckdb"), filepath.Join(folder, "slow.duckdb")
	s := mustOpen(t, fast)
	w := mustWindow(t, s)
	mustCommit(t, s, w, pageOf(events(0, total)))
	complete(t, s, w)
	if done, err := s.CloseAndCompact(t.Context()); err != nil || done.Skipped != nil {
		t.Fatal(done, err)
	}
	s = slowPull(t, slow, total)
	if err := os.Chmod(slow, 0o640); err != nil {
		t.Fatal(err)
	}
	const log = "SELECT string_agg(p::VARCHAR, ';' ORDER BY rowid) FROM page_log p"
	var before string
	if err := s.DB().QueryRow(log).Scan(&before); err != nil {
		t.Fatal(err)
	}
	done, err := s.CloseAndCompact(t.Context())
	if err != nil || done.Skipped != nil {
		t.Fatal(done, err)
	}
	want := sizeOf(t, fast)
	t.Logf("%d bytes, rewritten %d; a fast pull needs %d", done.Before, done.After, want)
	if done.Before < want*5/4 || done.After != sizeOf(t, slow) || done.After > want*11/10 {
		t.Errorf("%d bytes, then %d; a fast pull needs %d", done.Before, done.After, want)
	}
	if fingerprint(t, slow) != fingerprint(t, fast) {
		t.Error("other events")
	}
	if after := one[string](t, slow, log); after != before {
		t.Errorf("page log %s, before %s", after, before)
	}
	if n := one[int64](t, slow, "SELECT count(DISTINCT batch) FROM events"); n != total/5000 {
		t.Errorf("%d batches", n)
	}
	if info, err := os.Stat(slow); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	onlyFiles(t, folder, "fast.duckdb", "slow.duckdb")
	s = mustOpen(t, slow)
	mustCommit(t, s, w, pageOf(events(total, total+10)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := one[int64](t, slow, "SELECT count(*) FROM events"); n != total+10 {
		t.Errorf("%d events", n)
	}
}

// onlyFiles checks that the folder has no other database, log or copy.
func onlyFiles(tb testing.TB, folder string, want ...string) {
	tb.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "*.duckdb*"))
	if err != nil {
		tb.Fatal(err)
	}
	expected := map[string]bool{}
	for _, name := range want {
		expected[name], expected[name+".lock"] = true, true
	}
	for _, name := range found {
		if !expected[filepath.Base(name)] {
			tb.Errorf("left over: %s", name)
		}
	}
}

// A file that cannot be replaced stays unchanged, and the pull is complete nevertheless.
func TestCompactIsSkipped(t *testing.T) {
	const total = 40_000
	link := ""
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, s *store.Store) context.Context
		want    error // nil for any
	}{
		"no room": {func(t *testing.T, s *store.Store) context.Context {
			s.Free(func(string) (int64, error) { return 20 << 20, nil })
			return t.Context()
		}, dbfile.ErrNoRoomForCopy},
		"a signal": {func(t *testing.T, _ *store.Store) context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx
		}, context.Canceled},
		"another name": {func(t *testing.T, s *store.Store) context.Context {
			link = filepath.Join(t.TempDir(), "link.duckdb")
			if err := os.Link(s.Path(), link); err != nil {
				t.Skip(err)
			}
			return t.Context()
		}, nil},
		"a table of the user": {func(t *testing.T, s *store.Store) context.Context {
			if _, err := s.DB().Exec("CREATE TABLE mine AS SELECT 1 AS x"); err != nil {
				t.Fatal(err)
			}
			return t.Context()
		}, nil},
		"an index of the user": {func(t *testing.T, s *store.Store) context.Context {
			if _, err := s.DB().Exec("CREATE INDEX mine ON runs (tool_version)"); err != nil {
				t.Fatal(err)
			}
			return t.Context()
		}, nil},
		"a comment of the user": {func(t *testing.T, s *store.Store) context.Context {
			if _, err := s.DB().Exec("COMMENT ON COLUMN events.name IS 'mine'"); err != nil {
				t.Fatal(err)
			}
			return t.Context()
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.duckdb")
			s := slowPull(t, path, total)
			ctx := tc.prepare(t, s)
			before, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			done, err := s.CloseAndCompact(ctx)
			if err != nil || done.Skipped == nil && !errors.Is(tc.want, context.Canceled) || tc.want != nil && done.Skipped != nil && !errors.Is(done.Skipped, tc.want) {
				t.Errorf("%v, skipped %v; want %v", err, done.Skipped, tc.want)
			}
			if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
				t.Errorf("it was replaced: %v", err)
			}
			if n := one[int64](t, path, "SELECT count(*) FROM events"); n != total {
				t.Errorf("%d events", n)
			}
			onlyFiles(t, filepath.Dir(path), "a.duckdb")
		})
	}
}

// A file with few unused blocks is not rewritten.
func TestCompactOfADenseFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	w := mustWindow(t, s)
	mustCommit(t, s, w, pageOf(events(0, 2000)))
	complete(t, s, w)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.CloseAndCompact(t.Context())
	if err != nil || done.Skipped != nil || done.Before != done.After {
		t.Errorf("%+v, %v", done, err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("it was replaced: %v", err)
	}
}
