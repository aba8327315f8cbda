package ingest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/internal/store"
	"datasync/mockserver"

	klauspost "github.com/klauspost/compress/gzip"
)

// pages are all pages of an API, rendered and compressed once, by their cursors.
type pages struct {
	plain, zipped map[string][]byte
}

func renderPages(b *testing.B, events, limit int) *pages {
	b.Helper()
	server := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: events}})
	p := &pages{plain: map[string][]byte{}, zipped: map[string][]byte{}}
	for cursor, more := "", true; more; {
		r, err := http.NewRequest(http.MethodGet, mockserver.BaseURL+mockserver.EventsPath, nil)
		if err != nil {
			b.Fatal(err)
		}
		r.URL.RawQuery = url.Values{"limit": {strconv.Itoa(limit)}, "cursor": {cursor}}.Encode()
		r.Header.Set("X-API-Key", "ds_test_key")
		r.Header.Set("Cookie", "dashboard_api_key=ds_test_key")
		resp, err := server.Client().Do(r)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
		var page struct {
			Pagination struct {
				HasMore    bool
				NextCursor string
			}
		}
		if err := json.Unmarshal(body, &page); err != nil {
			b.Fatal(err)
		}
		p.plain[cursor], p.zipped[cursor] = body, zipped(body)
		cursor, more = page.Pagination.NextCursor, page.Pagination.HasMore
	}
	return p
}

// serve answers with the pages at so many bytes a second; 0 is as fast as they are read.
func (p *pages) serve(compress bool, rate float64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		cursor := r.URL.Query().Get("cursor")
		body := p.plain[cursor]
		if compress && r.Header.Get("Accept-Encoding") == "gzip" {
			body = p.zipped[cursor]
			w.Header().Set("Content-Encoding", "gzip")
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		began := time.Now()
		for sent := 0; sent < len(body); {
			next := len(body)
			if rate > 0 {
				next = min(sent+32<<10, len(body))
				due := time.Duration(float64(next) / rate * float64(time.Second))
				if left := due - time.Since(began); left > time.Millisecond || next == len(body) {
					time.Sleep(left)
				}
			}
			if _, err := w.Write(body[sent:next]); err != nil {
				return
			}
			sent = next
		}
	}
}

// processTime is the processor time that this process has used.
func processTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLink pulls 300,000 events into a file over links of some speeds, from a
// server that compresses and from one that does not. The server takes part of the
// process's time, but its pages are rendered and compressed before.
func BenchmarkLink(b *testing.B) {
	const events = 300_000
	p := renderPages(b, events, 5000)
	for _, rate := range []float64{5e6, 20e6, 50e6, 100e6, 150e6, 0} {
		for _, compress := range []bool{false, true} {
			b.Run(fmt.Sprintf("%vMB/gzip=%v", rate/1e6, compress), func(b *testing.B) {
				compressed := 0
				handler := p.serve(compress, rate)
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if handler(w, r); w.Header().Get("Content-Encoding") != "" {
						compressed++
					}
				}))
				defer server.Close()
				base, err := url.Parse(server.URL)
				if err != nil {
					b.Fatal(err)
				}
				used := processTime()
				for b.Loop() {
					s, err := store.Open(b.Context(), store.Options{
						Path: filepath.Join(b.TempDir(), "a.duckdb"), Origin: ingest.Origin(base), ToolVersion: "bench", MemoryLimit: "128MB",
					})
					if err != nil {
						b.Fatal(err)
					}
					summary, err := ingest.Run(b.Context(), ingest.Options{
						Store: s, BaseURL: base, Key: "ds_test_key", PageSize: 5000, MaxWait: time.Minute, MaxRetryTime: time.Minute,
					})
					if err != nil || summary.Stored != events {
						b.Fatalf("%d events, %v", summary.Stored, err)
					}
					if err := s.Close(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
				b.ReportMetric((processTime()-used).Seconds()/float64(b.N), "cpu-s/op")
				b.ReportMetric(float64(compressed)/float64(b.N), "compressed/op")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkInflate compares two implementations on pages of 5,000 events.
func BenchmarkInflate(b *testing.B) {
	p := renderPages(b, 5000, 5000)
	page := p.plain[""]
	for _, level := range []int{gzip.BestSpeed, gzip.DefaultCompression} {
		var out bytes.Buffer
		w, err := gzip.NewWriterLevel(&out, level)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		for name, open := range map[string]func() (io.Reader, error){
			"compress/gzip": func() (io.Reader, error) { return gzip.NewReader(bytes.NewReader(out.Bytes())) },
			"klauspost":     func() (io.Reader, error) { return klauspost.NewReader(bytes.NewReader(out.Bytes())) },
		} {
			b.Run(fmt.Sprintf("%s/level=%d", name, level), func(b *testing.B) {
				b.SetBytes(int64(len(page)))
				for b.Loop() {
					r, err := open()
					if err != nil {
						b.Fatal(err)
					}
					if n, err := io.Copy(io.Discard, r); err != nil || n != int64(len(page)) {
						b.Fatalf("%d bytes, %v", n, err)
					}
				}
			})
		}
	}
}
