package web_test

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/live"
	"datasync/internal/web"
)

// queried is the answer to a statement.
type queried struct {
	Columns []struct {
		Name, Type string
		Number     bool
	}
	Rows  [][]*string
	More  bool
	Batch int64
	Error *struct{ Text, Excerpt string }
}

// sql is a request of the SQL box.
type sql struct {
	SQL    string `json:"sql"`
	Format string `json:"format,omitempty"`
}

// TestQuery: a statement's result comes as text with types, and an error with its place.
func TestQuery(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pulled(t, path, 2000, nil)
	s := serve(t, web.Options{Source: &source{path: path}})
	var got queried
	s.post("/query", sql{SQL: `SELECT count(*) AS n, NULL::VARCHAR AS nothing, '' AS empty, TIMESTAMPTZ '2026-01-31 12:00:00+00' AS at, E'a\nb' AS lines FROM events;`}, &got)
	if got.Error != nil || len(got.Rows) != 1 || got.More || got.Batch == 0 || len(got.Columns) != 5 || !got.Columns[0].Number || got.Columns[1].Number || got.Columns[0].Name != "n" {
		t.Fatalf("%+v", got)
	}
	if row := got.Rows[0]; *row[0] != "2000" || row[1] != nil || *row[2] != "" || *row[3] != "2026-01-31T12:00:00Z" || *row[4] != `a\nb` {
		t.Errorf("%v", row)
	}
	for _, c := range []struct {
		text    string
		rows    int
		more    bool
		says    string
		excerpt string
	}{
		{text: "FROM range(10000)", rows: 10_000},
		{text: "FROM range(10001)", rows: 10_000, more: true},
		{text: "SELECT repeat('x', 9000) FROM range(9000)", rows: 1865, more: true}, // 16 MiB
		{text: "EXPLAIN SELECT 1", rows: 1},
		{text: "CREATE TEMP TABLE a AS SELECT 1"},
		{text: "SELECT brwser FROM events", says: "Binder Error: ", excerpt: "LINE 1: SELECT brwser FROM events\n               ^\n"},
		{text: "SELECT 1; SELECT 2", says: "this is more than one statement; run one at a time"},
		{text: " -- nothing", says: "the SQL is empty"},
		{text: "DELETE FROM events", says: "is refused"},
		{text: "COPY events TO 'out.csv'", says: "is refused"},
		{text: "FROM read_csv('/etc/passwd')", says: "is refused"},
		{text: "SET memory_limit = '1TB'", says: "is refused"},
		{text: "INSTALL httpfs", says: "is refused"},
		{text: "SELECT $a", says: "$a has no value"},
		{text: "SELECT list(repeat('x', 1000000) || range) FROM range(2000)", says: "Out of Memory Error"},
	} {
		var got queried
		s.post("/query", sql{SQL: c.text}, &got)
		switch {
		case c.says == "" && (got.Error != nil || len(got.Rows) != c.rows || got.More != c.more):
			t.Errorf("%s: %d rows, more %v, error %+v", c.text, len(got.Rows), got.More, got.Error)
		case c.says != "" && (got.Error == nil || !strings.Contains(got.Error.Text, c.says) || got.Error.Excerpt != c.excerpt && c.excerpt != "" || len(got.Rows) != 0):
			t.Errorf("%s: %+v, want %q and %q", c.text, got.Error, c.says, c.excerpt)
		}
	}
}

// endless is a statement that does not end by itself.
const endless = "SELECT count(*) FROM range(1000000000000) a, range(1000000) b WHERE a.range * b.range = 7"

// TestQueryEndsWithItsClient: when the client goes, its statement ends, and the next one runs.
func TestQueryEndsWithItsClient(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pulled(t, path, 100, nil)
	src := &source{path: path, used: make(chan struct{}, 10)}
	s := serve(t, web.Options{Source: src})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		res, err := s.send(ctx, "/query", sql{SQL: endless})
		if err == nil {
			_ = res.Body.Close()
		}
		failed <- err
	}()
	<-src.used
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	var got queried
	s.post("/query", sql{SQL: "SELECT 1"}, &got)
	if got.Error != nil || len(got.Rows) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestQueryThatTakesTooLong: a statement ends at its limit.
