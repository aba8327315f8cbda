package export_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"datasync/export"
	"datasync/internal/dbfile"
	"datasync/internal/model"
	"datasync/internal/store"
	"datasync/internal/store/storetest"

	"github.com/google/uuid"
)

// fixture is a database file to which batches can be added.
type fixture struct {
	t    testing.TB
	path string
	run  uuid.UUID
}

func newFixture(t testing.TB) *fixture {
	return &fixture{t, filepath.Join(t.TempDir(), "a.duckdb"), uuid.New()}
}

// commit adds each slice of events as a batch, and leaves the pull in that state.
func (f *fixture) commit(state model.State, batches ...[]model.Event) {
	f.t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{Path: f.path, Origin: "http://api.test:80"})
	if err != nil {
		f.t.Fatal(err)
	}
	windows, err := s.Windows(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	if len(windows) == 0 {
		k, err := s.OpenWindow(ctx, sql.Null[model.Instant]{}, sql.Null[model.Instant]{})
		if err != nil {
			f.t.Fatal(err)
		}
		windows = append(windows, k)
	}
	windows[0].State = state
	if len(batches) == 0 {
		batches = [][]model.Event{nil}
	}
	for _, events := range batches {
		b := model.Batch{Run: f.run, Pages: []model.Page{{Events: events}}, Checkpoint: windows[0]}
		if _, err := s.CommitBatch(ctx, b); err != nil {
			f.t.Fatal(err)
		}
	}
	if state == model.Done {
		if _, err := s.Finalize(ctx, f.run, windows[0].Window); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		f.t.Fatal(err)
	}
}

// series returns the events of storetest from a number up to another, which descend in time.
func series(from, to int) []model.Event {
	var events []model.Event
	for n := from; n < to; n++ {
		e := storetest.Event(n)
		e.Type = []string{"click", "view", "error"}[n%3]
		events = append(events, e)
	}
	return events
}

// database makes a file with that many events, in batches of the store's maximum.
func database(t testing.TB, events int) *fixture {
	t.Helper()
	f := newFixture(t)
	var batches [][]model.Event
	for from := 0; from < events; from += model.MaxRows {
		batches = append(batches, series(from, min(events, from+model.MaxRows)))
	}
	f.commit(model.Done, batches...)
	return f
}

func (f *fixture) export(opts export.Options) (export.Result, error) {
	opts.Database, opts.Keep, opts.Scratch, opts.Tool = f.path, dbfile.FilesOf(f.path), f.t.TempDir(), "test"
	return export.Run(context.Background(), opts)
}

func (f *fixture) mustExport(opts export.Options) export.Result {
	f.t.Helper()
	result, err := f.export(opts)
	if err != nil {
		f.t.Fatal(err)
	}
	return result
}

// ask runs a query in a DuckDB of its own and returns its row.
func ask(t testing.TB, query string, args ...any) []string {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(query, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil || !rows.Next() {
		t.Fatal(query, err, rows.Err())
	}
	texts, targets := make([]string, len(columns)), make([]any, len(columns))
	for i := range texts {
		targets[i] = &texts[i]
	}
	if err := rows.Scan(targets...); err != nil {
		t.Fatal(query, err)
	}
	return texts
}

func equal(t testing.TB, what string, got []string, want ...any) {
	t.Helper()
	for i := range want {
		if got[i] != fmt.Sprint(want[i]) {
			t.Errorf("%s: %q, want %v", what, got, want)
			return
		}
	}
}

func read(t checker, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// tree describes everything in a folder, with sizes, times and contents.
func tree(t testing.TB, folder string) string {
	t.Helper()
	var b bytes.Buffer
	err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			if relative != "." {
				fmt.Fprintf(&b, "%s/ ", relative)
			}
			return nil
		}
		fmt.Fprintf(&b, "%s %d %d %x; ", relative, info.Size(), info.ModTime().UnixNano(), sum(read(t, path)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checker is the part of a test that checkFolder needs.
type checker interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}
