package rivals_test

import (
	"context"
	"database/sql"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/internal/bench/pages"
	"datasync/internal/bench/rivals"
	"datasync/internal/bench/table"
	"datasync/internal/store"
)

// served renders a few pages and serves them.
func served(t *testing.T) (*pages.Set, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "set")
	if err := pages.Render(folder, 1234, 500); err != nil {
		t.Fatal(err)
	}
	set, err := pages.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(pages.NewServer(set))
	t.Cleanup(server.Close)
	return set, server.URL
}

// pulled is a file into which the pull itself has stored the pages.
func pulled(t *testing.T, base string) string {
	t.Helper()
	ctx, file := context.Background(), filepath.Join(t.TempDir(), "datasync.duckdb")
	baseURL, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(ctx, store.Options{Path: file, Origin: api.Origin(baseURL), ToolVersion: "test"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ingest.Run(ctx, ingest.Options{Store: s, BaseURL: baseURL, Key: rivals.Key, PageSize: 500,
		MaxWait: time.Minute, MaxRetryTime: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// same compares a rival's file with the pull's, row by row but for batch.
func same(t *testing.T, set *pages.Set, file, pull string) {
	t.Helper()
	ctx := context.Background()
	got, err := table.Read(ctx, file, "events")
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Compare(set.Want); err != nil {
		t.Error(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for name, path := range map[string]string{"rival": file, "pull": pull} {
		if _, err := db.Exec("ATTACH '" + path + "' AS " + name + " (READ_ONLY)"); err != nil {
			t.Fatal(err)
		}
	}
	const columns = `id, session_id, user_id, type, name, "timestamp", CAST(properties AS VARCHAR), device_type, browser, extra`
	var differ int
	row := db.QueryRow("SELECT count(*) FROM ((SELECT " + columns + " FROM rival.events EXCEPT SELECT " + columns + " FROM pull.events) UNION ALL " +
		"(SELECT " + columns + " FROM pull.events EXCEPT SELECT " + columns + " FROM rival.events))")
	if err := row.Scan(&differ); err != nil || differ > 0 {
		t.Errorf("%d rows differ, %v", differ, err)
	}
}

func TestRivalsStoreWhatThePullStores(t *testing.T) {
	set, base := served(t)
	pull := pulled(t, base)
	ctx := context.Background()
	t.Run("plain client", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "plain.duckdb")
		if err := rivals.Plain(ctx, base, file); err != nil {
			t.Fatal(err)
		}
		same(t, set, file, pull)
	})
	for _, way := range rivals.ReadJSONWays() {
		t.Run("read_json "+way.Name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "readjson.duckdb")
			if err := rivals.ReadJSON(ctx, set.Pattern(), file, way); err != nil {
				t.Fatal(err)
			}
			same(t, set, file, pull)
		})
	}
}

func TestDownloadReadsAllPages(t *testing.T) {
	set, base := served(t)
	got, err := rivals.Download(context.Background(), base)
	if want := (rivals.Downloaded{Pages: len(set.Cursors), Bytes: set.Bytes}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}
