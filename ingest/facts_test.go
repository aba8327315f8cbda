package ingest_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/internal/model"
	"datasync/mockserver"
)

// factsOf returns the waits and the refusals that the store has, summed up by endpoint, reason and answer. It fails if
// they contradict the summary or the run's row.
func factsOf(b *bench, summary ingest.Summary) (waits map[string]model.Wait, refusals map[string]int64) {
	b.t.Helper()
	waits, refusals = map[string]model.Wait{}, map[string]int64{}
	idle, pages, returned := time.Duration(0), map[string]int64{}, int64(0)
	for _, f := range b.store.Facts() {
		for _, w := range f.Waits {
			idle += w.Idle
			if w.Count == 1 && (w.Actual != w.Ended.Sub(w.Began) || w.Idle > w.Actual) || w.Count < 1 || w.Began.Before(f.Began) || w.Ended.Before(w.Began) {
				b.t.Errorf("%+v", w)
			}
			key := strings.TrimSpace(w.Endpoint + " " + w.Reason + " " + w.Answer)
			sum, ok := waits[key]
			if !ok {
				waits[key] = w
				continue
			}
			sum.Add(w)
			waits[key] = sum
		}
		for _, r := range f.Refusals {
			refusals[r.Endpoint+" "+r.Refused+" "+r.Answer] += r.Count
		}
		for _, p := range f.Fetched {
			pages[p.Endpoint] += p.Pages
			returned += p.Returned
			if p.Bytes < p.Returned || p.Wire < p.Bytes || p.InFlight < 1 {
				b.t.Errorf("%+v", p)
			}
		}
	}
	runs := b.store.Runs()
	if idle != summary.Waited || runs[len(runs)-1].Waiting != summary.Waited || runs[len(runs)-1].Minimum != summary.Minimum {
		b.t.Errorf("%v without a request, the summary says %v, the run %v", idle, summary.Waited, runs[len(runs)-1].Waiting)
	}
	for endpoint, n := range summary.Pages {
		if pages[endpoint] != n {
			b.t.Errorf("%d pages of %s, want %d", pages[endpoint], endpoint, n)
		}
	}
	if returned != summary.Returned {
		b.t.Errorf("%d elements, want %d", returned, summary.Returned)
	}
	for endpoint, n := range summary.Limited {
		found := int64(0)
		for key, count := range refusals {
			if strings.HasPrefix(key, endpoint+" rate limit ") {
				found += count
			}
		}
		if found != n {
			b.t.Errorf("%d 429s of %s, want %d", found, endpoint, n)
		}
	}
	return waits, refusals
}

