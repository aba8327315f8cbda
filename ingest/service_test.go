package ingest_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/mockserver"
)

// refusing answers matching requests with the given status and body.
func (b *bench) refusing(match func(*http.Request) bool, status int, body string, header http.Header) {
	real := b.opts.Transport
	b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if !match(r) {
			return real.RoundTrip(r)
		}
		h := header.Clone()
		if h == nil {
			h = http.Header{}
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
	})
}

func always(*http.Request) bool { return true }

// noticed reports whether a notice contains the text.
func (b *bench) noticed(text string) bool {
	for _, note := range b.notices {
		if strings.Contains(note, text) {
			return true
		}
	}
	return false
}

// An expired cursor may result in any error: a request without it shows that the cursor is the cause.
func TestExpiredCursorsWithOtherErrors(t *testing.T) {
	for _, status := range []int{500, 502, 503, 400, 404, 410, 418, 422, 431} {
		for _, until := range []mockserver.Bound{mockserver.Ignored, mockserver.Inclusive} {
			for _, renew := range []bool{false, true} {
				o := mockserver.Options{
					Cursor: mockserver.Cursors{ErrorStatus: status, Unnamed: true, Life: time.Minute},
					Events: mockserver.Pages{Latency: answers}, Feed: mockserver.Pages{Until: until, Latency: answers},
				}
				inBubble(t, fmt.Sprintf("%d, until %d, renewed: %v", status, until, renew), o, func(b *bench) {
					b.opts.RenewCursors = renew
					b.stopAfter(900)
					pass(time.Hour)
					began := time.Now()
					b.mustPull()
					if took := time.Since(began); took > time.Minute {
						b.t.Errorf("took %s; notices %q", took, b.notices)
					}
				})
				inBubble(t, fmt.Sprintf("%d, until %d, renewed: %v, in mid-walk", status, until, renew), o, func(b *bench) {
					b.opts.RenewCursors = renew
					var once sync.Once
					b.before(func(request int) {
						if request == 7 {
							once.Do(b.server.ExpireCursors)
						}
					})
					b.mustPull()
				})
			}
		}
	}
}

// After two failed runs at the same cursor, the third one resumes without it, whatever the failure is, if the API
// answers without the cursor.
func TestRunsThatFailAtTheSameCursor(t *testing.T) {
	failures := map[string]func(*http.Request) (*http.Response, error){
		"reset": func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"HTML": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("<html>"))}, nil
		},
		"504 that names a wait": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 504, Header: http.Header{"Retry-After": {"1"}}, Body: http.NoBody}, nil
		},
	}
	for name, fail := range failures {
		inBubble(t, name, mockserver.Options{Cursor: mockserver.Cursors{Life: 24 * time.Hour}}, func(b *bench) {
			b.opts.MaxRetryTime = time.Minute
			b.stopAfter(900)
			windows, err := b.store.Windows(b.t.Context())
			if err != nil {
				b.t.Fatal(err)
			}
			bad := map[string]bool{}
			for i := range windows {
				bad[windows[i].Cursor] = windows[i].Cursor != ""
			}
			real := b.opts.Transport
			b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				if bad[r.URL.Query().Get("cursor")] {
					return fail(r)
				}
				return real.RoundTrip(r)
			})
			for run := 1; run <= 2; run++ {
				if _, err := b.pull(); err == nil {
					b.t.Fatalf("run %d did not fail", run)
				}
			}
			b.mustPull()
		})
	}
	// While the whole API is down, the cursor is kept.
	inBubble(t, "everything", mockserver.Options{}, func(b *bench) {
		b.stopAfter(900)
		down := b.opts
		down.MaxRetryTime = 20 * time.Second
		down.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
		for range 4 {
			if _, err := ingest.Run(b.t.Context(), down); err == nil {
				b.t.Fatal("pulled from an API that is down")
			}
		}
		if b.noticed("restarting from") {
			b.t.Errorf("notices %q", b.notices)
		}
		b.mustPull()
	})
}

