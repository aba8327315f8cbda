package ingest_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/ingest/walk"
	"datasync/internal/model"
	"datasync/internal/store/storetest"
	"datasync/mockserver"
)

func TestPullReadsEverything(t *testing.T) {
	limits := func(o mockserver.Options) mockserver.Options {
		o.Data.Events, o.Events.Cap, o.Feed.Cap = 20_000, 400, 100
		return o
	}
	dirty := mockserver.DataOptions{Events: 3000, DirtyEvery: 7, TieSize: 40, TieEvery: 300}
	for _, tc := range []struct {
		name string
		opts mockserver.Options
	}{
		{"plain", mockserver.Options{}},
		{"the contract's limits", limits(mockserver.Contract())},
		{"the observed limits", limits(mockserver.Observed())},
		{"an empty API", mockserver.Options{Data: mockserver.DataOptions{Events: mockserver.NoEvents}}},
		{"one event", mockserver.Options{Data: mockserver.DataOptions{Events: 1}}},
		{"just one page", mockserver.Options{Data: mockserver.DataOptions{Events: 100}}},
		{"flat bodies", mockserver.Options{Flat: true}},
		{"dirty events and ties", mockserver.Options{Data: dirty}},
		{"repeated across pages", mockserver.Options{RepeatAcross: true}},
		{"repeated within pages", mockserver.Options{RepeatWithin: 5}},
		{"out of order", mockserver.Options{Data: mockserver.DataOptions{Events: 2000, SwapEvery: 50, SwapDistance: 30}}},
		{"signed cursors", mockserver.Options{Cursor: mockserver.Cursors{Signed: true}}},
		{"pages of one", mockserver.Options{Data: mockserver.DataOptions{Events: 60}, Events: mockserver.Pages{Cap: 1}}},
	} {
		inBubble(t, tc.name, tc.opts, func(b *bench) { b.mustPull() })
	}
}

func TestPullSurvivesFaults(t *testing.T) {
	const events, feed, access, all = mockserver.Events, mockserver.Feed, mockserver.StreamAccess, mockserver.Any
	limited := mockserver.RateLimited(20 * time.Second)
	for _, tc := range []struct {
		name string
		opts mockserver.Options
	}{
		{"503", scripted(events, 3, mockserver.Status(503))},
		{"503 that names a wait", scripted(events, 3, mockserver.StatusAfter(503, 7*time.Second))},
		{"500, 502, 504", scripted(all, 2, mockserver.Status(500), mockserver.Status(502), mockserver.Status(504))},
		{"429 without a wait", scripted(events, 2, mockserver.RateLimitedRaw("soon", "{}", 0))},
		{"reset", scripted(events, 2, mockserver.Reset(), mockserver.ResetAfter(500))},
		{"cut off", scripted(events, 2, mockserver.Truncate(700), mockserver.TruncateChunked(700), mockserver.Clip(700))},
		{"HTML, empty, null, 204", scripted(events, 2, mockserver.HTML(), mockserver.Empty(), mockserver.Null(), mockserver.NoContent())},
		{"too few", scripted(events, 2, mockserver.Returned(3))},
		{"text after the page", scripted(events, 2, mockserver.Trailing("{}"))},
		{"hanging", scripted(events, 2, mockserver.Hang(), mockserver.Stall(300))},
		{"a trickle", scripted(events, 2, mockserver.Drip(1, time.Second))},
		{"a cursor refused once", scripted(events, 5, mockserver.CursorExpired())},
		{"an expired cursor", scripted(events, 5, mockserver.Repeat(2, mockserver.CursorExpired()))},
		{"an invalid cursor", scripted(events, 5, mockserver.Repeat(2, mockserver.CursorInvalid()))},
		{"chaos headers", scripted(events, 2, mockserver.Header("X-Chaos-Applied", "missingFields"))},
		{"an empty page between", scripted(events, 4, mockserver.EmptyPage())},
		{"token refused", mockserver.Options{Scripts: []mockserver.Script{
			{Endpoint: events, Request: 3, Faults: []mockserver.Fault{limited}},
			{Endpoint: feed, Request: 1, Faults: []mockserver.Fault{mockserver.TokenRejected()}}}}},
		{"no access", mockserver.Options{Scripts: []mockserver.Script{
			{Endpoint: events, Request: 3, Faults: []mockserver.Fault{limited}},
			{Endpoint: access, Request: 1, Faults: []mockserver.Fault{mockserver.Status(503)}}}}},
		{"no browser", mockserver.Options{Scripts: []mockserver.Script{
			{Endpoint: events, Request: 3, Faults: []mockserver.Fault{limited}},
			{Endpoint: access, Request: 1, Faults: []mockserver.Fault{mockserver.DashboardRequired()}}}}},
		{"a foreign feed path", mockserver.Options{Scripts: []mockserver.Script{
			{Endpoint: events, Request: 3, Faults: []mockserver.Fault{limited}},
			{Endpoint: access, Request: 1, Faults: []mockserver.Fault{mockserver.FeedPath("//evil.test/feed")}}}}},
		{"the feed redirects", mockserver.Options{Scripts: []mockserver.Script{
			{Endpoint: events, Request: 3, Faults: []mockserver.Fault{limited}},
			{Endpoint: feed, Request: 1, Faults: []mockserver.Fault{mockserver.Redirect("http://evil.test/")}}}}},
		{"both closed", mockserver.Options{Scripts: []mockserver.Script{
			{Endpoint: events, Request: 3, Faults: []mockserver.Fault{mockserver.RateLimited(40 * time.Second)}},
			{Endpoint: feed, Request: 2, Faults: []mockserver.Fault{mockserver.RateLimited(20 * time.Second)}}}}},
	} {
		inBubble(t, tc.name, tc.opts, func(b *bench) { b.mustPull() })
	}
}

