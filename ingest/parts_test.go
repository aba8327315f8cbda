package ingest_test

import (
	"cmp"
	"context"
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
	"datasync/ingest/shard"
	"datasync/ingest/walk"
	"datasync/internal/model"
	"datasync/mockserver"
)

// inParts is an API from which a window can be walked in parts: it honours until, and takes
// time to answer.
func inParts(until mockserver.Bound) mockserver.Options {
	return mockserver.Options{
		Data:   mockserver.DataOptions{Events: 4000},
		Events: mockserver.Pages{Latency: answers}, Feed: mockserver.Pages{Until: until, Latency: answers},
		Cursor: mockserver.Cursors{Signed: true},
	}
}

// parts counts the parts of all windows, and fails where one is not done.
func (b *bench) parts() (n int) {
	b.t.Helper()
	windows, err := b.store.Windows(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for i := range windows {
		if windows[i].IsPart() {
			n++
		}
		if windows[i].State != model.Done {
			b.t.Errorf("window %d of %d is %s", windows[i].Window, windows[i].Whole, windows[i].State)
		}
	}
	return n
}

// before calls what is to happen before each request, by its number from 1 on, one after the
// other.
func (b *bench) before(happens func(request int)) {
	var mu sync.Mutex
	requests := 0
	real := b.opts.Transport
	b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		requests++
		happens(requests)
		mu.Unlock()
		return real.RoundTrip(r)
	})
}

// A window is walked in parts by each way there is to begin one, and by none where there is
// none.
func TestWaysToSplit(t *testing.T) {
	for _, tc := range []struct {
		name  string
		until mockserver.Bound
		made  bool // cursors can be
		renew bool
		parts bool
	}{
		{"inclusive", mockserver.Inclusive, false, false, true},
		{"exclusive", mockserver.Exclusive, false, false, true},
		{"by cursors", mockserver.Ignored, true, true, true},
		{"by cursors that are not allowed", mockserver.Ignored, true, false, false},
		{"by cursors that are signed", mockserver.Ignored, false, true, false},
	} {
		o := inParts(tc.until)
		o.Cursor.Signed = !tc.made
		inBubbleOf(t, tc.name, 4, o, func(b *bench) {
			b.opts.RenewCursors = tc.renew
			b.mustPull()
			if n := b.parts(); n > 0 != tc.parts {
				b.t.Errorf("%d parts", n)
			}
			if most := b.server.Stats().MaxInFlight; tc.parts && most < 3 || most > 4 {
				b.t.Errorf("%d requests at a time", most)
			}
			if tc.parts && len(b.notes) > 0 {
				b.t.Errorf("told %q", b.notes)
			}
		})
	}
}

// Where until is not honoured any more while parts are under way, what was begun by it is
// walked to its end, or by the part above.
func TestUntilIsIgnoredMeanwhile(t *testing.T) {
	for _, dies := range []bool{false, true} {
		for after := 100 * time.Millisecond; after < 1500*time.Millisecond; after += 65 * time.Millisecond {
			o := inParts(mockserver.Exclusive)
			o.Data.DirtyEvery = 30
			ignored := mockserver.Ignored
			o.Changes = []mockserver.Change{{After: after, FeedUntil: &ignored}}
			inBubbleOf(t, fmt.Sprint("after ", after, ", cursors die: ", dies), 4, o, func(b *bench) {
				var once sync.Once
				began := time.Now()
				b.before(func(int) {
					if dies && time.Since(began) >= after {
						once.Do(b.server.ExpireCursors)
					}
				})
				b.mustPull()
				b.parts()
				b.server.Dataset().Grow(100)
				b.mustPull()
			})
		}
	}
}

// untilOfPages matches requests by time for whole pages, from the nth on; those for a few
// events look for a way to split.
func untilOfPages(nth int64) func(*http.Request) bool {
	var n atomic.Int64
	return func(r *http.Request) bool {
		q := r.URL.Query()
		return q.Has("until") && len(q.Get("limit")) > 2 && n.Add(1) >= nth
	}
}

// A page by time that begins further down than it should leaves no gap: the part above goes
// down to it.
func TestPartsThatBeginFurtherDown(t *testing.T) {
	for _, hours := range []int{1, 12, 100, 1000} {
		for nth := range int64(4) {
			inBubbleOf(t, fmt.Sprint(hours, " hours from the ", nth+1, ". on"), 4, inParts(mockserver.Inclusive), func(b *bench) {
				b.redirected(untilOfPages(nth+1), func(r *http.Request) {
					q := r.URL.Query()
					var until int64
					_, _ = fmt.Sscan(q.Get("until"), &until)
					q.Set("until", fmt.Sprint(until-int64(hours)*time.Hour.Milliseconds()))
					r.URL.RawQuery = q.Encode()
				})
				b.mustPull()
				b.parts()
			})
		}
	}
}

