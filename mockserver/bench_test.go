package mockserver_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"datasync/mockserver"
)

// drain asks for the first page of 5,000 events over and over, cheaply.
func drain(b *testing.B, client *http.Client, base string) {
	b.Helper()
	r := (&api{tb: b, base: base}).request(http.MethodGet, mockserver.EventsPath, map[string][]string{"limit": {"5000"}})
	b.ReportAllocs()
	for b.Loop() {
		resp, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(n)
	}
}

func BenchmarkMemory(b *testing.B) {
	s := mockserver.New(mockserver.Options{})
	drain(b, s.Client(), mockserver.BaseURL)
}

func BenchmarkSocket(b *testing.B) {
	server := httptest.NewServer(mockserver.New(mockserver.Options{}))
	defer server.Close()
	drain(b, server.Client(), server.URL)
}

// BenchmarkEvents renders events without pages and HTTP.
func BenchmarkEvents(b *testing.B) {
	d := mockserver.NewDataset(mockserver.DataOptions{})
	var buffer []byte
	i := 0
	for b.Loop() {
		buffer = d.AppendEvent(buffer[:0], i)
		i = (i + 1) % d.Len()
		b.SetBytes(int64(len(buffer)))
	}
}
