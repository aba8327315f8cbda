package ingest_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/internal/store"
	"datasync/mockserver"

	klauspost "github.com/klauspost/compress/gzip"
)

// BenchmarkLink pulls 300,000 events into a file over links of some speeds. One mock server
// compresses pages on request, the other never does. It renders and compresses in this process, on
// the processors that the pull has as well.
func BenchmarkLink(b *testing.B) {
	const events = 300_000
	for _, rate := range []int64{5e6, 20e6, 50e6, 100e6, 150e6, 0} {
		for _, compress := range []bool{false, true} {
			b.Run(fmt.Sprintf("%vMB/gzip=%v", rate/1e6, compress), func(b *testing.B) {
				mock := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: events}, Gzip: compress, Rate: rate})
				compressed := 0
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if mock.ServeHTTP(w, r); w.Header().Get("Content-Encoding") != "" {
						compressed++
					}
				}))
				defer server.Close()
				base, err := url.Parse(server.URL)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					s, err := store.Open(b.Context(), store.Options{
						Path: filepath.Join(b.TempDir(), "a.duckdb"), Origin: api.Origin(base), ToolVersion: "bench", MemoryLimit: store.PullMemoryLimit,
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
				b.ReportMetric(float64(compressed)/float64(b.N), "compressed/op")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkInflate compares two implementations on pages of 5,000 events.
func BenchmarkInflate(b *testing.B) {
	server := mockserver.New(mockserver.Options{})
	r, err := http.NewRequest(http.MethodGet, mockserver.BaseURL+mockserver.EventsPath+"?limit=5000", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("X-API-Key", "ds_test_key")
	r.Header.Set("Cookie", "dashboard_api_key=ds_test_key")
	resp, err := server.Client().Do(r)
	if err != nil {
		b.Fatal(err)
	}
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	_ = resp.Body.Close()
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
