package export_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"datasync/export"
	"datasync/internal/store"
	"datasync/internal/store/storetest"

	"github.com/google/uuid"
)

// database makes a file with so many events, of a pull that is done or not.
func database(t *testing.T, events int, state store.State) string {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s, err := store.Open(ctx, store.Options{Path: path, Origin: "http://api.test:80"})
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.OpenWindow(ctx, sql.Null[store.Instant]{}, sql.Null[store.Instant]{})
	if err != nil {
		t.Fatal(err)
	}
	k.State = state
	var page store.Page
	for n := range events {
		e := storetest.Event(n)
		e.Properties, e.Extra = `{"page":"/home"}`, `{"x":"ünï\u0000"}`
		page.Events = append(page.Events, e)
	}
	if _, err := s.CommitBatch(ctx, store.Batch{Run: uuid.Max, Pages: []store.Page{page}, Checkpoint: k}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParquetHasEveryEvent(t *testing.T) {
	for _, events := range []int{0, 1, 3000} {
		path := database(t, events, store.Done)
		target := filepath.Join(t.TempDir(), "it's ünï events.parquet")
		result, err := export.Parquet(t.Context(), path, target, false)
		info, errStat := os.Stat(target)
		if err != nil || errStat != nil {
			t.Fatal(err, errStat)
		}
		if result != (export.Result{Rows: int64(events), Bytes: info.Size()}) || info.Mode().Perm() != 0o600 {
			t.Errorf("%+v, %v", result, info.Mode())
		}
		// The same rows, read by a DuckDB that knows nothing of us.
		db, err := sql.Open("duckdb", "")
		if err != nil {
			t.Fatal(err)
		}
		var rows, ids, sound int
		err = db.QueryRow(`SELECT count(*), count(DISTINCT id), count(*) FILTER (properties ->> 'page' = '/home' AND extra IS NOT NULL
			AND epoch_us("timestamp") = 1769541612369000 - (SELECT count(*) FROM read_parquet(?) b WHERE b."timestamp" > a."timestamp") * 1000)
			FROM read_parquet(?) a`, target, target).Scan(&rows, &ids, &sound)
		if err != nil || rows != events || ids != events || sound != events {
			t.Errorf("%d rows, %d ids, %d sound, %v; want %d", rows, ids, sound, err, events)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestParquetSaysThatItIsPartial(t *testing.T) {
	result, err := export.Parquet(t.Context(), database(t, 5, store.UnderWay), filepath.Join(t.TempDir(), "a.parquet"), false)
	if err != nil || !result.Partial || result.Rows != 5 {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestTargetsThatAreRefused(t *testing.T) {
	path := database(t, 5, store.Done)
	folder := t.TempDir()
	existing, link := filepath.Join(folder, "existing"), filepath.Join(folder, "link")
	if err := os.WriteFile(existing, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(existing, link); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, target string
		force        bool
	}{
		{"existing", existing, false},
		{"link", link, true},
		{"folder", folder, true},
		{"device", "/dev/full", true},
		{"missing folder", filepath.Join(folder, "no", "a"), false},
		{"a name that ends like a folder", filepath.Join(folder, "new") + "/", false},
		{"elsewhere", "s3://bucket/a.parquet", false},
		{"nothing", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := export.Parquet(t.Context(), path, tc.target, tc.force); !errors.Is(err, export.ErrTarget) {
				t.Errorf("%v, want %v", err, export.ErrTarget)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := export.Parquet(ctx, path, existing, true); err == nil {
		t.Error("exported after its end")
	}
	if b, err := os.ReadFile(existing); err != nil || string(b) != "old" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := export.Parquet(t.Context(), path, existing, true); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(existing); err != nil || string(b[:4]) != "PAR1" {
		t.Errorf("%q, %v", b[:4], err)
	}
	files, err := fs.Glob(os.DirFS(folder), ".*")
	if err != nil || len(files) != 0 {
		t.Errorf("left: %v, %v", files, err)
	}
}
