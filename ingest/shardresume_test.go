package ingest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/shard"
	"datasync/internal/model"
	"datasync/mockserver"
)

// A pull that stops at any request is resumed with another number of walks, with valid or expired cursors.
func TestResumeWithOtherNumberOfWalks(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 23
	}
	for _, tc := range []struct{ first, then int }{{1, 4}, {4, 1}, {4, 4}, {4, shard.Auto}, {shard.Auto, 4}} {
		for _, expired := range []bool{false, true} {
			for n := 1; n < 70; n += step {
				o := shardable(mockserver.Bound(n % 3))
				o.Data = mockserver.DataOptions{Seed: uint64(n), Events: 2500, DirtyEvery: 25, TieEvery: 200, TieSize: 40}
				o.Cursor = mockserver.Cursors{Life: time.Minute, Signed: n%2 == 0}
				inBubbleOf(t, fmt.Sprint(tc.first, " walks, then ", tc.then, ", stopped at request ", n, ", cursors expire: ", expired), tc.first, o, func(b *bench) {
					b.opts.RenewCursors = n%4 < 2
					stopped := b.stopAt(n)
					if expired {
						pass(time.Hour)
					}
					b.server.Dataset().Grow(n % 5 * 40)
					b.opts.Workers = tc.then
					if stopped {
						b.stopAt(1 + n/2)
					}
					if expired {
						pass(time.Hour)
					}
					b.mustPull()
					b.shards()
				})
			}
		}
	}
}

// A pull that is killed at any commit, even before the first commit of a split window, is resumed, and reads little
// twice.
func TestKilledAtACommit(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 4
	}
	for n := 1; n < 45; n += step {
		for _, then := range []int{1, 4, shard.Auto} {
			o := shardable(mockserver.Bound(1 + n%2))
			o.Cursor.Life = time.Minute
			if n > 5 {
				// Each page is committed at once.
				o.Events.Latency, o.Feed.Latency = 300*time.Millisecond, 300*time.Millisecond
			}
			inBubbleOf(t, fmt.Sprint("commit ", n, ", then ", then, " walks"), 4, o, func(b *bench) {
				commits := 0
				b.store.Fail = func(operation string) error {
					if operation == "CommitBatch" {
						commits++
					}
					if commits >= n {
						return errInjected
					}
					return nil
				}
				_, err := b.pull()
				b.store.Fail = nil
				if err != nil && !errors.Is(err, errInjected) || err == nil && n < 4 {
					b.t.Fatal(err)
				}
				if n%3 == 0 {
					pass(time.Hour)
				}
				b.opts.Workers = then
				s := b.mustPull()
				b.shards()
				if s.Duplicate > b.readTwice(500) {
					b.t.Errorf("%+v", s.Counts)
				}
			})
		}
	}
}

// stopAt pulls and stops at the nth request, and reports whether there was one.
func (b *bench) stopAt(n int) bool {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	opts := b.opts
	var requests atomic.Int64
	opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if int(requests.Add(1)) == n {
			cancel()
		}
		return b.opts.Transport.RoundTrip(r)
	})
	_, err := ingest.Run(ctx, opts)
	if err != nil && !errors.Is(err, context.Canceled) {
		b.t.Fatal(err)
	}
	return err != nil
}

// loaded makes small pages as slow as the observed ones.
func loaded(o mockserver.Options, size int) mockserver.Options {
	for _, p := range []*mockserver.Pages{&o.Events, &o.Feed} {
		p.Cap, p.CacheTTL = size, 0
		p.Load = append([]mockserver.LoadPoint(nil), p.Load...)
		for i := range p.Load {
			p.Load[i].Latency *= time.Duration(5000 / size)
		}
	}
	return o
}

// Under the limits of the live service, concurrent walks use nearly all of the allowed rate and rarely exceed it.
func TestConcurrentWalksUnderLimits(t *testing.T) {
	half, twice := mockserver.RateLimit{Requests: 20, Named: mockserver.RetryAfterBody}, mockserver.RateLimit{Requests: 80, Named: mockserver.RetryAfterBody}
	for _, tc := range []struct {
		name   string
		most   time.Duration // of the bubble's time with an automatic number of walks
		change func(*mockserver.Options)
	}{
		// 600 pages take twelve windows of both budgets, the last one in part. Two more allow for
		// repeated pages and for learning the limits.
		{"observed", 14 * time.Minute, func(*mockserver.Options) {}},
		{"no headers", 14 * time.Minute, func(o *mockserver.Options) { o.Events.RateLimit.Headers = false }},
		{"half from some time on", 19 * time.Minute, func(o *mockserver.Options) {
			o.Changes = []mockserver.Change{{After: 5*time.Minute + 20*time.Second, FeedLimit: &half}}
		}},
		{"twice from some time on", 14 * time.Minute, func(o *mockserver.Options) {
			o.Changes = []mockserver.Change{{After: 5*time.Minute + 20*time.Second, FeedLimit: &twice}}
		}},
		{"quick", 14 * time.Minute, func(o *mockserver.Options) {
			*o = o.WithoutLatency()
			o.Events.Latency, o.Feed.Latency = time.Second, time.Second
		}},
	} {
		if testing.Short() && tc.name != "half from some time on" {
			continue
		}
		o := loaded(mockserver.Observed(), 50)
		o.Data.Events = 600 * 50
		tc.change(&o)
		for _, workers := range []int{4, shard.Auto} {
			inBubbleOf(t, fmt.Sprint(tc.name, ", workers ", workers), workers, o, func(b *bench) {
				b.mustPull()
				b.shards()
				s := b.server.Stats()
				requests, limited := s.Events.Requests+s.Feed.Requests, s.Events.Limited+s.Feed.Limited
				if s.Early > 0 || limited*50 > requests {
					b.t.Errorf("of %d requests, %d were early and %d rate-limited", requests, s.Early, limited)
				}
				if s.MaxInFlight < 2 {
					b.t.Error("one request at a time")
				}
				if took := s.Last.Sub(s.First); workers == shard.Auto && took > tc.most {
					b.t.Errorf("took %v, want %v at most", took, tc.most)
				}
			})
		}
	}
}

// A window that restarts from the newest event forgets its old position. That holds even if the pull is killed
// before the next page, the API grows, and cursors expire early.
func TestKilledDuringRestartFromNewest(t *testing.T) {
	for _, bounded := range []bool{false, true} {
		for _, workers := range []int{1, 4} {
			inBubbleOf(t, fmt.Sprint("start bound: ", bounded, ", then ", workers, " walks"), 4, shardable(mockserver.Exclusive), func(b *bench) {
				data := b.server.Dataset()
				border := model.InstantOf(data.Event(3500).Time())
				if bounded {
					b.opts.From = sql.Null[model.Instant]{V: border, Valid: true}
				}
				if _, err := b.pull(); err != nil {
					b.t.Fatal(err)
				}
				windows, err := b.store.Windows(b.t.Context())
				if err != nil || len(windows) < 2 {
					b.t.Fatalf("%+v, %v", windows, err)
				}
				var shards []int64
				for _, k := range windows[1:] {
					shards = append(shards, k.Window)
				}
				if err := b.store.MergeAndRestart(b.t.Context(), windows[0].Window, shards...); err != nil {
					b.t.Fatal(err)
				}
				data.Grow(1500)
				b.before(func(request int) {
					if request == 4 {
						b.server.ExpireCursors()
					}
				})
				b.opts.Workers = workers
				if bounded {
					b.pullWithin(border)
				} else {
					b.mustPull()
				}
				b.shards()
			})
		}
	}
}
