package inspect_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/store"
	"datasync/internal/store/storetest"
)

const origin = "http://api.test:80"

// newFile makes an empty file.
func newFile(t *testing.T, path string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: path, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// The error has DuckDB's text, but not its advice to change settings, which are locked.
func TestQueriesThatRunOutOfMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	newFile(t, path)
	session, err := inspect.OpenSession(t.Context(), path, inspect.ReadOptions{MemoryLimit: "8MB"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	_, err = session.Exec(t.Context(), "CREATE TEMP TABLE x AS SELECT uuid()::VARCHAR AS u FROM range(1000000) ORDER BY u")
	if !errors.Is(err, dbfile.ErrMemory) || strings.Contains(err.Error(), "SET ") {
		t.Errorf("%v, want %v", err, dbfile.ErrMemory)
	}
}

// A query of a damaged file fails otherwise than wrong SQL.
func TestQueriesOfADamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	newFile(t, path)
	fill(t, path)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	// The first and the last blocks hold the catalog, which must stay readable.
	for at := int64(12_288) + 2*262_144 + 1000; at < info.Size()*3/4; at += 262_144 {
		if _, err := f.WriteAt([]byte("damaged"), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	session, err := inspect.OpenSession(t.Context(), path, inspect.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	_, err = session.Exec(t.Context(), "CREATE TEMP TABLE x AS SELECT sum(hash(e::VARCHAR)) FROM events e")
	if !errors.Is(err, dbfile.ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v, want %v", err, dbfile.ErrDamaged)
	}
	if _, err := session.Exec(t.Context(), "SELECT checksum FROM events"); err == nil || errors.Is(err, dbfile.ErrDamaged) {
		t.Errorf("a column that is not there: %v", err)
	}
}

// fill adds 50,000 events to a file.
func fill(t *testing.T, path string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: path, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	page := model.Page{Descending: true}
	for n := range 50_000 {
		page.Events = append(page.Events, storetest.Event(n))
	}
	k, err := s.OpenWindow(t.Context(), sql.Null[model.Instant]{}, sql.Null[model.Instant]{})
	if err == nil {
		_, err = s.CommitBatch(t.Context(), model.Batch{Pages: []model.Page{page}, Checkpoint: k})
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
}
