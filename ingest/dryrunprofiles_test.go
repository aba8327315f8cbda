package ingest_test

import (
	"cmp"
	"testing"
	"time"

	"datasync/ingest/shard"
	"datasync/mockserver"
)

// The estimate is within a factor of 1.5 of the pull's time, for each profile of the mock server and any number of
// walks.
func TestForecastOfProfiles(t *testing.T) {
	of := func(o mockserver.Options, events int) mockserver.Options {
		o.Data.Events = events
		return o
	}
	slow := func(latency time.Duration, until mockserver.Bound) mockserver.Options {
		p := mockserver.Pages{Cap: 500, Latency: latency}
		f := p
		f.Until = until
		return mockserver.Options{Data: mockserver.DataOptions{Events: 30_000}, Events: p, Feed: f}
	}
	stated := mockserver.Observed()
	stated.Feed.RateLimit.Headers = true
	plain := mockserver.Options{Events: mockserver.Pages{Cap: 5000}, Feed: mockserver.Pages{Cap: 5000}}
	scaled := func(o mockserver.Options, scale float64) mockserver.Options {
		o.TimeScale = scale
		return o
	}
	for _, tc := range []struct {
		name string
		opts mockserver.Options
		page int // asked for; 0: the usual size
		long bool
	}{
		{"contract", of(mockserver.Contract(), 250_000), 0, true},
		{"contract, many events", of(mockserver.Contract(), 3_000_000), 0, true},
		{"contract, pages of 1,000", of(mockserver.Contract(), 70_000), 1000, false},
		{"contract, pages of 20,000", of(mockserver.Contract(), 300_000), 20_000, true},
		{"contract, pages of 2,000, scaled", scaled(of(mockserver.Contract(), 200_000), 10), 2000, true},
		{"contract, pages of 5,000, scaled", scaled(of(mockserver.Contract(), 600_000), 3), 5000, true},
		{"observed", of(mockserver.Observed(), 300_000), 0, false},
		{"observed, few events", of(mockserver.Observed(), 40_000), 0, false},
		{"observed, many events", of(mockserver.Observed(), 600_000), 0, true},
		{"observed, all limits stated", of(stated, 300_000), 0, true},
		{"observed, scaled", scaled(of(mockserver.Observed(), 300_000), 10), 0, false},
		{"observed, few events, scaled", scaled(of(mockserver.Observed(), 50_000), 10), 0, true},
		{"observed, scaled a little", scaled(of(mockserver.Observed(), 100_000), 2.5), 0, true},
		{"observed, pages of 1,000", of(mockserver.Observed(), 150_000), 1000, true},
		{"plain, pages of 5,000", of(plain, 300_000), 0, true},
		{"plain, pages of 1,000", of(plain, 100_000), 1000, false},
		{"plain", of(mockserver.Options{}, 20_000), 0, false},
		{"plain and slow", slow(400*time.Millisecond, mockserver.Ignored), 0, false},
		{"plain and slow, by time", slow(400*time.Millisecond, mockserver.Exclusive), 0, false},
		{"plain and very slow, by time", slow(3*time.Second, mockserver.Inclusive), 0, true},
	} {
		for _, workers := range []int{shard.Auto, 1, 8} {
			if tc.long && testing.Short() || workers != shard.Auto && (tc.long || testing.Short()) {
				continue
			}
			inBubbleOf(t, tc.name, workers, tc.opts, func(b *bench) {
				b.opts.PageSize = cmp.Or(tc.page, b.opts.PageSize)
				estimate := b.mustSurvey().Forecast
				took := b.mustPull().Took
				b.t.Logf("%d walks: estimated %v, otherwise %v, took %v", workers, estimate.Expected, estimate.Otherwise.V, took)
				if !near(estimate.Expected, took) && (!estimate.Otherwise.Valid || !near(estimate.Otherwise.V, took)) {
					b.t.Errorf("%d walks: estimated %v, took %v: %+v", workers, estimate.Expected, took, estimate)
				}
			})
		}
	}
}

// near reports whether two times are within a factor of 1.5, or a second.
func near(a, b time.Duration) bool {
	return max(a, b)-min(a, b) <= time.Second || 2*max(a, b) <= 3*min(a, b)
}
