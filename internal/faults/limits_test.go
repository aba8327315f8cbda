package faults

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// underWay is how long after a 429 a request may still arrive that was sent before the program read
// it. A busy machine has no bound for that. Here one walk keeps to a wait; that several do is
// tested in virtual time (ingest).
const underWay = within

// both lets both endpoints that serve pages meet these faults, from their nth request on.
func both(nth int, f ...mockserver.Fault) []mockserver.Script {
	return []mockserver.Script{
		{Endpoint: mockserver.Events, Request: nth, Faults: f},
		{Endpoint: mockserver.Feed, Request: 1, Faults: f},
	}
}

// TestWaitsAreKept: the program keeps a wait that a response asks for, in every notation. Without a
// valid notation it waits some seconds. A wait does not count as a failure.
func TestWaitsAreKept(t *testing.T) {
	t.Parallel()
	date := func() mockserver.Fault { return mockserver.RateLimitedIn(mockserver.RetryAfterDate, 2*time.Second) }
	raw := func(retryAfter, body string, hold time.Duration) func() mockserver.Fault {
		return func() mockserver.Fault { return mockserver.RateLimitedRaw(retryAfter, body, hold) }
	}
	const second = time.Second
	for _, c := range harness.Some([]struct {
		name  string
		fault func() mockserver.Fault
		skew  time.Duration
		least time.Duration
	}{
		{"header 1 s, JSON 2 s", raw("1", `{"rateLimit":{"retryAfter":2}}`, second), 0, second},
		{"retryAfter at the top level", raw("", `{"retryAfter":"2"}`, 2*second), 0, 2 * second},
		{"in quotes", raw("", `{"rateLimit":{"retryAfter":"2"}}`, 2*second), 0, 2 * second},
		{"a date of a clock a day ahead", date, 24 * time.Hour, 2 * second},
		{"header 2 s, JSON 1 s", raw("2", `{"rateLimit":{"retryAfter":1}}`, 2*second), 0, 2 * second},
		{"reset", raw("", `{"rateLimit":{"reset":2}}`, 2*second), 0, 2 * second},
		{"a fraction", raw("", `{"rateLimit":{"retryAfter":1.5e0}}`, 1500*time.Millisecond), 0, 1500 * time.Millisecond},
		{"a date", date, 0, 2 * second},
		{"a date of a clock a day behind", date, -24 * time.Hour, 2 * second},
		{"a past date", raw("Tue, 27 Jan 2026 17:00:00 GMT", "{}", 0), 0, 5 * second},
		{"a span of years", raw("500000000", `{"rateLimit":{"retryAfter":1e9}}`, 0), 0, 5 * second},
		{"past all numbers", raw("", `{"rateLimit":{"retryAfter":1e999,"reset":"99999999999999999999"}}`, 0), 0, 5 * second},
		{"-1", raw("-1", `{"rateLimit":{"retryAfter":-1}}`, 0), 0, 5 * second},
		{"0", raw("0", "", 0), 0, 0},
		{"null", raw("", `{"rateLimit":{"retryAfter":null}}`, 0), 0, 5 * second},
		{"missing", raw("", "", 0), 0, 5 * second},
		{"no JSON", raw("soon", "<html>", 0), 0, 5 * second},
		{"NaN", raw("NaN", `{"rateLimit":{"retryAfter":NaN}}`, 0), 0, 5 * second},
		{"10 s", raw("", `{"rateLimit":{"retryAfter":10}}`, 10*second), 0, 10 * second},
	}, 3) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := tcpPages()
			o.ClockSkew = c.skew
			w := newWorld(t, o)
			scripts := both(5, c.fault(), c.fault())
			if c.least == 0 {
				scripts = both(5, c.fault())[:1] // no wait is needed, be it at the feed
			}
			w.API.AddScript(scripts...)
			// Less than the wait, which would otherwise end the pull as a failure.
			e := w.run(command{Args: []string{"pull", "--workers", "1", "--max-retry-time", "500ms"}})
			w.endsWith(e, 0)
			if e.Took < c.least {
				t.Errorf("took %s, less than %s", e.Took, c.least)
			}
			w.isWhole()
		})
	}
}

