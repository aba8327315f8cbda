package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/internal/live"
	"datasync/internal/store"
	"datasync/internal/term"
	"datasync/mockserver"
)

// TestPullOutlivesItsPage: a page whose looks at the pull panic logs that once, and the pull stores all events and ends
// as it would without it.
func TestPullOutlivesItsPage(t *testing.T) {
	folder, said := t.TempDir(), &strings.Builder{}
	opts := pullOptions{
		io: term.IO{
			Getenv: func(name string) string { return map[string]string{"XDG_RUNTIME_DIR": folder}[name] },
			Stdin:  strings.NewReader(""), Stdout: io.Discard, Stderr: said, Color: &term.Color{},
		},
		database: filepath.Join(folder, "a.duckdb"),
		page:     &pageOptions{addr: "127.0.0.1:0", timezone: "UTC", zone: time.UTC, urlFile: filepath.Join(folder, "url")},
	}
	page, err := opts.openPage(t.Context(), nil) // without progress, each look panics
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{Path: opts.database, Origin: "demo", ToolVersion: "test", Tally: page.tally()})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var notices []string
	page.begin(t.Context(), s, func(line string) {
		mu.Lock()
		defer mu.Unlock()
		notices = append(notices, line)
	})
	address, token, _ := strings.Cut(page.URL(), "#")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	lines := json.NewDecoder(res.Body)
	type state struct {
		State, Trouble string
		Exit           *int
		Events         *int64
	}
	var last state
	next := func() bool {
		last = state{}
		err := lines.Decode(&last)
		if err != nil && err != io.EOF {
			t.Error(err)
		}
		return err == nil
	}
	const fault = "the page cannot look at the pull: "
	for next() && !strings.HasPrefix(last.Trouble, fault) {
	}
	base, _ := url.Parse(mockserver.BaseURL)
	mock := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 3000}, Events: mockserver.Pages{Cap: 1000}})
	if _, err := ingest.Run(t.Context(), ingest.Options{
		Store: s, Transport: mock.Transport(), BaseURL: base, Key: "ds_test_demo", PageSize: 1000, Lookback: time.Hour, MaxWait: time.Minute, MaxRetryTime: time.Minute,
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if batch, events, known := page.counters.Batches(); batch == 0 || events != 3000 || !known {
		t.Errorf("%d events in %d batches, known %v", events, batch, known)
	}
	read := make(chan state, 1)
	go func() {
		var end state
		for next() {
			if last.State != "" {
				end = last
			}
		}
		read <- end
	}()
	page.end(t.Context(), live.ErrBusy)
	if end := <-read; end.State != "ended" || end.Exit == nil || *end.Exit != exitOf(live.ErrBusy).Code || end.Trouble == "" {
		t.Errorf("the page ends with %+v", end)
	}
	if len(notices) != 1 || !strings.HasPrefix(notices[0], fault) {
		t.Errorf("logged %q", notices)
	}
}
