package mockserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"datasync/mockserver"
)

func TestChangeOfBudget(t *testing.T) {
	budget := func(n int) *mockserver.RateLimit {
		return &mockserver.RateLimit{Requests: n, Window: 10 * time.Second, Named: mockserver.RetryAfterBody}
	}
	tests := []struct {
		name   string
		change mockserver.Change
		// asked is when requests are sent, in seconds after the first; got is the status of each,
		// or the seconds to wait of a 429.
		asked []float64
		got   string
	}{
		{"without", mockserver.Change{After: time.Hour, EventsLimit: budget(1)},
			[]float64{0, 1, 2, 3, 4, 10, 10}, "200 200 200 200 6 200 200"},
		{"halved, the window goes on", mockserver.Change{After: 3 * time.Second, EventsLimit: budget(2)},
			[]float64{0, 1, 2, 4, 10, 10, 10}, "200 200 200 6 200 200 10"},
		{"raised, at once", mockserver.Change{After: 5 * time.Second, EventsLimit: budget(6)},
			[]float64{0, 0, 0, 0, 4.9, 5, 5, 10, 10, 10, 10, 10}, "200 200 200 200 6 200 200 200 200 200 200 200"},
		{"none any more", mockserver.Change{After: 5 * time.Second, EventsLimit: &mockserver.RateLimit{}},
			[]float64{0, 0, 0, 0, 0, 5, 5, 5, 5, 5}, "200 200 200 200 10 200 200 200 200 200"},
		{"a longer window, from the next one on", mockserver.Change{After: 5 * time.Second,
			EventsLimit: &mockserver.RateLimit{Requests: 1, Window: 30 * time.Second, Named: mockserver.RetryAfterBody}},
			[]float64{0, 6, 10, 11}, "200 4 200 29"},
		{"the feed's is another", mockserver.Change{After: time.Second, FeedLimit: budget(1)},
			[]float64{0, 2, 3, 4}, "200 200 200 200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t, mockserver.New(small(mockserver.Options{
					Events: mockserver.Pages{RateLimit: *budget(4)}, Changes: []mockserver.Change{tt.change}})))
				begin := time.Now()
				var got []string
				for _, at := range tt.asked {
					advance(time.Duration(at*float64(time.Second)) - time.Since(begin))
					resp, body := a.events("limit", "1")
					word := fmt.Sprint(resp.StatusCode)
					if resp.StatusCode == http.StatusTooManyRequests {
						word = strings.TrimSuffix(strings.TrimPrefix(string(body), `{"rateLimit":{"retryAfter":`), "}}")
					}
					got = append(got, word)
				}
				if all := strings.Join(got, " "); all != tt.got {
					t.Errorf("%s, want %s", all, tt.got)
				}
			})
		})
	}
}

// TestChangeRemaining: a budget below the number of requests so far leaves 0, not a negative number.
func TestChangeRemaining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := mockserver.RateLimit{Requests: 4, Headers: true}
		less := mockserver.RateLimit{Requests: 2, Headers: true}
		a := newAPI(t, mockserver.New(small(mockserver.Options{Events: mockserver.Pages{RateLimit: limit},
			Changes: []mockserver.Change{{After: time.Second, EventsLimit: &less}}})))
		for range 3 {
			a.events("limit", "1")
		}
		advance(time.Second)
		resp, _ := a.events("limit", "1")
		if resp.StatusCode != 429 || resp.Header.Get("X-RateLimit-Limit") != "2" || resp.Header.Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("%s %v", resp.Status, resp.Header)
		}
	})
}

// TestChanges: changes follow each other, scaled, counted from the first request.
func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		until, ignored := mockserver.Inclusive, mockserver.Ignored
		s := mockserver.New(small(mockserver.Options{
			TimeScale: 10,
			Feed:      mockserver.Pages{Until: mockserver.Exclusive, Load: []mockserver.LoadPoint{{InFlight: 1, Latency: 5000 * time.Second}}},
			Changes: []mockserver.Change{
				{After: time.Hour, FeedUntil: &until, FeedLoad: []mockserver.LoadPoint{{InFlight: 1, Latency: 10_000 * time.Second}}},
				{After: 2 * time.Hour, FeedUntil: &ignored, FeedLoad: []mockserver.LoadPoint{}},
			}}))
		a := newAPI(t, s)
		bound := fmt.Sprint(s.Dataset().Event(50).Time().UnixMilli())
		ask := func() (first string, took time.Duration) {
			feed := a.openFeed()
			began := time.Now()
			p := a.mustPage(feed, "limit", "5", "until", bound)
			var e wireEvent
			if err := json.Unmarshal(p.Data[0], &e); err != nil {
				t.Fatal(err)
			}
			return e.ID, time.Since(began)
		}
		advance(24 * time.Hour)
		begin := time.Now()
		for _, want := range []struct {
			at   time.Duration
			late bool // the first event is at the bound or above it
			took time.Duration
		}{
			{0, false, 500 * time.Millisecond},
			{6*time.Minute - 1, false, 500 * time.Millisecond},
			{7 * time.Minute, true, time.Second},
			{12 * time.Minute, true, 0},
		} {
			advance(want.at - time.Since(begin))
			id, took := ask()
			late := false
			for i := range 51 {
				late = late || s.Dataset().Event(i).ID.String() == id
			}
			if late != want.late || took != want.took {
				t.Errorf("at %v: %v, after %v", want.at, late, took)
			}
		}
		if first, _ := ask(); first != s.Dataset().Event(0).ID.String() {
			t.Error("until is not ignored at the end")
		}
	})
}

