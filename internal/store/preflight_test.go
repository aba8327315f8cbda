package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/store"
)

func preflight(path string) (*store.Preflight, error) {
	return store.OpenPreflight(context.Background(), store.Options{Path: path, Origin: origin})
}

// mustPreflight opens the file at path and closes it when the test ends.
func mustPreflight(t *testing.T, path string) *store.Preflight {
	t.Helper()
	p, err := preflight(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// made creates a file of 20 events at path and returns its bytes.
func made(t *testing.T, path string) []byte {
	t.Helper()
	s := mustOpen(t, path)
	mustCommit(t, s, mustWindow(t, s), pageOf(events(0, 20)))
	if err := s.SetNotBefore(context.Background(), "feed", time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return content(t, path)
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// onlyFile checks that the folder has no other file.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) > 1 || len(files) == 1 && files[0].Name() != filepath.Base(path) {
		t.Errorf("%v, %v", files, err)
	}
}

func TestPreflightReads(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.duckdb")
	p := mustPreflight(t, path)
	if windows, err := p.Windows(ctx); p.Exists() || len(windows) != 0 || err != nil || p.SetNotBefore(ctx, "events", time.Minute) != nil {
		t.Errorf("%v, %v", windows, err)
	}
	onlyFile(t, path)

	before := made(t, path)
	p = mustPreflight(t, path)
	held, err1 := p.Held(ctx)
	windows, err2 := p.Windows(ctx)
	opens, err3 := p.NotBefore(ctx)
	if err := errors.Join(err1, err2, err3); err != nil || held != 20 || len(windows) != 1 || time.Until(opens["feed"]) < 50*time.Minute || p.Bytes() != int64(len(before)) {
		t.Errorf("%d, %d windows, %v, %d bytes: %v", held, len(windows), opens, p.Bytes(), err)
	}
	// Readers and other dry runs are not kept out, and a pull waits.
	if pulling, err := dbfile.Pulling(path); pulling || err != nil {
		t.Errorf("pulling: %v, %v", pulling, err)
	}
	if n := one[int](t, path, "SELECT count(*) FROM events"); n != 20 {
		t.Errorf("%d events", n)
	}
	if err := mustPreflight(t, path).Close(); err != nil {
		t.Error(err)
	}
	if _, err := store.Open(ctx, store.Options{Path: path, Origin: origin}); !errors.Is(err, dbfile.ErrLocked) {
		t.Errorf("a pull: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	onlyFile(t, path)
	if string(content(t, path)) != string(before) {
		t.Error("the file has changed")
	}
}

func TestPreflightKeepsWaits(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.duckdb")
	made(t, path)
	p := mustPreflight(t, path)
	if err := p.SetNotBefore(ctx, "events", time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	opens, err := mustPreflight(t, path).NotBefore(ctx)
	if left := time.Until(opens["events"]); err != nil || len(opens) != 2 || left > time.Minute || left < 30*time.Second {
		t.Errorf("%v, %v", opens, err)
	}
}

// A dry run refuses what a pull refuses, and a file that a pull would migrate.
func TestPreflightRefuses(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.duckdb")
	made(t, path)
	old := firstSchema(t)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		path, origin string
		want         error
	}{
		{path, "http://other.test:80", dbfile.ErrOrigin},
		{text, origin, dbfile.ErrForeign},
		{old, origin, dbfile.ErrOlder},
		{t.TempDir(), origin, dbfile.ErrPath},
	} {
		_, err := store.OpenPreflight(ctx, store.Options{Path: tc.path, Origin: tc.origin})
		if !errors.Is(err, tc.want) {
			t.Errorf("%v, want %v", err, tc.want)
		}
		if _, err := os.Stat(tc.path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the lock: %v", err)
		}
	}
	mustOpen(t, path)
	if _, err := preflight(path); !errors.Is(err, dbfile.ErrLocked) {
		t.Errorf("while a pull is running: %v", err)
	}
}

// Waits that another API asked for do not count in a file in which nothing is stored.
func TestPreflightOfAnEmptyFile(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.duckdb")
	s, err := store.Open(ctx, store.Options{Path: path, Origin: "http://mistyped.test:80"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.SetNotBefore(ctx, "events", time.Hour), s.Close()); err != nil {
		t.Fatal(err)
	}
	p := mustPreflight(t, path)
	opens, err := p.NotBefore(ctx)
	if len(opens) != 0 || err != nil {
		t.Errorf("%v, %v", opens, err)
	}
	if err := errors.Join(p.SetNotBefore(ctx, "feed", time.Hour), p.Close()); err != nil {
		t.Fatal(err)
	}
	if opens, err = mustPreflight(t, path).NotBefore(ctx); len(opens) != 1 || err != nil {
		t.Errorf("%v, %v", opens, err)
	}
}
