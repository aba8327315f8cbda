package ingest_test

import (
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
	for _, tc := range []struct {
		name string
		opts mockserver.Options
		long bool
	}{
		{"contract", of(mockserver.Contract(), 250_000), true},
		{"observed", of(mockserver.Observed(), 300_000), false},
		{"observed, few events", of(mockserver.Observed(), 40_000), false},
		{"observed, many events", of(mockserver.Observed(), 600_000), true},
		{"observed, all limits stated", of(stated, 300_000), true},
		{"plain", of(mockserver.Options{}, 20_000), false},
		{"plain and slow", slow(400*time.Millisecond, mockserver.Ignored), false},
		{"plain and slow, by time", slow(400*time.Millisecond, mockserver.Exclusive), false},
		{"plain and very slow, by time", slow(3*time.Second, mockserver.Inclusive), true},
	} {
		for _, workers := range []int{shard.Auto, 1, 8} {
			if tc.long && (testing.Short() || workers != shard.Auto) {
				continue
			}
			inBubbleOf(t, tc.name, workers, tc.opts, func(b *bench) {
				estimate := b.mustSurvey().Forecast
				took := b.mustPull().Took
				b.t.Logf("%d walks: estimated %v, took %v", workers, estimate.Expected, took)
				if d := max(estimate.Expected, took) - min(estimate.Expected, took); d > 3*time.Second && 3*min(estimate.Expected, took) < 2*max(estimate.Expected, took) {
					b.t.Errorf("%d walks: estimated %v, took %v: %+v", workers, estimate.Expected, took, estimate)
				}
			})
		}
	}
}
