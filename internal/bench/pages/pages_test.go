package pages_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/bench/pages"
	"datasync/mockserver"
)

func rendered(t *testing.T, events, pageSize int) *pages.Set {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "set")
	if err := pages.Render(folder, events, pageSize); err != nil {
		t.Fatal(err)
	}
	set, err := pages.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestServerGivesThePagesAsRendered(t *testing.T) {
	set := rendered(t, 230, 100)
	if len(set.Cursors) != 3 || set.Want.Rows != 230 {
		t.Fatalf("%d pages, %d rows", len(set.Cursors), set.Want.Rows)
	}
	server := httptest.NewServer(pages.NewServer(set))
	defer server.Close()
	cursor := ""
	for i := range set.Cursors {
		onDisk, err := os.ReadFile(set.Page(i))
		if err != nil {
			t.Fatal(err)
		}
		status, body := get(t, server.URL+mockserver.EventsPath+"?limit=1000&cursor="+url.QueryEscape(cursor))
		if status != http.StatusOK || body != string(onDisk) {
			t.Fatalf("page %d: status %d, %d bytes; want the %d of the file", i, status, len(body), len(onDisk))
		}
		if cursor, err = pages.Next([]byte(body)); err != nil {
			t.Fatal(err)
		}
		if last := i == len(set.Cursors)-1; (cursor == "") != last {
			t.Fatalf("page %d leads on to %q", i, cursor)
		}
		if total := fmt.Sprintf(`"total":%d`, set.Events); !strings.Contains(body, total) {
			t.Errorf("page %d lacks %s", i, total)
		}
	}
}

func TestServerRefusesWhatItHasNot(t *testing.T) {
	server := httptest.NewServer(pages.NewServer(rendered(t, 10, 10)))
	defer server.Close()
	if status, _ := get(t, server.URL+mockserver.EventsPath+"?cursor=none"); status != http.StatusBadRequest {
		t.Errorf("a foreign cursor gets status %d", status)
	}
	response, err := http.Post(server.URL+mockserver.StreamAccessPath, "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("stream-access gets status %d", response.StatusCode)
	}
}

func TestServerGivesTheEventsAsLines(t *testing.T) {
	set := rendered(t, 230, 100)
	server := httptest.NewServer(pages.NewServer(set))
	defer server.Close()
	if err := set.RenderLines(); err != nil || !set.HasLines() {
		t.Fatal(err)
	}
	status, lines := get(t, server.URL+pages.LinesPath)
	var body strings.Builder
	for i := range set.Cursors {
		page, err := os.ReadFile(set.Page(i))
		if err != nil {
			t.Fatal(err)
		}
		body.Write(page)
	}
	events := strings.Split(strings.TrimSuffix(lines, "\n"), "\n")
	if status != http.StatusOK || len(events) != 230 {
		t.Fatalf("status %d, %d lines", status, len(events))
	}
	for _, event := range events {
		if !strings.Contains(body.String(), event) {
			t.Fatalf("no page has %s", event)
		}
	}
}

func TestCacheTellsSetsApartByWhatMadeThem(t *testing.T) {
	root := t.TempDir()
	source := filepath.Join(root, "mockserver", "event.go")
	for _, name := range []string{source, filepath.Join(root, "internal", "bench", "pages", "render.go")} {
		write(t, name, "package x")
	}
	cache := pages.Cache{Folder: filepath.Join(t.TempDir(), "work"), Root: root}
	first, there, err := cache.Find(100)
	if err != nil || there {
		t.Fatal(there, err)
	}
	write(t, filepath.Join(first, "index"), "{}")
	if folder, there, err := cache.Find(100); folder != first || !there || err != nil {
		t.Fatal(folder, there, err)
	}
	write(t, source, "package y")
	second, there, err := cache.Find(100)
	if err != nil || there || second == first {
		t.Fatal(second, there, err)
	}
	if _, err := os.Stat(first); !os.IsNotExist(err) {
		t.Errorf("the old pages are still there: %v", err)
	}
}

func TestCacheWantsRoom(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "mockserver", "event.go"), "package x")
	write(t, filepath.Join(root, "internal", "bench", "pages", "render.go"), "package x")
	_, _, err := pages.Cache{Folder: t.TempDir(), Root: root}.Find(1 << 50)
	if err == nil || !strings.Contains(err.Error(), "--work") {
		t.Errorf("pages beyond any disk: %v", err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