func TestQueryThatTakesTooLong(t *testing.T) {
	web.SetStatementTime(t, 1)
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pulled(t, path, 100, nil)
	s := serve(t, web.Options{Source: &source{path: path}})
	var got queried
	s.post("/query", sql{SQL: endless}, &got)
	if got.Error == nil || !strings.HasPrefix(got.Error.Text, "stopped: the statement took more than") {
		t.Errorf("%+v", got.Error)
	}
	var file downloaded
	s.post("/download", sql{SQL: endless, Format: "csv"}, &file)
	if file.Error == nil || !strings.HasPrefix(file.Error.Text, "stopped: the statement took more than") {
		t.Errorf("%+v", file)
	}
}

// TestComplete: the names of the file complete words, at positions in bytes.
func TestComplete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pulled(t, path, 100, nil)
	s := serve(t, web.Options{Source: &source{path: path}})
	for _, c := range []struct {
		text string
		at   int
		from int
		want string
	}{
		{"SELECT prop FROM events", 11, 7, "properties"}, {"SELECT 'ü', prop FROM events", 17, 13, "properties"}, {"SELECT * FROM rejec", 19, 14, "rejected_events"},
	} {
		var got struct {
			From  int
			Items []string
		}
		s.post("/complete", map[string]any{"text": c.text, "at": c.at}, &got)
		if got.From != c.from || len(got.Items) == 0 || strings.TrimSpace(got.Items[0]) != c.want {
			t.Errorf("%s: %+v, want %s from %d", c.text, got, c.want, c.from)
		}
	}
	for _, at := range []int{-1, 1000} { // a wrong position is no failure
		var got struct{ Items []string }
		s.post("/complete", map[string]any{"text": "SELECT", "at": at}, &got)
		if got.Items == nil {
			t.Errorf("at %d: null", at)
		}
	}
}

// downloaded is the answer to a request for a download.
type downloaded struct {
	Path  string
	Error *struct{ Text, Excerpt string }
}

// fetch gets a download without the token, as a browser does.
func (s *served) fetch(path string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.Address()+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res, string(body)
}

// TestDownloads: a download is what an export writes; it is served once, and its file is gone afterwards.
func TestDownloads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pulled(t, path, 2000, nil)
	scratch := t.TempDir()
	s := serve(t, web.Options{Source: &source{path: path}})
	s.Scratch = scratch
	var got downloaded
	s.post("/download", sql{SQL: "SELECT id, type, NULL AS nothing FROM events ORDER BY id;", Format: "csv"}, &got)
	if got.Error != nil {
		t.Fatalf("%+v", got.Error)
	}
	res, body := s.fetch(got.Path)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/csv; charset=utf-8" || res.Header.Get("Content-Disposition") != `attachment; filename="result.csv"` {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 2001 || strings.Join(rows[0], " ") != "id type nothing" || rows[1][2] != "" {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if res, _ := s.fetch(got.Path); res.StatusCode != http.StatusGone {
		t.Errorf("a second time: %d", res.StatusCode)
	}
	s.post("/download", sql{SQL: "FROM events", Format: "parquet"}, &got)
	if res, body := s.fetch(got.Path); res.StatusCode != http.StatusOK || !strings.HasPrefix(body, "PAR1") || !strings.HasSuffix(body, "PAR1") {
		t.Errorf("%d, %d bytes of Parquet", res.StatusCode, len(body))
	}
	for _, c := range []struct{ text, says, excerpt string }{
		{"SELECT brwser FROM events", "Binder Error: ", "LINE 1: SELECT brwser FROM events\n               ^\n"},
		{"CREATE TEMP TABLE a AS SELECT 1", "the statement is not a SELECT", ""}, {"SELECT 1; SELECT 2", "more than one statement", ""}, {"", "the SQL is empty", ""},
	} {
		var got downloaded
		s.post("/download", sql{SQL: c.text, Format: "csv"}, &got)
		if got.Error == nil || got.Path != "" || !strings.Contains(got.Error.Text, c.says) || strings.Contains(got.Error.Text, "--query") || c.excerpt != "" && got.Error.Excerpt != c.excerpt {
			t.Errorf("%s: %+v, %+v", c.text, got, got.Error)
		}
	}
	// Downloads that are not fetched are bounded, and end with the server.
	for {
		var got downloaded
		s.post("/download", sql{SQL: "SELECT 1", Format: "csv"}, &got)
		if got.Error != nil {
			if !strings.HasPrefix(got.Error.Text, "too many downloads wait") {
				t.Error(got.Error.Text)
			}
			break
		}
	}
	s.stop()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	s.ended <- nil
	if left, err := os.ReadDir(scratch); err != nil || len(left) != 0 {
		t.Errorf("%v, %v are left", left, err)
	}
}