// TestWaitsThatAreInstants: a number that can only be the instant at which a wait ends is read as
// one, in every field and unit.
func TestWaitsThatAreInstants(t *testing.T) {
	t.Parallel()
	for _, c := range harness.Some([]struct {
		name, header, body string
		unit               time.Duration
	}{
		{"X-RateLimit-Reset in seconds", "X-RateLimit-Reset", "{}", time.Second},
		{"rateLimit.reset in seconds", "", `{"rateLimit":{"reset":%s}}`, time.Second},
		{"Retry-After in seconds", "Retry-After", "", time.Second},
		{"X-RateLimit-Reset in milliseconds", "X-RateLimit-Reset", "{}", time.Millisecond},
		{"retryAfter in quotes", "", `{"retryAfter":"%s"}`, time.Second},
	}, 2) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			var events, feed atomic.Int64
			w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/events") && !strings.HasSuffix(r.URL.Path, "/feed") ||
					strings.HasSuffix(r.URL.Path, "/events") && events.Add(1) != 5 || strings.HasSuffix(r.URL.Path, "/feed") && feed.Add(1) != 1 {
					w.API.ServeHTTP(rw, r)
					return
				}
				sent := time.Now().Truncate(time.Second)
				at := fmt.Sprint(sent.Add(2*time.Second).UnixNano() / int64(c.unit))
				rw.Header().Set("Date", sent.UTC().Format(http.TimeFormat))
				if c.header != "" {
					rw.Header().Set(c.header, at)
				}
				rw.WriteHeader(http.StatusTooManyRequests)
				_, _ = fmt.Fprint(rw, strings.ReplaceAll(c.body, "%s", at))
			}))
			e := w.run(command{Args: []string{"pull", "--workers", "1", "--max-retry-time", "500ms"}})
			w.endsWith(e, 0)
			if e.Took < 2*time.Second {
				t.Errorf("took %s", e.Took)
			}
			w.isWhole()
		})
	}
}

// TestWaitsTooLong: a wait longer than --max-wait ends the pull at once, with the time to come
// back. The next pull before that time sends no request.
func TestWaitsTooLong(t *testing.T) {
	t.Parallel()
	for _, text := range harness.Some([]string{`{"rateLimit":{"retryAfter":3600}}`, `{"retryAfter":"86400"}`, `{"rateLimit":{"reset":7200.5}}`}, 1) {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			w.API.AddScript(both(4, mockserver.RateLimitedRaw("", text, time.Hour))...)
			e := w.run(command{Args: []string{"pull", "--workers", "1"}})
			w.endsWith(e, 4)
			w.says(e, "a longer wait than allowed", "come back at 2", "the same command")
			if n := w.stored(); n < 290 {
				t.Errorf("%d events are stored", n)
			}
			before := w.API.Stats()
			w.endsWith(w.run(command{Args: []string{"pull"}}), 4)
			if after := w.API.Stats(); after.Events.Requests != before.Events.Requests || after.Feed.Requests != before.Feed.Requests {
				t.Errorf("asked again within the wait")
			}
			w.sound()
			w.wasPolite()
		})
	}
}

// TestLimitedForEver: an API that answers nothing but 429, with or without a wait, ends the pull as
// resumable after a bounded number of requests.
func TestLimitedForEver(t *testing.T) {
	t.Parallel()
	for _, f := range harness.Some([]struct {
		name string
		http.HandlerFunc
	}{
		{"0.1 s", answering(429, `{"rateLimit":{"retryAfter":0.1}}`)},
		{"no wait", answering(429, "")},
		{"0 s", answering(429, "{}", "Retry-After", "0")},
		{"1 s", answering(429, "", "Retry-After", "1")},
	}, 2) {
		for _, workers := range harness.Some([]string{"4", "1"}, 1) {
			t.Run(f.name+", workers "+workers, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, tcpPages())
				var n atomic.Int64
				w.breakAfter(4, func(rw http.ResponseWriter, r *http.Request) {
					n.Add(1)
					f.HandlerFunc(rw, r)
				})
				e := w.run(pull("--workers", workers, "--max-retry-time", "2s"))
				w.endsWith(e, 4)
				w.says(e, "the same command")
				if n.Load() > 100 {
					t.Errorf("%d requests", n.Load())
				}
				t.Logf("%d requests, %s", n.Load(), e.Took)
				w.recovers()
			})
		}
	}
}