func TestPullStopsAtPermanentFaults(t *testing.T) {
	const events, all = mockserver.Events, mockserver.Any
	for _, tc := range []struct {
		name string
		opts mockserver.Options
		want error
	}{
		{"key refused", scripted(events, 3, mockserver.Repeat(mockserver.Forever, mockserver.KeyRefused())), api.ErrKeyRefused},
		{"redirect", scripted(events, 3, mockserver.Redirect("http://evil.test/")), api.ErrRedirected},
		{"the same cursor", scripted(events, 3, mockserver.Repeat(mockserver.Forever, mockserver.SameCursor())), walk.ErrLoop},
		{"the same events", scripted(events, 3, mockserver.Repeat(mockserver.Forever, mockserver.Stuck())), walk.ErrLoop},
		{"cursors in a circle", mockserver.Options{Cursor: mockserver.Cursors{Loop: 3}}, walk.ErrLoop},
		{"cursors in a renewed circle", mockserver.Options{Cursor: mockserver.Cursors{Loop: 3, LoopRenewed: true}}, walk.ErrLoop},
		{"no cursor", scripted(events, 3, mockserver.Repeat(mockserver.Forever, mockserver.NoCursor())), walk.ErrNoCursor},
		{"empty pages forever", scripted(events, 3, mockserver.Repeat(mockserver.Forever, mockserver.EmptyPage())), walk.ErrLoop},
		{"429 forever", scripted(all, 3, mockserver.Repeat(mockserver.Forever, mockserver.RateLimited(10*time.Second))), dispatch.ErrLimited},
		{"a day's wait", scripted(all, 3, mockserver.Repeat(mockserver.Forever, mockserver.RateLimited(24*time.Hour))), dispatch.ErrWaitTooLong},
		{"a total of more than there is", mockserver.Options{StatedTotal: "2100"}, walk.ErrMissing},
	} {
		inBubble(t, tc.name, tc.opts, func(b *bench) {
			summary, err := b.pull()
			if !errors.Is(err, tc.want) || summary.Complete {
				b.t.Errorf("%v, complete: %v; want %v", err, summary.Complete, tc.want)
			}
			if summary.Stored == 0 || summary.Stored != int64(len(b.store.Events())) {
				b.t.Errorf("%d stored, %d kept", summary.Stored, len(b.store.Events()))
			}
			if runs := b.store.Runs(); len(runs) != 1 || runs[0].Outcome != "failed" || runs[0].Reason != model.Line(err) {
				b.t.Errorf("runs %+v", runs)
			}
		})
	}
}

