package store_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"datasync/internal/inspect"
	"datasync/internal/model"
)

// If the log ends within the transaction of a whole row group, the table may have its events. The file is
// sound, and the next pull stores each event once.
func TestLogsThatBreakOffInATransaction(t *testing.T) {
	if testing.Short() {
		t.Skip("many copies of two row groups")
	}
	ctx, folder := context.Background(), t.TempDir()
	path := filepath.Join(folder, "a.duckdb")
	// Another process copies the file, as this one would lose DuckDB's lock.
	copied := func(from, to string) {
		t.Helper()
		for _, end := range []string{"", ".wal"} {
			if out, err := exec.Command("cp", from+end, to+end).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
	}
	logOf := func(path string) int64 {
		t.Helper()
		info, err := os.Stat(path + ".wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	s := mustOpen(t, path)
	w := mustWindow(t, s)
	mustCommit(t, s, w, pageOf(rowGroup(0)))
	before := logOf(path)
	mustCommit(t, s, w, pageOf(rowGroup(1)))
	after := logOf(path)
	killed := filepath.Join(folder, "killed.duckdb")
	copied(path, killed)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	kept := 0
	// The last entry ends the transaction, and the one before it has the row group.
	for _, size := range []int64{before, before + 1, (before + after) / 2, after - 40, after - 24, after - 12, after - 4, after - 1, after} {
		path := filepath.Join(t.TempDir(), "b.duckdb")
		copied(killed, path)
		if err := os.Truncate(path+".wal", size); err != nil {
			t.Fatal(err)
		}
		db, err := inspect.OpenReadOnly(ctx, path, "UTC")
		if err != nil {
			t.Fatal(err)
		}
		findings, errVerify := inspect.Verify(ctx, db, path)
		for _, f := range findings {
			if f.Check == "counts" {
				t.Errorf("%d of %d bytes: %+v", size, after, f)
			}
		}
		var events int64
		if err := errors.Join(errVerify, db.QueryRow("SELECT count(*) FROM events").Scan(&events), db.Close()); err != nil {
			t.Fatal(err)
		}
		want := int64(model.MaxRows)
		if size == after {
			want *= 2
		} else if events > want {
			kept++
		}
		s := mustOpen(t, path)
		if s.Removed() != events-want {
			t.Errorf("%d of %d bytes: %d events, of which %d were removed", size, after, events, s.Removed())
		}
		held, err := s.Held(ctx)
		if err != nil || held != want {
			t.Errorf("%d of %d bytes: %d events, %v; want %d", size, after, held, err, want)
		}
		windows, err := s.Windows(ctx)
		if err != nil {
			t.Fatal(err)
		}
		done := mustCommit(t, s, windows[0], pageOf(rowGroup(1)))
		if again := size == after; again != (done.Stored == 0) || done.Stored+done.Duplicate != model.MaxRows {
			t.Errorf("%d of %d bytes: %+v", size, after, done)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if kept == 0 {
		t.Error("DuckDB keeps no part of a transaction any more: removeUncommitted is not needed")
	}
}