// TestAWaitOutlivesACursor: if both endpoints ask for a wait that outlives the cursor, the walk
// resumes by another way, without a loop of expired cursors.
func TestAWaitOutlivesACursor(t *testing.T) {
	t.Parallel()
	for _, until := range []mockserver.Bound{mockserver.Inclusive, mockserver.Ignored} {
		for _, workers := range harness.Some([]string{"4", "1"}, 1) {
			t.Run(fmt.Sprintf("until %d, workers %s", until, workers), func(t *testing.T) {
				t.Parallel()
				o := tcpPages()
				o.Cursor.Life, o.Feed.Until, o.Grace = 10*time.Second, until, underWay
				o.Scripts = both(10, mockserver.RateLimited(12*time.Second))
				w := newWorld(t, o)
				e := w.run(command{Args: []string{"pull", "--workers", workers}})
				w.endsWith(e, 0)
				if s := w.API.Stats(); s.Events.Requests+s.Feed.Requests > 90 {
					t.Errorf("%d and %d requests for 30 pages", s.Events.Requests, s.Feed.Requests)
				}
				w.isWhole()
				w.isAsUndisturbed(o.Data)
			})
		}
	}
}

// TestTheFeedIsLimited: the program keeps the waits of stream-access and of the feed apart, and
// continues with the events endpoint.
func TestTheFeedIsLimited(t *testing.T) {
	t.Parallel()
	for _, e := range []mockserver.Endpoint{mockserver.StreamAccess, mockserver.Feed} {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			o := tcpPages()
			o.Events.RateLimit = mockserver.RateLimit{Requests: 10, Window: 2 * time.Second, Named: mockserver.RetryAfterBody}
			o.Grace = underWay
			o.Scripts = []mockserver.Script{{Endpoint: e, Faults: []mockserver.Fault{mockserver.RateLimited(3 * time.Second), mockserver.RateLimitedRaw("", "", 0)}}}
			w := newWorld(t, o)
			// One comes for certain: the feed is asked whenever the events endpoint is
			// rate-limited.
			w.endsWith(w.run(command{Args: []string{"pull", "--workers", "4"}}), 0)
			for range 3 {
				if s := w.API.Stats(); s.StreamAccess.Limited+s.Feed.Limited >= 2 {
					break
				}
				w.endsWith(w.run(command{Args: []string{"pull", "--restart"}}), 0)
			}
			w.isWhole()
		})
	}
}

// TestAllWalksAreLimited: parallel walks that are rate-limited all pause, and do not all return at
// once.
func TestAllWalksAreLimited(t *testing.T) {
	t.Parallel()
	for _, workers := range harness.Some([]string{"4", "auto", "16"}, 1) {
		t.Run("workers "+workers, func(t *testing.T) {
			t.Parallel()
			limit := mockserver.RateLimit{Requests: 10, Window: 2 * time.Second, Named: mockserver.RetryAfterBody}
			o := tcpPages()
			o.Data.Events = 6000
			o.Events.RateLimit, o.Feed.RateLimit, o.Feed.Until = limit, limit, mockserver.Inclusive
			o.Events.Latency, o.Feed.Latency = 50*time.Millisecond, 50*time.Millisecond
			o.Grace = underWay
			o.Scripts = both(12, mockserver.RateLimited(2*time.Second)) // the machine may be too slow to meet the limits
			w := newWorld(t, o)
			e := w.run(command{Args: []string{"pull", "--workers", workers}})
			w.endsWith(e, 0)
			s := w.API.Stats()
			limited, windows := s.Events.Limited+s.Feed.Limited, int(e.Took/(2*time.Second))+1
			if limited == 0 || limited > 3*2*windows {
				t.Errorf("%d 429s in %d windows of two endpoints", limited, windows)
			}
			t.Logf("%d 429s of %d requests in %s", limited, s.Events.Requests+s.Feed.Requests, e.Took)
			w.isWhole()
		})
	}
}

