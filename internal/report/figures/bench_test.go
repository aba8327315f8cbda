package figures_test

import (
	"context"
	"testing"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/report/figures"
)

// BenchmarkRead reads all figures of 100,000 events, and compares that with counting the events by type: the
// metric x/count is how many times as long it takes.
func BenchmarkRead(b *testing.B) {
	path := file(b, withBadHour(traffic(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), 42), time.Date(2026, 1, 20, 14, 0, 0, 0, time.UTC)))
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var counting time.Duration
	for b.Loop() {
		b.StopTimer()
		began := time.Now()
		if _, err := db.Exec("SELECT type, count(*) FROM events GROUP BY type"); err != nil {
			b.Fatal(err)
		}
		counting += time.Since(began)
		b.StartTimer()
		if _, err := figures.Read(context.Background(), db, figures.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(counting), "x/count")
}
