package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/store"
)

// leaveLog runs statements on a file and leaves them in its write-ahead log, like a killed process.
func leaveLog(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	for _, statement := range append([]string{"PRAGMA disable_checkpoint_on_shutdown", "SET wal_autocheckpoint = '1TB'"}, statements...) {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// hashes returns the hashes of all files in a folder, by name.
func hashes(t *testing.T, folder string) map[string][sha256.Size]byte {
	t.Helper()
	sums := map[string][sha256.Size]byte{}
	for _, name := range filesIn(t, folder) {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		sums[name] = sha256.Sum256(b)
	}
	return sums
}

// anIndex is a statement that DuckDB 1.5 cannot replay in a read-only instance.
const anIndex = `CREATE INDEX i ON events (type); UPDATE events SET name = 'recovered' WHERE name LIKE '%3'`

// A log that does not belong to the file, for example because an older copy was restored, is not replayed.
// An empty log is not reported as replayed.
func TestRecoverWithAnotherLog(t *testing.T) {
	folder := t.TempDir()
	path, later := filepath.Join(folder, "a.duckdb"), filepath.Join(folder, "later.duckdb")
	s := mustOpen(t, path)
	mustCommit(t, s, mustWindow(t, s), pageOf(events(0, 10)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	put := func(to string, b []byte) {
		t.Helper()
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(from string) []byte {
		t.Helper()
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	put(later, read(path))
	// DuckDB writes that many rows into blocks of the file, and references to them into the log.
	leaveLog(t, later, `INSERT INTO events SELECT e.* REPLACE (uuid() AS id, uuid() AS session_id) FROM events e, range(30000); UPDATE page_log SET stored = stored + 300000`)
	put(path+".wal", read(later+".wal"))
	before := hashes(t, folder)
	_, err := store.Recover(t.Context(), path)
	if !errors.Is(err, dbfile.ErrLog) {
		t.Errorf("%v, want ErrLog", err)
	}
	if after := hashes(t, folder); !maps.Equal(before, after) {
		t.Error("the files have changed")
	}
	put(path+".wal", []byte("rubbish"))
	if done, err := store.Recover(t.Context(), path); err != nil || !done.Void || done.Log != 7 {
		t.Errorf("%+v, %v of a log of rubbish", done, err)
	}
	done, err := store.Recover(t.Context(), later)
	if err != nil || done.Void || done.Log == 0 {
		t.Errorf("%+v, %v of the log's own file", done, err)
	}
}

func TestRecover(t *testing.T) {
	const row = `INSERT INTO events SELECT * REPLACE (uuid() AS id) FROM events LIMIT 1; UPDATE page_log SET stored = stored + 1`
	for _, tc := range []struct {
		name       string
		statements []string
		damage     bool // a byte of the log is another
		unreadable bool // before Recover
		kind       error
		events     int64
		left       []string // what else is in the folder then
	}{
		{name: "no log", events: 10},
		{name: "a log", statements: []string{row}, events: 11},
		{name: "a log that cannot be read", statements: []string{anIndex, row}, unreadable: true, events: 11},
		{name: "a damaged log", statements: []string{row}, damage: true, unreadable: true, kind: dbfile.ErrDamaged, left: []string{"a.duckdb.wal"}},
		{name: "a damaged log that cannot be read", statements: []string{anIndex, row}, damage: true, unreadable: true, kind: dbfile.ErrDamaged, left: []string{"a.duckdb.wal"}},
		{name: "a log of another file", statements: []string{"INSERT INTO checkpoints SELECT * FROM checkpoints"}, kind: dbfile.ErrUnsound, left: []string{"a.duckdb.wal"}},
		{name: "a log of another file that cannot be read", statements: []string{anIndex, "INSERT INTO checkpoints SELECT * FROM checkpoints"}, unreadable: true, kind: dbfile.ErrUnsound, left: []string{"a.duckdb.wal"}},
		{name: "a newer file", statements: []string{anIndex, "UPDATE meta SET value = '99' WHERE key = 'schema_version'"}, unreadable: true, kind: dbfile.ErrNewer, left: []string{"a.duckdb.wal"}},
		{name: "a newer file that can be read", statements: []string{"UPDATE meta SET value = '99' WHERE key = 'schema_version'"}, kind: dbfile.ErrNewer, left: []string{"a.duckdb.wal"}},
		{name: "a file that is not ours", statements: []string{anIndex, "DROP TABLE meta"}, unreadable: true, kind: dbfile.ErrForeign, left: []string{"a.duckdb.wal"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "a.duckdb")
			s := mustOpen(t, path)
			mustCommit(t, s, mustWindow(t, s), pageOf(events(0, 10)))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if len(tc.statements) > 0 {
				leaveLog(t, path, tc.statements...)
			}
			if tc.damage {
				b, err := os.ReadFile(path + ".wal")
				if err != nil {
					t.Fatal(err)
				}
				b[len(b)/2] ^= 1
				if err := os.WriteFile(path+".wal", b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before := hashes(t, folder)
			if tc.unreadable {
				_, err := inspect.OpenReadOnly(t.Context(), path, "UTC")
				if !errors.Is(err, dbfile.ErrUnreplayed) || hintOf(err) != "run datasync status --recover" {
					t.Errorf("to read: %v", err)
				}
				_, err = store.Open(t.Context(), store.Options{Path: path, Origin: origin})
				if !errors.Is(err, dbfile.ErrUnreplayed) {
					t.Errorf("to pull: %v", err)
				}
			}
			done, err := store.Recover(t.Context(), path)
			if tc.kind != nil {
				if !errors.Is(err, tc.kind) {
					t.Errorf("%v, want %v", err, tc.kind)
				}
			} else if err != nil || (done.Log > 0) != (len(tc.statements) > 0) {
				t.Errorf("%+v, %v", done, err)
			} else if got := one[int64](t, path, "SELECT count(*) FROM events"); got != tc.events {
				t.Errorf("%d events, want %d", got, tc.events)
			}
			if got, want := filesIn(t, folder), append([]string{"a.duckdb"}, tc.left...); !slices.Equal(got, want) {
				t.Errorf("left are %v, want %v", got, want)
			}
			if tc.kind == nil && len(tc.statements) > 0 {
				return
			}
			for name, sum := range hashes(t, folder) {
				if before[name] != sum {
					t.Errorf("%s has changed", name)
				}
			}
		})
	}
}

func hintOf(err error) string {
	var e *model.FileError
	if !errors.As(err, &e) {
		return ""
	}
	return e.Hint
}

func TestRecoverIsRefused(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.duckdb")
	recover := func(kind error) {
		t.Helper()
		if _, err := store.Recover(context.Background(), path); !errors.Is(err, kind) {
			t.Errorf("%v, want %v", err, kind)
		}
	}
	recover(dbfile.ErrMissing)
	s := mustOpen(t, path)
	recover(dbfile.ErrLocked)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	recover(dbfile.ErrForeign)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".wal", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	recover(dbfile.ErrDamaged)
	if got := filesIn(t, folder); !slices.Equal(got, []string{"a.duckdb.wal"}) {
		t.Errorf("left are %v", got)
	}
}
