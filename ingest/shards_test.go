package ingest_test

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/walk"
	"datasync/internal/model"
	"datasync/mockserver"
)

// shardable is an API whose windows can be walked in shards: it honours until, and takes time to answer.
func shardable(until mockserver.Bound) mockserver.Options {
	return mockserver.Options{
		Data:   mockserver.DataOptions{Events: 4000},
		Events: mockserver.Pages{Latency: answers}, Feed: mockserver.Pages{Until: until, Latency: answers},
		Cursor: mockserver.Cursors{Signed: true},
	}
}

// shards counts the shards of all windows, and fails if one is not done.
func (b *bench) shards() (n int) {
	b.t.Helper()
	windows, err := b.store.Windows(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for i := range windows {
		if windows[i].IsShard() {
			n++
		}
		if windows[i].State != model.Done {
			b.t.Errorf("window %d of %d is %s", windows[i].Window, windows[i].Whole, windows[i].State)
		}
	}
	return n
}

// before calls f before each request with its number, from 1 on, one at a time.
func (b *bench) before(f func(request int)) {
	var mu sync.Mutex
	requests := 0
	real := b.opts.Transport
	b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		requests++
		f(requests)
		mu.Unlock()
		return real.RoundTrip(r)
	})
}

// A window is split by each available method, and by none without one.
func TestWaysToSplit(t *testing.T) {
	for _, tc := range []struct {
		name  string
		until mockserver.Bound
		made  bool // cursors can be made
		renew bool
		split bool
	}{
		{"inclusive", mockserver.Inclusive, false, false, true},
		{"exclusive", mockserver.Exclusive, false, false, true},
		{"by cursors", mockserver.Ignored, true, true, true},
		{"by cursors that are not allowed", mockserver.Ignored, true, false, false},
		{"by cursors that are signed", mockserver.Ignored, false, true, false},
	} {
		o := shardable(tc.until)
		o.Cursor.Signed = !tc.made
		inBubbleOf(t, tc.name, 4, o, func(b *bench) {
			b.opts.RenewCursors = tc.renew
			b.mustPull()
			if n := b.shards(); n > 0 != tc.split {
				b.t.Errorf("%d shards", n)
			}
			if most := b.server.Stats().MaxInFlight; tc.split && most < 3 || most > 4 {
				b.t.Errorf("%d requests at a time", most)
			}
			if tc.split && len(b.notices) > 0 {
				b.t.Errorf("notices %q", b.notices)
			}
		})
	}
}

// If the API ignores until from some time on, the existing shards are walked to their end, or by the shard above.
func TestUntilIsIgnoredDuringAPull(t *testing.T) {
	for _, expire := range []bool{false, true} {
		for after := 100 * time.Millisecond; after < 1500*time.Millisecond; after += 65 * time.Millisecond {
			o := shardable(mockserver.Exclusive)
			o.Data.DirtyEvery = 30
			ignored := mockserver.Ignored
			o.Changes = []mockserver.Change{{After: after, FeedUntil: &ignored}}
			inBubbleOf(t, fmt.Sprint("after ", after, ", cursors expire: ", expire), 4, o, func(b *bench) {
				var once sync.Once
				began := time.Now()
				b.before(func(int) {
					if expire && time.Since(began) >= after {
						once.Do(b.server.ExpireCursors)
					}
				})
				b.mustPull()
				b.shards()
				b.server.Dataset().Grow(100)
				b.mustPull()
			})
		}
	}
}

// untilOfPages matches requests by time for whole pages, from the nth on. Those for a few events are probes.
func untilOfPages(nth int64) func(*http.Request) bool {
	var n atomic.Int64
	return func(r *http.Request) bool {
		q := r.URL.Query()
		return q.Has("until") && len(q.Get("limit")) > 2 && n.Add(1) >= nth
	}
}

// A page by time that begins too low leaves no gap: the shard above continues down to it.
func TestShardsThatBeginTooLow(t *testing.T) {
	for _, hours := range []int{1, 12, 100, 1000} {
		for nth := range int64(4) {
			inBubbleOf(t, fmt.Sprint(hours, " hours from the ", nth+1, ". on"), 4, shardable(mockserver.Inclusive), func(b *bench) {
				b.redirected(untilOfPages(nth+1), func(r *http.Request) {
					q := r.URL.Query()
					var until int64
					_, _ = fmt.Sscan(q.Get("until"), &until)
					q.Set("until", fmt.Sprint(until-int64(hours)*time.Hour.Milliseconds()))
					r.URL.RawQuery = q.Encode()
				})
				b.mustPull()
				b.shards()
			})
		}
	}
}