// Cursors that expire before they advance the walk end the run.
func TestPullStopsWhenCursorsExpireAtOnce(t *testing.T) {
	inBubble(t, "", mockserver.Options{}, func(b *bench) {
		var requests atomic.Int64
		real := b.opts.Transport
		b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if requests.Add(1) > 5 && r.URL.Query().Get("cursor") != "" {
				return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"error":"Cursor expired","code":"CURSOR_EXPIRED"}`))}, nil
			}
			return real.RoundTrip(r)
		})
		if _, err := b.pull(); !errors.Is(err, walk.ErrNoProgress) || requests.Load() > 60 {
			b.t.Errorf("%v after %d requests", err, requests.Load())
		}
		// With several walks, some of the five requests are probes.
		if stored := len(b.store.Events()); stored > 500 || b.opts.Workers == 1 && stored != 500 {
			b.t.Errorf("%d events stored, want 500", stored)
		}
	})
}

// A server that only sends pages for people is not the API, and is not retried for long. From an API, the same is a
// temporary failure.
func TestPullStopsWithoutAnAPI(t *testing.T) {
	page := mockserver.Repeat(mockserver.Forever, mockserver.HTML())
	inBubble(t, "from the first answer on", scripted(mockserver.Any, 1, page), func(b *bench) {
		b.opts.MaxRetryTime = time.Hour
		began := time.Now()
		if _, err := b.pull(); !errors.Is(err, api.ErrNoAPI) || time.Since(began) > time.Minute {
			b.t.Errorf("%v after %v", err, time.Since(began))
		}
	})
	inBubble(t, "later", scripted(mockserver.Any, 4, page), func(b *bench) {
		began := time.Now()
		if _, err := b.pull(); err == nil || errors.Is(err, api.ErrNoAPI) || time.Since(began) < b.opts.MaxRetryTime {
			b.t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// A request that always fails ends the run, and the next one resumes.
func TestPullFailsAndResumes(t *testing.T) {
	inBubble(t, "503", scripted(mockserver.Any, 4, mockserver.Repeat(60, mockserver.Status(503))), func(b *bench) {
		began := time.Now()
		first, err := b.pull()
		var answer *api.Error
		if !errors.As(err, &answer) || answer.Status != 503 || time.Since(began) < b.opts.MaxRetryTime {
			b.t.Fatalf("%v after %v", err, time.Since(began))
		}
		for err != nil {
			_, err = b.pull()
		}
		b.exact()
		if runs := b.store.Runs(); !runs[len(runs)-1].ResumedFrom.Valid || first.ResumedFrom.Valid {
			b.t.Errorf("not resumed: %+v", runs)
		}
	})
	// If access to the feed fails, it is requested again soon while the feed is the only endpoint.
	inBubble(t, "no access for a moment", mockserver.Options{Scripts: []mockserver.Script{
		{Endpoint: mockserver.Events, Request: 3, Faults: []mockserver.Fault{mockserver.RateLimited(time.Minute)}},
		{Endpoint: mockserver.StreamAccess, Request: 1, Faults: []mockserver.Fault{mockserver.Status(503), mockserver.Status(503)}},
	}}, func(b *bench) {
		began := time.Now()
		b.mustPull()
		if took := time.Since(began); took > 10*time.Second {
			b.t.Errorf("waited %v", took)
		}
	})
	// Repeated waits of 0 s are not honoured.
	inBubble(t, "429s that name 0 s", scripted(mockserver.Any, 4, mockserver.Repeat(mockserver.Forever, mockserver.RateLimitedRaw("0", "", 0))), func(b *bench) {
		_, err := b.pull()
		stats := b.server.Stats()
		if requests := stats.Events.Requests + stats.Feed.Requests + stats.StreamAccess.Requests; !errors.Is(err, dispatch.ErrLimited) || requests > 400 {
			b.t.Errorf("%v after %d requests", err, requests)
		}
	})
	inBubble(t, "unreachable", mockserver.Options{}, func(b *bench) {
		b.opts.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
		began := time.Now()
		_, err := b.pull()
		if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "connection refused") || took != 30*time.Second {
			b.t.Errorf("%v after %v; want 30 s", err, took)
		}
	})
}

// A pull that is stopped during a wait leaves the rest of it to the next one.
func TestWaitsPersistAcrossRuns(t *testing.T) {
	o := scripted(mockserver.Any, 3, mockserver.RateLimited(100*time.Second), mockserver.Status(503), mockserver.RateLimited(50*time.Second))
	inBubble(t, "stopped in a wait", o, func(b *bench) {
		ctx, cancel := context.WithTimeout(b.t.Context(), 40*time.Second)
		defer cancel()
		if _, err := ingest.Run(ctx, b.opts); !errors.Is(err, context.DeadlineExceeded) {
			b.t.Fatal(err)
		}
		if runs := b.store.Runs(); runs[0].Outcome != "interrupted" || runs[0].Reason != context.DeadlineExceeded.Error() {
			b.t.Errorf("runs %+v", runs)
		}
		b.mustPull()
		if runs := b.store.Runs(); runs[1].Outcome != "complete" || runs[1].Reason != "" {
			b.t.Errorf("runs %+v", runs)
		}
	})
}

// A page may name a wait, too.
func TestWaitsOfPages(t *testing.T) {
	withOneWalk(t, "Retry-After on pages", scripted(mockserver.Any, 2, mockserver.Repeat(6, mockserver.Header("Retry-After", "20"))), func(b *bench) {
		began := time.Now()
		b.mustPull()
		// One of the two endpoints sends at least two pages after each of its waits of 20 s.
		if took := time.Since(began); took < 40*time.Second {
			b.t.Errorf("pulled in %s", took)
		}
	})
}

// A later pull reads the new events and little more; a restart reads everything.
func TestLaterPulls(t *testing.T) {
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 2000}}
	inBubble(t, "", o, func(b *bench) {
		b.opts.Lookback = time.Second
		b.mustPull()
		requests := func() int { return b.server.Stats().Events.Requests }
		before := requests()
		if s := b.mustPull(); s.Stored != 0 || requests()-before > 2 {
			b.t.Errorf("nothing new: %+v with %d requests", s.Counts, requests()-before)
		}
		b.server.Dataset().Grow(750)
		before = requests()
		if s := b.mustPull(); s.Stored != 750 || requests()-before > 10 {
			b.t.Errorf("750 new: %+v with %d requests", s.Counts, requests()-before)
		}
		// Stopped during the new events, and grown again.
		b.server.Dataset().Grow(900)
		b.stopAfter(300)
		b.server.Dataset().Grow(400)
		b.mustPull()
		b.opts.Restart = true
		if s := b.mustPull(); s.Stored != 0 || s.Duplicate < int64(b.server.Dataset().Len()) {
			b.t.Errorf("restart: %+v", s.Counts)
		}
	})
}

// Under random faults, the result is exact.
func TestPullUnderRandomFaults(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		o := mockserver.Options{
			Data:   mockserver.DataOptions{Seed: seed, Events: 1500 + random.IntN(1500), DirtyEvery: 5 + random.IntN(50), TieEvery: 200, TieSize: 30},
			Events: mockserver.Pages{Cap: 25 + random.IntN(300), RateLimit: mockserver.RateLimit{Requests: 3 + random.IntN(8), Window: 20 * time.Second}},
			Feed:   mockserver.Pages{Cap: 10 + random.IntN(100), RateLimit: mockserver.RateLimit{Requests: 10, Window: 15 * time.Second}},
			Cursor: mockserver.Cursors{Life: 2 * time.Minute}, Access: mockserver.Access{TokenLife: time.Minute}, FaultSeed: seed,
			Random: []mockserver.RandomFault{
				{Rate: 0.05, Fault: mockserver.Status(503)}, {Rate: 0.05, Fault: mockserver.ResetAfter(200)}, {Rate: 0.05, Fault: mockserver.Clip(300)},
				{Endpoint: mockserver.Feed, Rate: 0.03, Fault: mockserver.TokenRejected()},
				{Endpoint: mockserver.Events, Rate: 0.01, Fault: mockserver.CursorExpired()},
			},
		}
		inBubble(t, "", o, func(b *bench) {
			b.stopAfter(500)
			pass(time.Duration(random.IntN(300)) * time.Second)
			b.mustPull()
		})
	}
}

var _ ingest.Store = (*storetest.Memory)(nil)

// Tokens are renewed before they expire, so that no request is refused.
func TestTokensAreRenewedBeforeTheyExpire(t *testing.T) {
	o := scripted(mockserver.Events, 2, mockserver.RateLimited(4*time.Minute))
	o.Access.TokenLife = time.Minute
	o.Feed.Latency = 5 * time.Second
	inBubble(t, "", o, func(b *bench) {
		b.mustPull()
		stats := b.server.Stats()
		if stats.Tokens < 3 || stats.Tokens > 5 {
			b.t.Errorf("%d tokens for %d pages of 5 s", stats.Tokens, stats.Feed.Pages)
		}
		for _, entry := range b.server.Log() {
			if entry.Status == 403 {
				b.t.Errorf("refused: %+v", entry)
			}
		}
	})
}
