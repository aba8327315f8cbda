package store_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"datasync/internal/model"
)

var snapshotEvents = flag.Int("snapshot-events", 300_000, "BenchmarkSnapshot with so many events in the file")

// BenchmarkSnapshot measures for how long a snapshot delays commits, after a batch of 100,000 events and
// after none.
func BenchmarkSnapshot(b *testing.B) {
	path := filepath.Join(b.TempDir(), "a.duckdb")
	s := mustOpen(b, path)
	w := mustWindow(b, s)
	next := 0
	commit := func() {
		mustCommit(b, s, w, pageOf(events(next, next+model.MaxRows)))
		next += model.MaxRows
	}
	for next < *snapshotEvents {
		commit()
	}
	for _, tc := range []struct {
		name    string
		prepare func()
	}{{"after a batch", commit}, {"unchanged", func() {}}} {
		b.Run(tc.name, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				tc.prepare()
				b.StartTimer()
				c, err := s.Snapshot(b.Context())
				b.StopTimer()
				if err != nil {
					b.Fatal(err)
				}
				if info, err := os.Stat(c.Path); err == nil {
					b.ReportMetric(float64(info.Size())/1e6, "MB")
				}
				if err := os.Remove(c.Path); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