func TestChangesAreValidated(t *testing.T) {
	bound := mockserver.Bound(9)
	for name, changes := range map[string][]mockserver.Change{
		"at the beginning": {{}},
		"out of order":     {{After: 2}, {After: 1}},
		"twice at a time":  {{After: 2}, {After: 2}},
		"budget":           {{After: 1, FeedLimit: &mockserver.RateLimit{Requests: -1}}},
		"window":           {{After: 1, EventsLimit: &mockserver.RateLimit{Window: -1}}},
		"load":             {{After: 1, EventsLoad: []mockserver.LoadPoint{{InFlight: 0}}}},
		"bound":            {{After: 1, FeedUntil: &bound}},
	} {
		if err := (mockserver.Options{Changes: changes}).Validate(); err == nil || !strings.Contains(err.Error(), "change ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	slow := mockserver.Options{Changes: []mockserver.Change{{After: 1, FeedLoad: mockserver.ObservedLoad()}}}
	if fast := slow.WithoutLatency(); fast.Changes[0].FeedLoad != nil || slow.Changes[0].FeedLoad == nil {
		t.Error("WithoutLatency leaves a load, or takes it from the options that it copies")
	}
}

// TestStatsOfTime: three pages one after another, a wait of both endpoints, and two pages at once.
func TestStatsOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := mockserver.RateLimit{Requests: 2, Window: 20 * time.Second, Named: mockserver.RetryAfterBody}
		load := []mockserver.LoadPoint{{InFlight: 1, Latency: 1000 * time.Second}, {InFlight: 2, Latency: 3000 * time.Second}}
		opts := mockserver.Options{Events: mockserver.Pages{RateLimit: limit, Load: load}, Feed: mockserver.Pages{RateLimit: limit, Load: load}}
		opts.Feed.RateLimit.Requests = 1
		s := mockserver.New(small(opts))
		a := newAPI(t, s)
		feed := a.openFeed()
		begin := time.Now()
		get := func(path string) {
			// Five events of the curve's 5,000.
			if resp, _, err := a.do(a.request(http.MethodGet, path, url.Values{"limit": {"5"}})); err != nil || resp.StatusCode != 200 {
				t.Errorf("%v %v", resp, err)
			}
		}
		check := func(name string, latency, blocked, last time.Duration) {
			t.Helper()
			st := s.Stats()
			if st.Latency != latency || st.Blocked != blocked || !st.First.Equal(begin) || st.Last.Sub(begin) != last || st.Early != 0 {
				t.Errorf("%s: %+v", name, st)
			}
		}
		get(mockserver.EventsPath)
		get(mockserver.EventsPath)
		check("one budget left", 2*time.Second, 0, 2*time.Second)
		advance(time.Second)
		get(feed)
		check("all used, but nothing came since", 3*time.Second, 0, 4*time.Second)
		advance(20*time.Second - time.Since(begin))
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { get(mockserver.EventsPath) })
		}
		wg.Wait()
		// Blocked from the end of the third page to the end of the first window.
		check("blocked", 7*time.Second, 16*time.Second, 23*time.Second)
		advance(30 * time.Second)
		check("after the end", 7*time.Second, 16*time.Second, 23*time.Second)
	})
}

// TestBlockedEndsWithChange: a larger budget ends the time in which no request is allowed.
func TestBlockedEndsWithChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := mockserver.RateLimit{Requests: 1, Window: time.Minute}
		more := mockserver.RateLimit{Requests: 2, Window: time.Minute}
		s := mockserver.New(small(mockserver.Options{Events: mockserver.Pages{RateLimit: limit}, Feed: mockserver.Pages{RateLimit: limit},
			Changes: []mockserver.Change{{After: 10 * time.Second, FeedLimit: &more}}}))
		a := newAPI(t, s)
		a.get(a.openFeed(), "limit", "1")
		a.events("limit", "1")
		advance(15 * time.Second)
		a.events("limit", "1") // 429
		if st := s.Stats(); st.Blocked != 10*time.Second || st.Events.Limited != 1 {
			t.Errorf("blocked for %v: %+v", st.Blocked, st)
		}
	})
}

// TestBlockedByNamedWaits: a named wait may be longer than the window, by rounding or by a fault.
func TestBlockedByNamedWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{
			Events: mockserver.Pages{RateLimit: mockserver.RateLimit{Requests: 1, Window: 9500 * time.Millisecond, Named: mockserver.RetryAfterSeconds}},
			Scripts: []mockserver.Script{{Endpoint: mockserver.Feed, Faults: []mockserver.Fault{
				mockserver.RateLimited(12 * time.Second)}}}}))
		a := newAPI(t, s)
		feed := a.openFeed()
		a.get(feed, "limit", "1") // waits for 12 s
		advance(time.Second)
		a.events("limit", "1")
		a.events("limit", "1") // waits for 9.5 s, which is named as 10
		advance(15 * time.Second)
		a.events("limit", "1")
		if st := s.Stats(); st.Blocked != 10*time.Second || st.Early != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestStatsCountEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{Scripts: []mockserver.Script{
			{Endpoint: mockserver.Events, Faults: []mockserver.Fault{mockserver.RateLimited(10 * time.Second)}}}}))
		a := newAPI(t, s)
		a.events("limit", "1")
		a.events("limit", "1")
		a.events()
		advance(10 * time.Second)
		a.events("limit", "1")
		if st := s.Stats(); st.Early != 2 || st.Violations != 3 {
			t.Errorf("%+v", st)
		}
	})
}
