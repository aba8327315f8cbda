package store_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/store"
)

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
		{"DuckDB file of another program", other, dbfile.ErrForeign},
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

// An older program stored the origin as it was typed, which is the same origin.
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

func TestPullingSeesTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pulling := func() bool {
		t.Helper()
		held, err := dbfile.Pulling(path)
		if err != nil {
			t.Error(err)
		}
		return held
	}
	if pulling() {
		t.Error("there is no file yet")
	}
	s := mustOpen(t, path)
	if !pulling() {
		t.Error("a pull holds the lock")
	}
	if err := s.Close(); err != nil || pulling() {
		t.Errorf("%v, or no process holds the lock any more", err)
	}
	// A killed pull leaves a lock file.
	if err := os.WriteFile(path+".lock", nil, 0o600); err != nil || pulling() {
		t.Errorf("%v, or no process holds the lock", err)
	}
}
