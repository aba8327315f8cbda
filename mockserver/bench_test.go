package mockserver_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"datasync/mockserver"
)

// drain requests the first page of 5,000 events again and again.
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
	ofBothShapes(b, func(b *testing.B, shape mockserver.Shape) {
		s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Shape: shape}})
		drain(b, s.Client(), mockserver.BaseURL)
	})
}

func ofBothShapes(b *testing.B, measure func(*testing.B, mockserver.Shape)) {
	for _, shape := range []mockserver.Shape{mockserver.ShapeFlat, mockserver.ShapeLively} {
		b.Run(shape.String(), func(b *testing.B) { measure(b, shape) })
	}
}

func BenchmarkSocket(b *testing.B) {
	server := httptest.NewServer(mockserver.New(mockserver.Options{}))
	defer server.Close()
	drain(b, server.Client(), server.URL)
}

// BenchmarkEvents renders events without pages and HTTP.
func BenchmarkEvents(b *testing.B) {
	ofBothShapes(b, func(b *testing.B, shape mockserver.Shape) {
		d := mockserver.NewDataset(mockserver.DataOptions{Shape: shape})
		var buffer []byte
		i := 0
		for b.Loop() {
			buffer = d.AppendEvent(buffer[:0], i)
			i = (i + 1) % d.Len()
			b.SetBytes(int64(len(buffer)))
		}
	})
}

// BenchmarkCount measures the first request for stats, per event.
func BenchmarkCount(b *testing.B) {
	ofBothShapes(b, func(b *testing.B, shape mockserver.Shape) {
		for b.Loop() {
			s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Shape: shape}})
			newAPI(b, s).get(mockserver.StatsPath)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/mockserver.DefaultEvents, "ns/event")
	})
}

// BenchmarkSession measures a search for the events of a session, per event.
func BenchmarkSession(b *testing.B) {
	ofBothShapes(b, func(b *testing.B, shape mockserver.Shape) {
		s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Shape: shape}})
		a, session := newAPI(b, s), s.Dataset().Event(0).SessionID.String()
		for b.Loop() {
			a.events("limit", "5000", "sessionId", session)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/mockserver.DefaultEvents, "ns/event")
	})
}