// TestFactsOfWaits: each kind of wait and refusal is recorded with its endpoint, reason, ordered and actual time.
func TestFactsOfWaits(t *testing.T) {
	script := func(e mockserver.Endpoint, request int, faults ...mockserver.Fault) mockserver.Script {
		return mockserver.Script{Endpoint: e, Request: request, Faults: faults}
	}
	scripts := func(s ...mockserver.Script) mockserver.Options { return mockserver.Options{Scripts: s} }
	const second = time.Second
	type wait struct{ ordered, least, most time.Duration }
	for _, tc := range []struct {
		name     string
		o        mockserver.Options
		prepare  func(*bench)
		waits    map[string]wait
		refusals map[string]int64
		fails    error
	}{
		{"429s of both", scripts(script(mockserver.Events, 2, mockserver.RateLimited(60*second)), script(mockserver.Feed, 2, mockserver.RateLimited(100*second))), nil,
			map[string]wait{"events rate limit 429": {60 * second, 60 * second, 61 * second}, "feed rate limit 429": {100 * second, 0, 101 * second}},
			map[string]int64{"events rate limit 429": 1, "feed rate limit 429": 1}, nil},
		{"a failure", scripts(script(mockserver.Events, 2, mockserver.Status(502))), nil,
			map[string]wait{"events retry 502": {0, 1, second}}, nil, nil},
		{"no answer", scripts(script(mockserver.Events, 2, mockserver.Reset())), nil,
			map[string]wait{"events retry cut off": {0, 1, second}}, nil, nil},
		{"a wait by another answer", scripts(script(mockserver.Events, 2, mockserver.StatusAfter(503, 20*second))), nil,
			map[string]wait{"events asked to wait 503": {20 * second, 0, 22 * second}, "events retry 503": {0, 1, second}}, nil, nil},
		{"tokens", scripts(script(mockserver.Events, 2, mockserver.RateLimited(60*second)), script(mockserver.Feed, 1, mockserver.Repeat(2, mockserver.TokenRejected()))), nil,
			map[string]wait{"events rate limit 429": {60 * second, 0, 61 * second}, "feed token": {0, second, 10 * second}, "feed token 403": {0, second, 10 * second}},
			map[string]int64{"events rate limit 429": 1, "feed token 403": 2}, nil},
		{"the key", scripts(script(mockserver.Events, 3, mockserver.Repeat(9, mockserver.KeyRefused()))), nil, nil,
			map[string]int64{"events key 401": 1}, api.ErrKeyRefused},
		{"a cursor", scripts(script(mockserver.Events, 4, mockserver.Repeat(2, mockserver.CursorExpired()))), nil,
			map[string]wait{"events retry 400": {0, 1, second}}, map[string]int64{"events cursor 400": 2}, nil},
		{"the page size", mockserver.Options{}, func(b *bench) {
			real := b.opts.Transport
			b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				if n, _ := strconv.Atoi(r.URL.Query().Get("limit")); n > 1000 {
					return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"message":"limit must be at most 1000"}`)), Request: r}, nil
				}
				return real.RoundTrip(r)
			})
		}, nil, map[string]int64{"events page size 400": 1}, nil},
		{"an earlier run", mockserver.Options{}, func(b *bench) {
			for _, endpoint := range []string{"events", "feed"} {
				if err := b.store.SetNotBefore(b.t.Context(), endpoint, 30*second); err != nil {
					b.t.Fatal(err)
				}
			}
		}, map[string]wait{"events earlier run": {30 * second, 30 * second, 31 * second}, "feed earlier run": {30 * second, 30 * second, 31 * second}}, nil, nil},
	} {
		withOneWalk(t, tc.name, tc.o, func(b *bench) {
			if tc.prepare != nil {
				tc.prepare(b)
			}
			summary, err := b.pull()
			if !errors.Is(err, tc.fails) {
				b.t.Fatal(err)
			}
			waits, refusals := factsOf(b, summary)
			for key, w := range waits {
				want, ok := tc.waits[key]
				if !ok || w.Ordered != want.ordered || w.Actual < want.least || w.Actual > want.most {
					b.t.Errorf("%s: %+v, want %+v", key, w, want)
				}
			}
			for key := range tc.waits {
				if _, ok := waits[key]; !ok {
					b.t.Errorf("no wait %s", key)
				}
			}
			for key, n := range refusals {
				if tc.refusals[key] != n {
					b.t.Errorf("%d times %s, want %d", n, key, tc.refusals[key])
				}
			}
			for key := range tc.refusals {
				if refusals[key] == 0 {
					b.t.Errorf("no refusal %s", key)
				}
			}
		})
	}
}

// TestFactsOfPacing: a pull that knows the limits waits before a 429. The facts have those waits, too.
func TestFactsOfPacing(t *testing.T) {
	limit := mockserver.RateLimit{Requests: 5, Window: time.Minute, Headers: true}
	o := mockserver.Options{Events: mockserver.Pages{RateLimit: limit, Latency: answers}, Feed: mockserver.Pages{RateLimit: limit, Latency: answers, Until: mockserver.Exclusive}}
	inBubble(t, "", o, func(b *bench) {
		waits, _ := factsOf(b, b.mustPull())
		paced := time.Duration(0)
		for _, w := range waits {
			if w.Reason == model.WaitPacing && w.Ordered == 0 && w.Answer == "" {
				paced += w.Idle
			}
		}
		if paced < time.Minute {
			b.t.Errorf("%v without a request because of the limits, of %v", paced, waits)
		}
	})
}

// TestFactsAreFew: a pull with many short pauses has few rows, and none of the pauses is missing.
func TestFactsAreFew(t *testing.T) {
	var scripts []mockserver.Script
	for request := 2; request < 20; request++ {
		scripts = append(scripts, mockserver.Script{Endpoint: mockserver.Events, Request: 2 * request, Faults: []mockserver.Fault{mockserver.Status(500 + request%4)}})
	}
	withOneWalk(t, "", mockserver.Options{Scripts: scripts, Events: mockserver.Pages{Cap: 50}}, func(b *bench) {
		summary := b.mustPull()
		waits, _ := factsOf(b, summary)
		rows, count := 0, int64(0)
		for _, f := range b.store.Facts() {
			rows += len(f.Waits)
		}
		for _, w := range waits {
			count += w.Count
		}
		if count != int64(len(scripts)) || rows > 4*len(b.store.Facts()) {
			b.t.Errorf("%d waits in %d rows of %d batches", count, rows, len(b.store.Facts()))
		}
	})
}