// A page by time that begins further up than it should, or where nothing is, is not taken for
// the beginning of a part.
func TestPartsThatCannotBegin(t *testing.T) {
	for name, body := range map[string]string{
		"an end":                 `{"data":[],"pagination":{"hasMore":false,"nextCursor":null}}`,
		"nothing and no cursor":  `{"data":[],"pagination":{"hasMore":true,"nextCursor":null}}`,
		"nothing, for ever":      `{"data":[],"pagination":{"hasMore":true,"nextCursor":"nowhere"}}`,
		"something that is none": `null`,
	} {
		for nth := int64(1); nth <= 4; nth++ {
			inBubbleOf(t, fmt.Sprint(name, " from the ", nth, ". on"), 4, inParts(mockserver.Inclusive), func(b *bench) {
				b.rewritten(untilOfPages(nth), func(string) string { return body })
				b.mustPull()
				b.parts()
			})
		}
	}
	for nth := int64(1); nth <= 4; nth++ {
		inBubbleOf(t, fmt.Sprint("the top from the ", nth, ". on"), 4, inParts(mockserver.Inclusive), func(b *bench) {
			b.redirected(untilOfPages(nth), func(r *http.Request) {
				q := r.URL.Query()
				q.Del("until")
				r.URL.RawQuery = q.Encode()
			})
			b.mustPull()
			b.parts()
		})
	}
}

// A part whose cursors lead to the newest page, from the nth page by time on, is walked by
// another one.
func TestPartsWhoseCursorsLeadToTheTop(t *testing.T) {
	next := regexp.MustCompile(`"nextCursor":"([^"]*)"`)
	for _, renew := range []bool{false, true} {
		for nth := int64(1); nth <= 6; nth++ {
			o := inParts(mockserver.Inclusive)
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
				b.parts()
				if pages := b.pages(); pages > 200 {
					b.t.Errorf("%d pages for 40", pages)
				}
			})
		}
	}
}

// few is how many seeds are tried: all, or, where all takes minutes as under -race, a quarter.
func few(seeds uint64) uint64 {
	if testing.Short() {
		return (seeds + 3) / 4
	}
	return seeds
}

// Whatever stands at a border, a reject, one of many events of a millisecond, more of them
// than a page has, or elements that are all alike, comes out once.
func TestWhatStandsAtABorder(t *testing.T) {
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
				o := inParts(until)
				data.Events, data.Seed = 2500, seed
				o.Data = data
				inBubbleOf(t, fmt.Sprint(name, ", until ", until, ", seed ", seed), 4, o, func(b *bench) {
					if _, err := b.pull(); err != nil && !(data.DirtyRate > 0.5 && errors.Is(err, ingest.ErrUnusable)) {
						b.t.Error(err)
					}
					b.exact()
					b.parts()
				})
			}
		}
		for seed := range few(8) {
			o := inParts(until)
			o.Data.Seed = seed
			inBubbleOf(t, fmt.Sprint("elements alike, until ", until, ", seed ", seed), 4, o, func(b *bench) {
				rejects := b.spoil()
				if s, err := b.pull(); err != nil || s.TotalRejected != int64(rejects) || s.Total != int64(b.server.Dataset().Len()-rejects) {
					b.t.Errorf("%v: %d events and %d rejects, want %d", err, s.Total, s.TotalRejected, rejects)
				}
				b.parts()
			})
		}
	}
}

// Events that arrive while parts are walked, at the top or below what was read, are there
// after the next pull.
func TestEventsArriveMeanwhile(t *testing.T) {
	for seed := range few(12) {
		random := rand.New(rand.NewPCG(seed, 5))
		o := inParts(mockserver.Bound(random.IntN(3)))
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
			b.parts()
		})
	}
}

// A pull that stops at any request is gone on with by another number of walks, whether its
// cursors are still alive or not.
func TestGoingOnWithMoreOrFewerWalks(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 23
	}
	for _, tc := range []struct{ first, then int }{{1, 4}, {4, 1}, {4, 4}, {4, shard.Auto}, {shard.Auto, 4}} {
		for _, dead := range []bool{false, true} {
			for n := 1; n < 70; n += step {
				o := inParts(mockserver.Bound(n % 3))
				o.Data = mockserver.DataOptions{Seed: uint64(n), Events: 2500, DirtyEvery: 25, TieEvery: 200, TieSize: 40}
				o.Cursor = mockserver.Cursors{Life: time.Minute, Signed: n%2 == 0}
				inBubbleOf(t, fmt.Sprint(tc.first, " walks, then ", tc.then, ", stopped at request ", n, ", cursors die: ", dead), tc.first, o, func(b *bench) {
					b.opts.RenewCursors = n%4 < 2
					stopped := b.stopAt(n)
					if dead {
						pass(time.Hour)
					}
					b.server.Dataset().Grow(n % 5 * 40)
					b.opts.Workers = tc.then
					if stopped {
						b.stopAt(1 + n/2)
					}
					if dead {
						pass(time.Hour)
					}
					b.mustPull()
					b.parts()
				})
			}
		}
	}
}

// A pull that is killed at any commit, also before anything was committed of a window that
// had been split, is gone on with, and little is read twice.
func TestKilledAtACommit(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 4
	}
	for n := 1; n < 45; n += step {
		for _, then := range []int{1, 4, shard.Auto} {
			o := inParts(mockserver.Bound(1 + n%2))
			o.Cursor.Life = time.Minute
			if n > 5 {
				// Each page is committed as soon as it comes.
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
				b.parts()
				if s.Duplicate > b.readTwice(500) {
					b.t.Errorf("%+v", s.Counts)
				}
			})
		}
	}
}

