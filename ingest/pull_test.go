package ingest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/ingest/walk"
	"datasync/internal/store/storetest"
	"datasync/mockserver"
)

var workers = flag.Int("workers", 0, "walks at a time in tests of whole pulls; 0: each with 1 and with 4")

// bench is a pull from a mock server into a store in memory, inside a bubble in
// which waits take no time.
type bench struct {
	t      *testing.T
	server *mockserver.Server
	store  *storetest.Memory
	opts   ingest.Options
	notes  []string
}

func newBench(t *testing.T, o mockserver.Options) *bench {
	t.Helper()
	if o.Data.Events == 0 {
		o.Data.Events = 2000
	}
	if o.Events.Cap == 0 {
		o.Events.Cap = 100
	}
	if o.Feed.Cap == 0 {
		o.Feed.Cap = 50
	}
	b := &bench{t: t, server: mockserver.New(o), store: storetest.NewMemory()}
	base, err := url.Parse(mockserver.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	b.opts = ingest.Options{
		Store: b.store, Transport: b.server.Transport(), BaseURL: base, Key: "ds_test_key", PageSize: 100_000,
		Workers: 1, Lookback: 10 * time.Minute, MaxWait: 5 * time.Minute, MaxRetryTime: 5 * time.Minute,
		// A bubble's time begins in 2000, the events are of 2026.
		Now:    func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) },
		Notice: func(text string) { b.notes = append(b.notes, text) },
	}
	return b
}

func (b *bench) pull() (ingest.Summary, error) { return ingest.Run(b.t.Context(), b.opts) }

// mustPull pulls to the end and checks that the store holds what the API has.
func (b *bench) mustPull() ingest.Summary {
	b.t.Helper()
	summary, err := b.pull()
	if err != nil || !summary.Complete {
		b.t.Fatalf("%v, complete: %v; told %q", err, summary.Complete, b.notes)
	}
	b.exact()
	return summary
}

// exact checks events and rejects against the data set, and what the server
// watched: no request too soon, no header missing, no script unused.
func (b *bench) exact() {
	b.t.Helper()
	data := b.server.Dataset()
	want := map[string]int64{}
	rejects := 0
	for i := range data.Len() {
		if !data.Expected(i).Storable {
			rejects++
			continue
		}
		e := data.Event(i)
		want[e.ID.String()] = e.Time().UnixMicro()
	}
	events := b.store.Events()
	if len(events) != len(want) {
		b.t.Errorf("%d events stored, want %d", len(events), len(want))
	}
	for i := range events {
		if at, ok := want[events[i].ID.String()]; !ok || at != int64(events[i].Timestamp) {
			b.t.Errorf("event %s at %d, want %d (%v)", events[i].ID, events[i].Timestamp, at, ok)
			break
		}
	}
	if got := len(b.store.Rejects()); got != rejects {
		b.t.Errorf("%d rejects, want %d", got, rejects)
	}
	if err := b.server.Verify(); err != nil {
		b.t.Error(err)
	}
}

// inBubble runs a test with one walk at a time and with four, with four alone where tests are
// to be short, or with as many as the flag says.
func inBubble(t *testing.T, name string, o mockserver.Options, test func(*bench)) {
	counts := []int{1, 4}
	if testing.Short() {
		counts = []int{4}
	}
	if *workers != 0 {
		counts = []int{*workers}
	}
	for _, n := range counts {
		inBubbleOf(t, fmt.Sprint(name, ", workers ", n), n, o, test)
	}
}

// withOneWalk runs a test that speaks of the requests of one walk: of their numbers, or of
// what comes between two of them.
func withOneWalk(t *testing.T, name string, o mockserver.Options, test func(*bench)) {
	inBubbleOf(t, name, 1, o, test)
}

func inBubbleOf(t *testing.T, name string, workers int, o mockserver.Options, test func(*bench)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, o)
			b.opts.Workers = workers
			test(b)
		})
	})
}

func scripted(e mockserver.Endpoint, request int, faults ...mockserver.Fault) mockserver.Options {
	return mockserver.Options{Scripts: []mockserver.Script{{Endpoint: e, Request: request, Faults: faults}}}
}

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

func TestPullOutlastsFaults(t *testing.T) {
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
		{"more behind the page", scripted(events, 2, mockserver.Trailing("{}"))},
		{"hanging", scripted(events, 2, mockserver.Hang(), mockserver.Stall(300))},
		{"a trickle", scripted(events, 2, mockserver.Drip(1, time.Second))},
		{"a cursor refused once", scripted(events, 5, mockserver.CursorExpired())},
		{"a dead cursor", scripted(events, 5, mockserver.Repeat(2, mockserver.CursorExpired()))},
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

func TestPullStopsWhereGoingOnIsNoUse(t *testing.T) {
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
		{"empty pages for ever", scripted(events, 3, mockserver.Repeat(mockserver.Forever, mockserver.EmptyPage())), walk.ErrLoop},
		{"429 for ever", scripted(all, 3, mockserver.Repeat(mockserver.Forever, mockserver.RateLimited(10*time.Second))), dispatch.ErrLimited},
		{"a day's wait", scripted(all, 3, mockserver.Repeat(mockserver.Forever, mockserver.RateLimited(24*time.Hour))), dispatch.ErrClosed},
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
			if runs := b.store.Runs(); len(runs) != 1 || runs[0].Outcome != "failed" {
				b.t.Errorf("runs %+v", runs)
			}
		})
	}
}