// A page by time that begins too high, or is empty, does not begin a shard.
func TestShardsThatCannotBegin(t *testing.T) {
	for name, body := range map[string]string{
		"an end":                `{"data":[],"pagination":{"hasMore":false,"nextCursor":null}}`,
		"nothing and no cursor": `{"data":[],"pagination":{"hasMore":true,"nextCursor":null}}`,
		"nothing, forever":      `{"data":[],"pagination":{"hasMore":true,"nextCursor":"nowhere"}}`,
		"null":                  `null`,
	} {
		for nth := int64(1); nth <= 4; nth++ {
			inBubbleOf(t, fmt.Sprint(name, " from the ", nth, ". on"), 4, shardable(mockserver.Inclusive), func(b *bench) {
				b.rewritten(untilOfPages(nth), func(string) string { return body })
				b.mustPull()
				b.shards()
			})
		}
	}
	for nth := int64(1); nth <= 4; nth++ {
		inBubbleOf(t, fmt.Sprint("the top from the ", nth, ". on"), 4, shardable(mockserver.Inclusive), func(b *bench) {
			b.redirected(untilOfPages(nth), func(r *http.Request) {
				q := r.URL.Query()
				q.Del("until")
				r.URL.RawQuery = q.Encode()
			})
			b.mustPull()
			b.shards()
		})
	}
}

// If the cursors of a shard return the newest page, from the nth page by time on, another shard takes it over.
func TestShardsWhoseCursorsReturnTheTop(t *testing.T) {
	next := regexp.MustCompile(`"nextCursor":"([^"]*)"`)
	for _, renew := range []bool{false, true} {
		for nth := int64(1); nth <= 6; nth++ {
			o := shardable(mockserver.Inclusive)
			o.Cursor.Signed = !renew
			inBubbleOf(t, fmt.Sprint("from the ", nth, ". on, renewed: ", renew), 4, o, func(b *bench) {
				b.opts.RenewCursors = renew
				var mu sync.Mutex
				lies := map[string]bool{}
				b.redirected(func(r *http.Request) bool {
					mu.Lock()
					defer mu.Unlock()
					return lies[r.URL.Query().Get("cursor")]
				}, func(r *http.Request) {
					q := r.URL.Query()
					q.Del("cursor")
					r.URL.RawQuery = q.Encode()
				})
				b.rewritten(untilOfPages(nth), func(body string) string {
					if m := next.FindStringSubmatch(body); m != nil {
						mu.Lock()
						defer mu.Unlock()
						lies[m[1]] = true
					}
					return body
				})
				b.mustPull()
				b.shards()
				if pages := b.pages(); pages > 200 {
					b.t.Errorf("%d pages for 40", pages)
				}
			})
		}
	}
}

// few returns all seeds or, in short tests, a quarter: all take minutes under -race.
func few(seeds uint64) uint64 {
	if testing.Short() {
		return (seeds + 3) / 4
	}
	return seeds
}

// Every element at a border is stored once: a reject, one of many events of a millisecond, more of them than fit on a
// page, or one of many identical elements.
func TestElementsAtABorder(t *testing.T) {
	for _, until := range []mockserver.Bound{mockserver.Exclusive, mockserver.Inclusive} {
		for name, data := range map[string]mockserver.DataOptions{
			"rejects":                  {DirtyEvery: 2, DirtyKinds: mockserver.RejectedMalformed()},
			"many rejects":             {DirtyRate: 0.9, DirtyKinds: mockserver.RejectedMalformed()},
			"all kinds":                {DirtyRate: 0.5},
			"ties":                     {TieSize: 30, TieEvery: 31},
			"more ties than a page":    {TieSize: 120, TieEvery: 130},
			"nothing but many of them": {TieSize: 300, TieEvery: 300},
			"rejects and ties":         {DirtyEvery: 3, TieSize: 70, TieEvery: 80},
		} {
			for seed := range few(4) {
				o := shardable(until)
				data.Events, data.Seed = 2500, seed
				o.Data = data
				inBubbleOf(t, fmt.Sprint(name, ", until ", until, ", seed ", seed), 4, o, func(b *bench) {
					if _, err := b.pull(); err != nil && !(data.DirtyRate > 0.5 && errors.Is(err, ingest.ErrUnusable)) {
						b.t.Error(err)
					}
					b.exact()
					b.shards()
				})
			}
		}
		for seed := range few(8) {
			o := shardable(until)
			o.Data.Seed = seed
			inBubbleOf(t, fmt.Sprint("elements alike, until ", until, ", seed ", seed), 4, o, func(b *bench) {
				rejects := b.damage()
				if s, err := b.pull(); err != nil || s.TotalRejected != int64(rejects) || s.Total != int64(b.server.Dataset().Len()-rejects) {
					b.t.Errorf("%v: %d events and %d rejects, want %d", err, s.Total, s.TotalRejected, rejects)
				}
				b.shards()
			})
		}
	}
}

