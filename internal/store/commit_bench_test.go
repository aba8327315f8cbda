package store_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"datasync/internal/model"
)

// benchFacts returns the facts of a batch in such a pull.
func benchFacts() model.Facts {
	return model.Facts{Began: time.Now(), Fetched: []model.Fetched{{Endpoint: "events", Pages: 25, Returned: model.MaxRows, Bytes: 60 << 20, Wire: 9 << 20, Took: 3 * time.Second, InFlight: 4}}}
}

// BenchmarkCommit measures batches of a whole row group, two at a time, as a pull of an API without limits
// commits them.
func BenchmarkCommit(b *testing.B) {
	batches := make([][]model.Event, 4)
	for i := range batches {
		batches[i] = events(i*model.MaxRows, (i+1)*model.MaxRows)
		for j := range batches[i] {
			batches[i][j].Properties = fmt.Sprintf(`{"page":"/products/%d","referrer":%q,"seconds":%d}`, j%977, strings.Repeat("x", 60+j%80), j)
		}
	}
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		s := mustOpen(b, filepath.Join(b.TempDir(), "a.duckdb"))
		w := mustWindow(b, s)
		w.State, w.Cursor = model.UnderWay, "received"
		b.StartTimer()
		waits := make([]func() (model.Committed, error), 0, len(batches))
		for _, batch := range batches {
			waits = append(waits, s.StartBatch(b.Context(), model.Batch{Run: uuid.Max, Pages: []model.Page{pageOf(batch)}, Checkpoint: w, Facts: benchFacts()}))
		}
		for _, wait := range waits {
			if done, err := wait(); err != nil || done.Stored != model.MaxRows {
				b.Fatal(done, err)
			}
		}
	}
	b.ReportMetric(float64(b.N*len(batches)*model.MaxRows)/b.Elapsed().Seconds(), "events/s")
}