// A feed without access is not waited for: the pull ends with the time that the API names.
func TestNoFeedAndALongWait(t *testing.T) {
	const events, access = mockserver.Events, mockserver.StreamAccess
	for _, fault := range []mockserver.Fault{
		mockserver.Status(404), mockserver.Status(500), mockserver.Reset(), mockserver.HTML(), mockserver.StatusAfter(503, 3*time.Second), mockserver.RateLimited(2 * time.Second),
	} {
		for _, maxWait := range []time.Duration{10 * time.Second, 5 * time.Minute} {
			o := mockserver.Options{Scripts: []mockserver.Script{
				{Endpoint: events, Request: 4, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, mockserver.RateLimited(time.Hour))}},
				{Endpoint: access, Request: 1, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, fault)}},
			}}
			inBubble(t, fmt.Sprint(fault, ", at most ", maxWait), o, func(b *bench) {
				b.opts.MaxWait = maxWait
				began := time.Now()
				_, err := b.pull()
				if took := time.Since(began); !errors.Is(err, dispatch.ErrWaitTooLong) || took > 2*time.Minute {
					b.t.Fatalf("%v after %s", err, took)
				}
				_, at, _ := strings.Cut(err.Error(), "come back at ")
				back, errTime := time.Parse(time.RFC3339, at)
				if left := time.Until(back); errTime != nil || left < 55*time.Minute || left > time.Hour {
					b.t.Errorf("%v: come back in %s", err, left)
				}
			})
		}
	}
	// A feed that was available and then refuses all tokens is retried for the maximum retry time.
	o := mockserver.Options{Scripts: []mockserver.Script{
		{Endpoint: events, Request: 4, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, mockserver.RateLimited(time.Hour))}},
		{Endpoint: access, Request: 2, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, mockserver.Status(500))}},
		{Endpoint: mockserver.Feed, Request: 3, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, mockserver.TokenRejected())}},
	}}
	inBubble(t, "a feed that was available", o, func(b *bench) {
		began := time.Now()
		if _, err := b.pull(); !errors.Is(err, dispatch.ErrWaitTooLong) || time.Since(began) > 10*time.Minute {
			b.t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// The API may refuse a time bound outside of the data: the feed stays available, and the pull is as fast as with
// an empty page.
func TestRefusedBoundOutsideOfTheData(t *testing.T) {
	for _, status := range []int{418, 400, 404, 422} {
		var took [2]time.Duration
		var accesses [2]int
		for i, outside := range []int{0, status} {
			o := mockserver.Observed()
			o.Data.Events = 40_000
			o.Feed.OutsideStatus = outside
			inBubbleOf(t, fmt.Sprint(outside), 4, o, func(b *bench) {
				took[i] = b.mustPull().Took
				accesses[i] = b.server.Stats().StreamAccess.Requests
			})
		}
		// A page more or less is chance.
		if took[1] > took[0]*3/2 || accesses[1] != accesses[0] {
			t.Errorf("%d: took %s and %d accesses, and %s and %d where it is an empty page", status, took[1], accesses[1], took[0], accesses[0])
		}
	}
}

// A refused limit is reduced, with a notice.
func TestLimitTooLarge(t *testing.T) {
	for words, size := range map[string]string{"limit must be <= 75": "75", "limit must be between 1 and 60": "60", "the limit is too large": "10"} {
		inBubble(t, words, mockserver.Options{}, func(b *bench) {
			b.refusing(func(r *http.Request) bool {
				limit := r.URL.Query().Get("limit")
				return len(limit) > 2 && strings.HasPrefix(r.URL.Path, "/api")
			}, 400, fmt.Sprintf(`{"error":"Bad Request","message":%q}`, words), nil)
			b.mustPull()
			if !b.noticed("asking for pages of") || !b.noticed(words) || words != "the limit is too large" && !b.noticed("pages of "+size+" ") {
				b.t.Errorf("notices %q", b.notices)
			}
		})
	}
}

// A refusal without a reason is retried a few times, since the API may have been misconfigured for a moment.
func TestRefusalIsRetriedAFewTimes(t *testing.T) {
	for _, status := range []int{400, 404, 405, 418, 451} {
		inBubble(t, fmt.Sprint(status), scripted(mockserver.Events, 1, mockserver.Repeat(2, mockserver.Status(status))), func(b *bench) { b.mustPull() })
		inBubble(t, fmt.Sprint(status, " forever"), mockserver.Options{}, func(b *bench) {
			b.refusing(always, status, `{"message":"not \u001b[31mhere","hint":"try next door"}`, nil)
			began := time.Now()
			_, err := b.pull()
			var answer *api.Error
			if !errors.As(err, &answer) || answer.Status != status || time.Since(began) > time.Minute {
				b.t.Fatalf("%v after %s", err, time.Since(began))
			}
			if text := err.Error(); !strings.Contains(text, `"not \x1b[31mhere"`) || !strings.Contains(text, `"try next door"`) {
				b.t.Errorf("%s", text)
			}
		})
	}
}

// The pull honours a wait that another status names, and counts the failure.
func TestWaitsOfOtherStatuses(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 408, 500, 503} {
		after := mockserver.StatusAfter(status, 7*time.Second)
		inBubble(t, fmt.Sprint(status), scripted(mockserver.Events, 3, after), func(b *bench) { b.mustPull() })
		inBubble(t, fmt.Sprint(status, " forever"), mockserver.Options{}, func(b *bench) {
			b.opts.MaxRetryTime = 30 * time.Second
			b.refusing(always, status, `{}`, http.Header{"Retry-After": {"2"}})
			began := time.Now()
			if _, err := b.pull(); err == nil || errors.Is(err, api.ErrKeyRefused) || time.Since(began) > time.Hour {
				b.t.Errorf("%v after %s", err, time.Since(began))
			}
		})
	}
	// A 403 with the code of a rate limit is one.
	inBubble(t, "403 with a code", mockserver.Options{}, func(b *bench) {
		var requests atomic.Int64
		b.refusing(func(*http.Request) bool { n := requests.Add(1); return n > 4 && n < 8 }, 403, `{"code":"RATE_LIMIT_EXCEEDED","rateLimit":{"retryAfter":3}}`, nil)
		b.mustPull()
	})
}

// damaging makes timestamps malformed at random, differently in each reading of a page.
func (b *bench) damaging(rate float64) {
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	b.rewritten(func(r *http.Request) bool { return r.Method == http.MethodGet }, func(body string) string {
		mu.Lock()
		defer mu.Unlock()
		parts := strings.Split(body, `{"id":"`)
		for i := range parts[1:] {
			if random.Float64() < rate {
				parts[i+1] = strings.Replace(parts[i+1], `"timestamp":`, `"timestamp":"?",`+`"was":`, 1)
			}
		}
		return strings.Join(parts, `{"id":"`)
	})
}

// An element that is malformed in one reading only is read again and stored.
func TestPagesWithRejectsAreReadAgain(t *testing.T) {
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 1500}}
	inBubble(t, "few pages", o, func(b *bench) {
		b.damaging(0.003)
		if s := b.mustPull(); s.Rejected != 0 || s.NotReadAgain != 0 {
			b.t.Errorf("%d rejected, %d of them not read again", s.Rejected, s.NotReadAgain)
		}
	})
	o.Data.Events = 8000
	withOneWalk(t, "many pages", o, func(b *bench) {
		b.damaging(0.02)
		s, err := b.pull()
		requests := s.Requests["events"] + s.Requests["feed"]
		if err != nil || s.Rejected == 0 || s.NotReadAgain == 0 || s.NotReadAgain > s.Rejected || requests < 80+20 || requests > 80+20+2 {
			b.t.Errorf("%v: %d rejected, %d not read again, %d requests", err, s.Rejected, s.NotReadAgain, requests)
		}
	})
	// Events arrive between the two readings.
	for seed := range uint64(10) {
		inBubble(t, fmt.Sprint("growing, ", seed), mockserver.Options{Data: mockserver.DataOptions{Events: 1000, Seed: seed}}, func(b *bench) {
			b.damaging(0.004)
			b.before(func(request int) {
				if request%3 == 0 {
					b.server.Dataset().Grow(7)
				}
			})
			if _, err := b.pull(); err != nil {
				b.t.Fatal(err)
			}
			b.opts.Transport = b.server.Transport()
			b.mustPull()
		})
	}
}

// A cache in front of the API does not hide events from before the pull.
func TestPagesOfACache(t *testing.T) {
	for _, ttl := range []time.Duration{time.Second, 30 * time.Second} {
		o := mockserver.Options{Data: mockserver.DataOptions{Events: 500}, Events: mockserver.Pages{CacheTTL: ttl, Latency: answers}}
		inBubble(t, fmt.Sprint(ttl), o, func(b *bench) {
			b.mustPull()
			for range 4 {
				b.server.Dataset().Grow(30)
				b.mustPull()
			}
			if b.noticed("cache") {
				b.t.Errorf("notices %q", b.notices)
			}
		})
	}
	// A cache that answers every request is not bypassed forever.
	inBubble(t, "everything", mockserver.Options{}, func(b *bench) {
		var requests atomic.Int64
		real := b.opts.Transport
		b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			requests.Add(1)
			resp, err := real.RoundTrip(r)
			if err == nil {
				resp.Header.Set("X-Cache", "Hit from cloudfront")
			}
			return resp, err
		})
		b.mustPull()
		if n := requests.Load(); n > 60 || !b.noticed("a cache answers every request") {
			b.t.Errorf("%d requests, notices %q", n, b.notices)
		}
	})
}
