package web_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"datasync/internal/model"
	"datasync/internal/report/figures"
	"datasync/internal/web"
	"datasync/internal/web/tally"
)

// TestDrawingIsOfNow: once a drawing has ended, each section is that of the last batch, however many are under way.
// A page that ends shows its last figures.
func TestDrawingIsOfNow(t *testing.T) {
	counters := tally.New(time.UTC)
	counters.Seed(&figures.Counts{}, time.Time{}, time.Time{}, 0)
	s := serve(t, web.Options{Source: &source{path: filepath.Join(t.TempDir(), "a.duckdb")}, Counters: counters})
	for number := int64(1); number <= 50; number++ {
		batch := counters.Batch()
		batch.Add(&model.Event{Type: "click", Timestamp: model.Instant(number * 3_600_000_000), Properties: `{"page":"/"}`})
		batch.Committed(number)
		var drawings sync.WaitGroup
		for range 4 {
			drawings.Go(func() {
				s.Redraw()
				for _, id := range []string{"days", "hours", "week", "errors", "pages", "devices"} {
					if is := s.BatchOf(id); is != number {
						t.Errorf("%s: drawn of batch %d, want %d", id, is, number)
					}
				}
			})
		}
		drawings.Wait()
	}
}

// TestFirstReading: the more events a pull has stored, the later its figures are read for the first time, and within a
// minute.
func TestFirstReading(t *testing.T) {
	for events, want := range map[int64]time.Duration{0: 10 * time.Second, 10_000: 10 * time.Second, 500_000: 20 * time.Second, 3_000_000: time.Minute, 1_000_000_000_000: time.Minute} {
		if is := web.FirstPause(events); is != want {
			t.Errorf("%d events: %v, want %v", events, is, want)
		}
	}
	web.SetFirstReading(t, time.Hour)
	if is := web.FirstPause(1); is != time.Hour {
		t.Error(is)
	}
}