// TestWrongRequests: requests that are not the page's are refused.
func TestWrongRequests(t *testing.T) {
	s := serve(t, web.Options{Source: &source{path: filepath.Join(t.TempDir(), "a.duckdb")}})
	for _, c := range []struct {
		path string
		body any
		want int
	}{
		{"/query", []int{1}, 400}, {"/query", nil, 405}, {"/stream", map[string]int{}, 405}, {"/other", nil, 404}, {"/download", sql{SQL: "SELECT 1", Format: "exe"}, 400},
		{"/query", sql{SQL: strings.Repeat("x", 2<<20)}, 413},
	} {
		res, err := s.send(t.Context(), c.path, c.body)
		if err != nil {
			t.Fatal(err)
		}
		if _ = res.Body.Close(); res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.path, res.StatusCode, c.want)
		}
	}
}

// lending is a pull that lends copies of a file.
type lending struct{ path, copy string }

func (l lending) Changes() int64                      { return 1 }
func (l lending) Status(context.Context) (any, error) { return struct{}{}, nil }
func (l lending) Snapshot(context.Context) (live.Snapshot, error) {
	b, err := os.ReadFile(l.path)
	return live.Snapshot{Path: l.copy, Batch: 1}, errors.Join(err, os.WriteFile(l.copy, b, 0o600))
}

// TestAPullWantsTheFile: a request that has the file open ends when a pull takes the lock, and is asked again of the
// pull's copy.
func TestAPullWantsTheFile(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "a.duckdb")
	pulled(t, path, 100, nil)
	runtime, err := os.MkdirTemp("/tmp", "web") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(runtime) }()
	var opened []string
	err = web.UseFile(t.Context(), path, func(ctx context.Context, at string) error {
		opened = append(opened, at)
		session, err := inspect.OpenSession(ctx, at, inspect.ReadOptions{})
		if err != nil {
			return err
		}
		defer func() { _ = session.Close() }()
		if at != path {
			return nil
		}
		// A pull begins: it takes the lock, and lends a copy.
		lock, err := os.Create(path + ".lock")
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = lock.Close() })
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
			return err
		}
		server, err := live.Listen(path, live.Folders(runtime, ""))
		if err != nil {
			return err
		}
		serving, stop := context.WithCancel(context.WithoutCancel(t.Context()))
		ended := make(chan struct{})
		go func() { defer close(ended); server.Serve(serving, lending{path, dbfile.NewSnapshot(path)}) }()
		t.Cleanup(func() { stop(); <-ended })
		_, err = session.Exec(ctx, endless)
		return err
	})
	if err != nil || len(opened) != 2 || opened[0] != path || !dbfile.IsSnapshot(path, opened[1]) {
		t.Errorf("%v, opened %q", err, opened)
	}
}
