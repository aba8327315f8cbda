package cli_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
)

const (
	// erasedUser is the user of the document, and erasedName a text that only this user's events have.
	erasedUser = "b9f8606d-9493-4601-85aa-baef37400779"
	erasedName = "a-name-that-only-this-user-has"
)

// erasableAPI serves 300 events on one page. Of those of the user, 10 are valid and 2 are
// malformed. They are gone once the API has erased the user.
func erasableAPI(erased *atomic.Bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var data []map[string]any
		for n := range 300 {
			session := fmt.Sprintf("bbbbbbbb-0000-4000-8000-%012x", n)
			e := map[string]any{
				"id": fmt.Sprintf("%08x-0000-4000-8000-%012x", n*2654435761&0xffffffff, n), "sessionId": session, "userId": fmt.Sprintf("cccccccc-0000-4000-8000-%012x", n%7),
				"type": "click", "name": fmt.Sprint("event ", n), "timestamp": time.Date(2026, 1, 1, 0, 300-n, 0, 0, time.UTC).Format(time.RFC3339),
				"session": map[string]any{"id": session},
			}
			if n%25 == 3 {
				if erased.Load() {
					continue
				}
				e["userId"], e["name"] = erasedUser, erasedName
				if n > 250 {
					delete(e, "type")
				}
			}
			data = append(data, e)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"data": data, "pagination": map[string]any{"limit": 1000, "hasMore": false, "nextCursor": nil},
			"meta": map[string]any{"total": len(data), "returned": len(data), "requestId": "aaaaaaaa-0000-4000-8000-000000000000"}})
	}
}

// erasingSQL returns the statements of the document.
func erasingSQL(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(harness.Root(t), "docs", "erasing.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```sql\n")
	statements, _, ok := strings.Cut(rest, "```")
	if !ok || !strings.Contains(statements, erasedUser) {
		t.Fatalf("no SQL with the user in %s", b)
	}
	return statements
}

// TestErasing does what docs/erasing.md says, and the bytes of the user are gone from the file.
func TestErasing(t *testing.T) {
	var erased atomic.Bool
	api := httptest.NewServer(erasableAPI(&erased))
	t.Cleanup(api.Close)
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name) }
	run := func(code int, want string, args ...string) {
		t.Helper()
		r := harness.Run(context.Background(), t, harness.Program(t), folder, api.URL, args...)
		if r.Code != code || !strings.Contains(r.Out+r.Err, want) {
			t.Fatalf("%v: want exit %d and %q: %v", args, code, want, r)
		}
	}
	count := func(want string) {
		t.Helper()
		if got := harness.One(t, path("datasync.duckdb"), "SELECT count(*) FROM events WHERE user_id = '"+erasedUser+"'"); got != want {
			t.Fatalf("%s events of the user, want %s", got, want)
		}
	}
	run(0, "", "pull")
	run(0, "", "export", "--parquet", "daily", "--partition-by", "day", "--incremental")
	count("10")
	erased.Store(true)
	run(0, "at least 12 events here are no longer at the API", "pull")

	if err := os.Rename(path("datasync.duckdb"), path("old.duckdb")); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", path("old.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(strings.Replace(erasingSQL(t), "'new.duckdb'", "'"+path("new.duckdb")+"'", 1))
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"old.duckdb": true, "new.duckdb": false} {
		b, err := os.ReadFile(path(name))
		if err != nil || strings.Contains(string(b), erasedName) != want {
			t.Errorf("the name of the events in %s: want %v, %v", name, want, err)
		}
	}
	run(0, "sound: the file agrees with its own records\n", "--db", "new.duckdb", "verify")
	if err := errors.Join(os.Chmod(path("new.duckdb"), 0o600), os.Rename(path("new.duckdb"), path("datasync.duckdb"))); err != nil {
		t.Fatal(err)
	}
	run(0, "complete", "pull")
	run(0, "sound", "verify")
	count("0")

	run(5, "cannot be added to", "export", "--parquet", "daily", "--partition-by", "day", "--incremental")
	run(0, "", "export", "--parquet", "daily", "--partition-by", "day", "--incremental", "--force")
	if got := harness.One(t, path("datasync.duckdb"), "SELECT count(*) FROM events"); got != "288" {
		t.Errorf("%s events, want 288", got)
	}
	// An API that still has the user brings the events back.
	erased.Store(false)
	for range 2 {
		harness.Run(context.Background(), t, harness.Program(t), folder, api.URL, "pull")
	}
	count("10")
}