// TestCursorsExpire: cursors that expire during a pull or between two, or that the server no longer
// knows, cause no gap and no duplicate.
func TestCursorsExpire(t *testing.T) {
	t.Parallel()
	type death struct {
		name   string
		change func(*mockserver.Options)
	}
	for _, d := range harness.Some([]death{
		{"by time", func(o *mockserver.Options) { o.Feed.Until = mockserver.Inclusive }},
		{"from the top", func(*mockserver.Options) {}},
		{"by time, exclusive", func(o *mockserver.Options) { o.Feed.Until = mockserver.Exclusive }},
		{"410", func(o *mockserver.Options) { o.Cursor.ErrorStatus = 410 }},
		{"422 with other words", func(o *mockserver.Options) { o.Cursor.ErrorStatus, o.Cursor.SwapWords = 422, true }},
		{"without a code", func(o *mockserver.Options) { o.OmitErrorCode, o.Feed.Until = true, mockserver.Inclusive }},
		{"out of order", func(o *mockserver.Options) {
			o.Data.SwapEvery, o.Data.SwapDistance, o.Feed.Until = 50, 30, mockserver.Inclusive
		}},
	}, 1) {
		o := tcpPages()
		o.Data.TieEvery, o.Data.TieSize = 300, 40
		d.change(&o)
		for _, workers := range harness.Some([]string{"1", "4"}, 1) {
			t.Run(fmt.Sprintf("%s, in a run, workers %s", d.name, workers), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, o)
				// The cursors expire twice.
				var n atomic.Int64
				w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if i := n.Add(1); i == 12 || i == 20 {
						w.API.ExpireCursors()
					}
					w.API.ServeHTTP(rw, r)
				}))
				e := w.run(command{Args: []string{"pull", "--workers", workers}})
				w.endsWith(e, 0)
				if n.Load() > 120 {
					t.Errorf("%d requests for 30 pages", n.Load())
				}
				w.isWhole()
				w.isAsUndisturbed(o.Data)
			})
			for _, other := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, between runs, workers %s, another server %v", d.name, workers, other), func(t *testing.T) {
					t.Parallel()
					o := o
					o.Cursor.Signed = other
					w := newWorld(t, o)
					var r *running
					w.atRequest(12, func() { _ = r.Process.Kill() })
					started := make(chan struct{})
					var first atomic.Bool
					h := *w.handler.Load()
					w.answer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
						if !first.Swap(true) {
							<-started
						}
						h.ServeHTTP(rw, q)
					}))
					r = w.start(command{Args: []string{"pull", "--workers", workers}})
					close(started)
					if e := r.wait(); e.Signal == 0 {
						t.Fatal(e)
					}
					w.sound()
					had := w.stored()
					if w.repair(); other {
						// The same events from a server with another secret, as after a rotation.
						o.FaultSeed = 99
						w.API = mockserver.New(o)
						w.repair()
					} else {
						w.API.ExpireCursors()
					}
					e := w.run(command{Args: []string{"pull", "--workers", workers}})
					w.endsWith(e, 0)
					if had > 0 && !strings.Contains(e.Err, "resuming by the time of the last event") && !strings.Contains(e.Err, "restarting from the newest event") && workers == "1" {
						t.Errorf("the expired cursor is not reported: %v", e)
					}
					if s := w.API.Stats(); s.Events.Requests+s.Feed.Requests > 120 {
						t.Errorf("%d and %d requests for 30 pages", s.Events.Requests, s.Feed.Requests)
					}
					w.isWhole()
					w.isAsUndisturbed(o.Data)
				})
			}
		}
	}
}

// TestCursorsExpireByAge: after two minutes every cursor of the API has expired, whether the program
// was killed or stopped in the meantime. The pull after it is exact.
func TestCursorsExpireByAge(t *testing.T) {
	t.Parallel()
	if !harness.All() {
		t.Skip("takes two minutes: only with -all")
	}
	// A bounded wait of the real life of a cursor in the contract.
	const age = 121 * time.Second
	for _, until := range []mockserver.Bound{mockserver.Inclusive, mockserver.Ignored} {
		t.Run(fmt.Sprintf("killed, until %d", until), func(t *testing.T) {
			t.Parallel()
			o := tcpPages()
			o.Feed.Until = until
			w := newWorld(t, o)
			w.breakAfter(10, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			w.endsWith(w.run(pull("--workers", "1", "--max-retry-time", "100ms")), 4)
			<-time.After(age)
			w.recovers("--workers", "1")
			if s := w.API.Stats(); s.Events.Requests+s.Feed.Requests > 60 {
				t.Errorf("%d and %d requests for 30 pages", s.Events.Requests, s.Feed.Requests)
			}
		})
	}
}