// Cursors that die before the walk gets any further end the run.
func TestPullStopsWhereCursorsDieAtOnce(t *testing.T) {
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
		// Of several walks some of the five requests only looked for a way to split.
		if stored := len(b.store.Events()); stored > 500 || b.opts.Workers == 1 && stored != 500 {
			b.t.Errorf("%d events stored, want 500", stored)
		}
	})
}

// What gives nothing but pages for people is no API, and is not asked for long; the same from
// an API is a fault that may pass.
func TestPullStopsWhereThereIsNoAPI(t *testing.T) {
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

// A request that always fails ends the run, and the next one goes on.
func TestPullGivesUpAndGoesOn(t *testing.T) {
	inBubble(t, "503", scripted(mockserver.Any, 4, mockserver.Repeat(60, mockserver.Status(503))), func(b *bench) {
		began := time.Now()
		first, err := b.pull()
		var answer *api.APIError
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
	// Where access to the feed fails once, it is asked for again soon, as it is where it is
	// the only way on.
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
	// Waits of no time at all, time after time, are not taken at their word.
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

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A pull that ends within a wait leaves it to the next one.
func TestWaitsOutliveARun(t *testing.T) {
	o := scripted(mockserver.Any, 3, mockserver.RateLimited(100*time.Second), mockserver.Status(503), mockserver.RateLimited(50*time.Second))
	inBubble(t, "stopped in a wait", o, func(b *bench) {
		ctx, cancel := context.WithTimeout(b.t.Context(), 40*time.Second)
		defer cancel()
		if _, err := ingest.Run(ctx, b.opts); !errors.Is(err, context.DeadlineExceeded) {
			b.t.Fatal(err)
		}
		if runs := b.store.Runs(); runs[0].Outcome != "interrupted" {
			b.t.Errorf("runs %+v", runs)
		}
		b.mustPull()
	})
}

// A page may ask for a wait, too.
func TestWaitsOfPages(t *testing.T) {
	withOneWalk(t, "Retry-After on pages", scripted(mockserver.Any, 2, mockserver.Repeat(6, mockserver.Header("Retry-After", "20"))), func(b *bench) {
		began := time.Now()
		b.mustPull()
		// Of six pages of two endpoints one has four behind it at least.
		if took := time.Since(began); took < 40*time.Second {
			b.t.Errorf("pulled in %s", took)
		}
	})
}

// Cursors are dead after a pause; the pull walks again and is exact.
func TestPullAfterAPauseThatKillsCursors(t *testing.T) {
	for _, signed := range []bool{false, true} {
		o := mockserver.Options{Cursor: mockserver.Cursors{Life: 2 * time.Minute, Signed: signed}, Data: mockserver.DataOptions{Events: 2000, DirtyEvery: 9}}
		inBubble(t, "", o, func(b *bench) {
			b.stopAfter(800)
			pass(10 * time.Minute)
			summary := b.mustPull()
			if summary.Duplicate == 0 || len(b.notes) < 2 || !strings.Contains(b.notes[1], "walking again") {
				b.t.Errorf("%+v; told %q", summary.Counts, b.notes)
			}
		})
	}
}

// pass lets time go by inside a bubble.
func pass(d time.Duration) { <-time.After(d) }

// answers is how long those take of a server in a test in which time has to go by while one
// is under way: or else a walk may read very much before another one has begun.
const answers = 50 * time.Millisecond

// readTwice is how many events a pull may read again that reads few without parts: at each
// border of one both sides read, up to a page and a half of the largest.
func (b *bench) readTwice(few int64) int64 {
	windows, err := b.store.Windows(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for i := range windows {
		if windows[i].IsPart() {
			few += 150
		}
	}
	return few
}

// stopAfter pulls until at least so many events are stored.
func (b *bench) stopAfter(events int) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	var requests atomic.Int64
	opts := b.opts
	opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if int(requests.Add(1))*100 > events {
			cancel()
		}
		return b.opts.Transport.RoundTrip(r)
	})
	if _, err := ingest.Run(ctx, opts); !errors.Is(err, context.Canceled) {
		b.t.Fatal(err)
	}
}

// A later pull reads what is new and little more, and a restart everything.
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
		// Stopped while it reads what is new, and grown again.
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

// Whatever happens at random, the outcome is exact.
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

// A token is renewed ahead of its end, so that no request is refused for it.
func TestTokensAreRenewedAheadOfTheirEnd(t *testing.T) {
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

// After a pause in which every cursor died, the walk goes on where it stood if the
// feed honours until, and comes out exact in any case.
func TestResumeByTime(t *testing.T) {
	const once, again = true, false
	data := mockserver.DataOptions{Events: 3000, DirtyEvery: 11, TieEvery: 400, TieSize: 30}
	ties := mockserver.DataOptions{Events: 3000, TieEvery: 300, TieSize: 220}
	for _, tc := range []struct {
		name   string
		data   mockserver.DataOptions
		feed   mockserver.Pages
		cursor mockserver.Cursors
		renew  bool
		once   bool // what is stored is not walked again
	}{
		{"inclusive", data, mockserver.Pages{Until: mockserver.Inclusive}, mockserver.Cursors{}, false, once},
		{"exclusive", data, mockserver.Pages{Until: mockserver.Exclusive}, mockserver.Cursors{}, false, once},
		{"cursors that forget", data, mockserver.Pages{Until: mockserver.Inclusive}, mockserver.Cursors{ForgetBounds: true}, false, once},
		{"a cursor and a bound refused together", data, mockserver.Pages{Until: mockserver.Exclusive, RefuseMixed: true}, mockserver.Cursors{}, false, once},
		{"more ties than a page has", ties, mockserver.Pages{Until: mockserver.Inclusive}, mockserver.Cursors{}, false, once},
		{"the same, exclusive", ties, mockserver.Pages{Until: mockserver.Exclusive}, mockserver.Cursors{}, false, once},
		{"ignored", data, mockserver.Pages{}, mockserver.Cursors{}, false, again},
		{"ignored, but renewed", data, mockserver.Pages{}, mockserver.Cursors{}, true, once},
		{"ignored, and signed", data, mockserver.Pages{}, mockserver.Cursors{Signed: true}, true, again},
		{"out of order", mockserver.DataOptions{Events: 3000, SwapEvery: 40, SwapDistance: 25}, mockserver.Pages{Until: mockserver.Inclusive}, mockserver.Cursors{}, true, again},
	} {
		cursor := tc.cursor
		cursor.Life = 2 * time.Minute
		if !tc.renew {
			cursor.Signed = true
		}
		for _, stop := range []int{100, 1200, 2900} {
			tc.feed.Latency = answers
			o := mockserver.Options{Data: tc.data, Events: mockserver.Pages{Latency: answers}, Feed: tc.feed, Cursor: cursor}
			inBubble(t, tc.name, o, func(b *bench) {
				b.opts.RenewCursors = tc.renew
				b.stopAfter(stop)
				pass(10 * time.Minute)
				b.server.Dataset().Grow(120)
				before := int64(len(b.store.Events()))
				summary := b.mustPull()
				if tc.renew && tc.once && b.opts.Workers != 1 {
					// One of several walks is lost in some of 1,000 runs, and the window walked again.
					return
				}
				// The new window above looks back a little, too.
				if limit := b.readTwice(500); tc.once && summary.Duplicate > limit || !tc.once && summary.Duplicate < min(before, 500) {
					b.t.Errorf("%d of %d stored events read again; told %q", summary.Duplicate, before, b.notes)
				}
			})
		}
	}
}

// An anchor that the API does not have any more proves nothing.
func TestResumeByTimeWithoutItsAnchor(t *testing.T) {
	o := mockserver.Options{Feed: mockserver.Pages{Until: mockserver.Inclusive}, Cursor: mockserver.Cursors{Life: time.Minute}}
	// Which event is the anchor is known of one walk.
	withOneWalk(t, "", o, func(b *bench) {
		b.stopAfter(900)
		pass(time.Hour)
		stored := b.store.Events()
		anchor := stored[len(stored)-1].ID.String()
		real := b.opts.Transport
		b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := real.RoundTrip(r)
			if err == nil && r.URL.Query().Has("until") {
				body, errRead := io.ReadAll(resp.Body)
				// Another event in its place.
				text := strings.Replace(string(body), anchor, "00000000-0000-4000-8000-000000000000", 1)
				resp.Body, err = io.NopCloser(strings.NewReader(text)), errRead
			}
			return resp, err
		})
		b.mustPull()
		if len(b.notes) != 2 || !strings.Contains(b.notes[1], "not what follows") {
			b.t.Errorf("told %q", b.notes)
		}
	})
}

// A walk that began again at the top and was stopped there leaves no gap.
func TestNoGapAfterARestartThatWasStopped(t *testing.T) {
	for _, until := range []mockserver.Bound{mockserver.Ignored, mockserver.Inclusive} {
		o := mockserver.Options{Feed: mockserver.Pages{Until: until}, Cursor: mockserver.Cursors{Life: time.Minute, Signed: true}}
		inBubble(t, "", o, func(b *bench) {
			b.stopAfter(900)
			pass(time.Hour)
			b.server.Dataset().Grow(1500)
			b.stopAfter(600)
			pass(time.Hour)
			b.server.Dataset().Grow(50)
			b.stopAfter(300)
			pass(time.Hour)
			b.mustPull()
		})
	}
}
