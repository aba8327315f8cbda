package store_test

import (
	"flag"
	"path/filepath"
	"testing"

	"datasync/internal/model"

	"github.com/google/uuid"
)

var finalizeEvents = flag.Int("finalize-events", 300_000, "BenchmarkFinalize with so many events in the file")

// BenchmarkFinalize measures the closing check of a first pull, and of a later pull of a single event.
func BenchmarkFinalize(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "a.duckdb"))
	w := mustWindow(b, s)
	next := 0
	for ; next < *finalizeEvents; next += model.MaxRows {
		mustCommit(b, s, w, pageOf(events(next, next+model.MaxRows)))
	}
	for _, tc := range []struct {
		name    string
		prepare func()
	}{
		{"all", func() {
			if _, err := s.DB().Exec("DELETE FROM meta WHERE key = 'checked_batch'"); err != nil {
				b.Fatal(err)
			}
		}},
		{"one new", func() { mustCommit(b, s, w, pageOf(events(next, next+1))); next++ }},
	} {
		b.Run(tc.name, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				tc.prepare()
				b.StartTimer()
				if done, err := s.Finalize(b.Context(), uuid.Max, w.Window); err != nil || done.Removed != 0 {
					b.Fatal(done, err)
				}
			}
		})
	}
}
