package ingest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"datasync/ingest"
	"datasync/internal/store/storetest"
	"datasync/mockserver"
)

var workers = flag.Int("workers", 0, "walks at a time in tests of whole pulls; 0: each with 1 and with 4")

// bench pulls from a mock server into a store in memory, inside a bubble, in which waits take no time.
type bench struct {
	t       *testing.T
	server  *mockserver.Server
	store   *storetest.Memory
	opts    ingest.Options
	notices []string
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
		Notice: func(text string) { b.notices = append(b.notices, text) },
	}
	return b
}

func (b *bench) pull() (ingest.Summary, error) { return ingest.Run(b.t.Context(), b.opts) }

// mustPull pulls to the end and checks that the store has the events of the API.
func (b *bench) mustPull() ingest.Summary {
	b.t.Helper()
	summary, err := b.pull()
	if err != nil || !summary.Complete {
		b.t.Fatalf("%v, complete: %v; notices %q", err, summary.Complete, b.notices)
	}
	b.exact()
	return summary
}

// exact compares events and rejects with the data set, and checks that the server saw no early request, no missing
// header and no unused script.
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

// inBubble runs a test with one walk and with four, with only four in short tests, or with the number of the flag.
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

// withOneWalk runs a test that depends on the order of the requests of one walk.
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

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// pass waits by the bubble's clock.
func pass(d time.Duration) { <-time.After(d) }

// answers is the latency of a server in tests that need time to pass during a request. Otherwise one walk may read most
// of the data before another one begins.
const answers = 50 * time.Millisecond

// readTwice returns how many events a pull may read again that reads few without shards: at each border both sides read
// up to one and a half of the largest pages.
func (b *bench) readTwice(few int64) int64 {
	windows, err := b.store.Windows(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for i := range windows {
		if windows[i].IsShard() {
			few += 150
		}
	}
	return few
}

// stopAfter pulls until at least that many events are stored.
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
