package tally_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"datasync/internal/model"
	"datasync/internal/web/tally"
	"datasync/mockserver"
)

// recorder keeps the first events of a pull.
type recorder struct {
	mu     sync.Mutex // two batches are written at a time
	events []model.Event
}

func (r *recorder) Committed(int64) {}

func (r *recorder) Add(e *model.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) == cap(r.events) {
		return
	}
	kept := *e
	kept.Type, kept.Properties = strings.Clone(e.Type), strings.Clone(e.Properties)
	kept.DeviceType.String, kept.Browser.String = strings.Clone(e.DeviceType.String), strings.Clone(e.Browser.String)
	r.events = append(r.events, kept)
}

// BenchmarkBatch measures what a pull pays for the counters, in batches of 3000 lively events.
func BenchmarkBatch(b *testing.B) {
	r := &recorder{events: make([]model.Event, 0, 3000)}
	pull(b, filepath.Join(b.TempDir(), "a.duckdb"), mockserver.DataOptions{Shape: mockserver.ShapeLively, Events: 300_000}, func() model.Tally { return r })
	counters := tally.New(time.UTC)
	b.ReportAllocs()
	b.ResetTimer()
	number := int64(0)
	for range b.N {
		batch := counters.Batch()
		for i := range r.events {
			batch.Add(&r.events[i])
		}
		number++
		batch.Committed(number)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(r.events)), "ns/event")
}