// Events that arrive during a pull, at the top or below the cursor, are stored by the next pull.
func TestEventsArriveDuringAPull(t *testing.T) {
	for seed := range few(12) {
		random := rand.New(rand.NewPCG(seed, 5))
		o := shardable(mockserver.Bound(random.IntN(3)))
		o.Data = mockserver.DataOptions{Seed: seed, Events: 3000, LateEvery: 2 + random.IntN(40), LateWithin: 2500, DirtyEvery: 20}
		o.Cursor.Signed = seed%2 == 0
		inBubble(t, fmt.Sprint("seed ", seed), o, func(b *bench) {
			b.opts.RenewCursors, b.opts.Lookback = true, 31*24*time.Hour
			quiet := b.opts.Transport
			reveal, each := 1+random.IntN(60), 1+random.IntN(12)
			b.before(func(request int) {
				if request == reveal {
					b.server.Dataset().Reveal()
				}
				if request%each == 0 && request < 60 {
					b.server.Dataset().Grow(random.IntN(90))
				}
			})
			if _, err := b.pull(); err != nil && !errors.Is(err, walk.ErrMissing) {
				b.t.Fatal(err)
			}
			b.opts.Transport = quiet
			b.server.Dataset().Reveal()
			b.mustPull()
			b.shards()
		})
	}
}

// A probe that fails together with the feed is retried.
func TestFailedProbeIsRetried(t *testing.T) {
	o := shardable(mockserver.Exclusive)
	o.Data.Events = 6000
	o.Events.Latency, o.Feed.Latency = time.Second, time.Second
	o.Scripts = []mockserver.Script{{Endpoint: mockserver.Feed, Request: 1, Faults: []mockserver.Fault{mockserver.Repeat(2, mockserver.Status(503))}}}
	inBubbleOf(t, "", 4, o, func(b *bench) {
		b.mustPull()
		b.shards()
		if n := b.server.Stats().MaxInFlight; n < 4 {
			b.t.Errorf("%d requests at a time at most", n)
		}
	})
}

// A start bound below the oldest event does not prevent shards.
func TestStartBoundBelowTheOldestEvent(t *testing.T) {
	inBubbleOf(t, "", 4, shardable(mockserver.Exclusive), func(b *bench) {
		b.opts.From = sql.Null[model.Instant]{V: model.InstantOf(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)), Valid: true}
		b.pullWithin(b.opts.From.V)
		if n, shards := b.server.Stats().MaxInFlight, b.shards(); n < 4 || shards < 3 {
			b.t.Errorf("%d requests at a time at most, %d shards", n, shards)
		}
	})
}

// TestPagesThatEndTooEarly: a page that claims to be the last one, above known events, ends no shard. Below the lowest
// shard, only the API's count shows missing events.
func TestPagesThatEndTooEarly(t *testing.T) {
	complete := 0
	for seed := range uint64(20) {
		o := shardable(mockserver.Inclusive)
		o.FaultSeed, o.Random = seed, []mockserver.RandomFault{{Rate: 0.05, Fault: mockserver.EarlyEnd()}}
		inBubbleOf(t, fmt.Sprint("seed ", seed), 4, o, func(b *bench) {
			_, err := b.pull()
			switch {
			case err == nil:
				b.exact()
				complete++
			case !errors.Is(err, walk.ErrMissing):
				b.t.Error(err)
			}
			b.noHoles()
		})
	}
	if complete == 0 {
		t.Error("no pull was complete")
	}
}

// noHoles fails if a finished shard ends above the beginning of the one below.
func (b *bench) noHoles() {
	b.t.Helper()
	windows, err := b.store.Windows(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	slices.SortFunc(windows, func(x, y model.Checkpoint) int { return cmp.Compare(y.First.V.Timestamp, x.First.V.Timestamp) })
	for i := 1; i < len(windows); i++ {
		above, below := windows[i-1], windows[i]
		if above.Last.Valid && below.First.Valid && above.Last.V.Compare(below.First.V) > 0 {
			b.t.Errorf("between windows %d and %d there is a gap", above.Window, below.Window)
		}
	}
}