// stopAt pulls and stops at the nth request; it reports whether there was one.
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

// loaded are pages as slow as the observed ones, though they are small.
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

// A search for a way to split that fails, as the feed does, is made again.
func TestASearchThatFailsIsMadeAgain(t *testing.T) {
	o := inParts(mockserver.Exclusive)
	o.Data.Events = 6000
	o.Events.Latency, o.Feed.Latency = time.Second, time.Second
	o.Scripts = []mockserver.Script{{Endpoint: mockserver.Feed, Request: 1, Faults: []mockserver.Fault{mockserver.Repeat(2, mockserver.Status(503))}}}
	inBubbleOf(t, "", 4, o, func(b *bench) {
		b.mustPull()
		b.parts()
		if n := b.server.Stats().MaxInFlight; n < 4 {
			b.t.Errorf("%d requests at a time at most", n)
		}
	})
}

// Under the limits of the live service, walks side by side get nearly all that these allow,
// and hardly ever ask for more.
func TestSideBySideUnderLimits(t *testing.T) {
	half, twice := mockserver.RateLimit{Requests: 20, Named: mockserver.RetryAfterBody}, mockserver.RateLimit{Requests: 80, Named: mockserver.RetryAfterBody}
	for _, tc := range []struct {
		name   string
		most   time.Duration // of the bubble's time that as many walks as are worth it may take
		change func(*mockserver.Options)
	}{
		// 600 pages are twelve windows of both budgets, the last of which need not end; two are
		// for what is read twice and for finding out.
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
				b.parts()
				s := b.server.Stats()
				requests, limited := s.Events.Requests+s.Feed.Requests, s.Events.Limited+s.Feed.Limited
				if s.Early > 0 || limited*50 > requests {
					b.t.Errorf("of %d requests %d were too early, %d refused", requests, s.Early, limited)
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

// A window that is to be walked again from the newest event forgets where it had stood, also
// where it is killed before the first page of that, the API grows, and cursors die early.
func TestKilledInARescue(t *testing.T) {
	for _, floor := range []bool{false, true} {
		for _, workers := range []int{1, 4} {
			inBubbleOf(t, fmt.Sprint("floor: ", floor, ", then ", workers, " walks"), 4, inParts(mockserver.Exclusive), func(b *bench) {
				data := b.server.Dataset()
				border := model.InstantOf(data.Event(3500).Time())
				if floor {
					b.opts.From = sql.Null[model.Instant]{V: border, Valid: true}
				}
				if _, err := b.pull(); err != nil {
					b.t.Fatal(err)
				}
				windows, err := b.store.Windows(b.t.Context())
				if err != nil || len(windows) < 2 {
					b.t.Fatalf("%+v, %v", windows, err)
				}
				var parts []int64
				for _, k := range windows[1:] {
					parts = append(parts, k.Window)
				}
				if err := b.store.MergeAndRestart(b.t.Context(), windows[0].Window, parts...); err != nil {
					b.t.Fatal(err)
				}
				data.Grow(1500)
				b.before(func(request int) {
					if request == 4 {
						b.server.ExpireCursors()
					}
				})
				b.opts.Workers = workers
				if floor {
					b.pullWithin(border)
				} else {
					b.mustPull()
				}
				b.parts()
			})
		}
	}
}

// A floor below the oldest event is no reason to walk alone.
func TestAFloorBelowTheOldestEvent(t *testing.T) {
	inBubbleOf(t, "", 4, inParts(mockserver.Exclusive), func(b *bench) {
		b.opts.From = sql.Null[model.Instant]{V: model.InstantOf(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)), Valid: true}
		b.pullWithin(b.opts.From.V)
		if n, parts := b.server.Stats().MaxInFlight, b.parts(); n < 4 || parts < 3 {
			b.t.Errorf("%d requests at a time at most, %d parts", n, parts)
		}
	})
}

// TestPagesThatEndTooEarly: a page that says it is the last one, above events that are known,
// ends no part. What is known of the events below the lowest part is the API's count.
func TestPagesThatEndTooEarly(t *testing.T) {
	whole := 0
	for seed := range uint64(20) {
		o := inParts(mockserver.Inclusive)
		o.FaultSeed, o.Random = seed, []mockserver.RandomFault{{Rate: 0.05, Fault: mockserver.EarlyEnd()}}
		inBubbleOf(t, fmt.Sprint("seed ", seed), 4, o, func(b *bench) {
			_, err := b.pull()
			switch {
			case err == nil:
				b.exact()
				whole++
			case !errors.Is(err, walk.ErrMissing):
				b.t.Error(err)
			}
			b.noHoles()
		})
	}
	if whole == 0 {
		t.Error("no pull was whole")
	}
}

// noHoles fails where a part ends above the one below begins, both of them done.
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
			b.t.Errorf("between windows %d and %d there is a hole", above.Window, below.Window)
		}
	}
}
