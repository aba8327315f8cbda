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
	"datasync/ingest/walk"
	"datasync/internal/model"
	"datasync/mockserver"
)

// What the service was seen to do, and what a pull makes of it.

// refusing answers requests that match by a status and body of its own.
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

// told reports whether a notice has the text in it.
func (b *bench) told(text string) bool {
	for _, note := range b.notes {
		if strings.Contains(note, text) {
			return true
		}
	}
	return false
}

// An expired cursor may be answered by any error: a request without it shows that it is the cursor.
func TestExpiredCursorsThatDoNotSaySo(t *testing.T) {
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
						b.t.Errorf("took %s; told %q", took, b.notes)
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

// Three runs in a row that fail at the same cursor are enough: the third one goes on in another way,
// whatever the failure is, if the API answers without the cursor.
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
	// Where the whole API is down no other way is any better.
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
		if b.told("walking again") {
			b.t.Errorf("told %q", b.notes)
		}
		b.mustPull()
	})
}

// A feed that has never been had is no endpoint to wait for: the pull ends with the API's own time.
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
				if took := time.Since(began); !errors.Is(err, dispatch.ErrClosed) || took > 2*time.Minute {
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
	// One that was had and lets nobody in any more is waited for as long as a request may fail.
	o := mockserver.Options{Scripts: []mockserver.Script{
		{Endpoint: events, Request: 4, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, mockserver.RateLimited(time.Hour))}},
		{Endpoint: access, Request: 2, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, mockserver.Status(500))}},
		{Endpoint: mockserver.Feed, Request: 3, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, mockserver.TokenRejected())}},
	}}
	inBubble(t, "a feed that was had", o, func(b *bench) {
		began := time.Now()
		if _, err := b.pull(); !errors.Is(err, dispatch.ErrClosed) || time.Since(began) > 10*time.Minute {
			b.t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// A bound outside of the data's time may be refused: the feed stays open, and the pull is as quick as
// where it gets an empty page.
func TestABoundOutsideOfTheDataIsRefused(t *testing.T) {
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
		// A page more or less is by chance.
		if took[1] > took[0]*3/2 || accesses[1] != accesses[0] {
			t.Errorf("%d: took %s and %d accesses, and %s and %d where it is an empty page", status, took[1], accesses[1], took[0], accesses[0])
		}
	}
}

// A limit that is too large is made smaller, and told.
func TestALimitThatIsTooLarge(t *testing.T) {
	for words, size := range map[string]string{"limit must be <= 75": "75", "limit must be between 1 and 60": "60", "the limit is too large": "10"} {
		inBubble(t, words, mockserver.Options{}, func(b *bench) {
			b.refusing(func(r *http.Request) bool {
				limit := r.URL.Query().Get("limit")
				return len(limit) > 2 && strings.HasPrefix(r.URL.Path, "/api")
			}, 400, fmt.Sprintf(`{"error":"Bad Request","message":%q}`, words), nil)
			b.mustPull()
			if !b.told("asking for pages of") || !b.told(words) || words != "the limit is too large" && !b.told("pages of "+size+" ") {
				b.t.Errorf("told %q", b.notes)
			}
		})
	}
}

// A refusal that names no reason is tried a few times: it may have worked a minute ago.
func TestARefusalIsTriedAFewTimes(t *testing.T) {
	for _, status := range []int{400, 404, 405, 418, 451} {
		inBubble(t, fmt.Sprint(status), scripted(mockserver.Events, 1, mockserver.Repeat(2, mockserver.Status(status))), func(b *bench) { b.mustPull() })
		inBubble(t, fmt.Sprint(status, " for ever"), mockserver.Options{}, func(b *bench) {
			b.refusing(always, status, `{"message":"not \u001b[31mhere","hint":"try next door"}`, nil)
			began := time.Now()
			_, err := b.pull()
			var answer *api.APIError
			if !errors.As(err, &answer) || answer.Status != status || time.Since(began) > time.Minute {
				b.t.Fatalf("%v after %s", err, time.Since(began))
			}
			if text := err.Error(); !strings.Contains(text, `"not \x1b[31mhere"`) || !strings.Contains(text, `"try next door"`) {
				b.t.Errorf("%s", text)
			}
		})
	}
}

// A wait that another status names is kept, and the failure counts all the same.
func TestWaitsOfOtherStatuses(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 408, 500, 503} {
		after := mockserver.StatusAfter(status, 7*time.Second)
		inBubble(t, fmt.Sprint(status), scripted(mockserver.Events, 3, after), func(b *bench) { b.mustPull() })
		inBubble(t, fmt.Sprint(status, " for ever"), mockserver.Options{}, func(b *bench) {
			b.opts.MaxRetryTime = 30 * time.Second
			b.refusing(always, status, `{}`, http.Header{"Retry-After": {"2"}})
			began := time.Now()
			if _, err := b.pull(); err == nil || errors.Is(err, api.ErrKeyRefused) || time.Since(began) > time.Hour {
				b.t.Errorf("%v after %s", err, time.Since(began))
			}
		})
	}
	// A rate limit in other words is one.
	inBubble(t, "403 with a code", mockserver.Options{}, func(b *bench) {
		var requests atomic.Int64
		b.refusing(func(*http.Request) bool { n := requests.Add(1); return n > 4 && n < 8 }, 403, `{"code":"RATE_LIMIT_EXCEEDED","rateLimit":{"retryAfter":3}}`, nil)
		b.mustPull()
	})
}

// spoiling has each reading of a page lack ids and times at random.
func (b *bench) spoiling(rate float64) {
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

// What is spoilt in one reading only is read again, and stored.
func TestPagesWithRejectsAreReadAgain(t *testing.T) {
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 1500}}
	inBubble(t, "few pages", o, func(b *bench) {
		b.spoiling(0.003)
		if s := b.mustPull(); s.Rejected != 0 || s.NotReadAgain != 0 {
			b.t.Errorf("%d rejected, %d of them not read again", s.Rejected, s.NotReadAgain)
		}
	})
	o.Data.Events = 8000
	withOneWalk(t, "many pages", o, func(b *bench) {
		b.spoiling(0.02)
		s, err := b.pull()
		requests := s.Requests["events"] + s.Requests["feed"]
		if err != nil || s.Rejected == 0 || s.NotReadAgain == 0 || s.NotReadAgain > s.Rejected || requests < 80+20 || requests > 80+20+2 {
			b.t.Errorf("%v: %d rejected, %d not read again, %d requests", err, s.Rejected, s.NotReadAgain, requests)
		}
	})
	// Events that come and go between the two readings.
	for seed := range uint64(10) {
		inBubble(t, fmt.Sprint("growing, ", seed), mockserver.Options{Data: mockserver.DataOptions{Events: 1000, Seed: seed}}, func(b *bench) {
			b.spoiling(0.004)
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

// A pull of which hardly anything could be stored is no success, and the next one may be.
func TestNothingButRejects(t *testing.T) {
	spoilt := func(rate float64, events int) mockserver.Options {
		return mockserver.Options{Data: mockserver.DataOptions{Events: events, DirtyRate: rate, DirtyKinds: mockserver.RejectedMalformed()}}
	}
	for _, tc := range []struct {
		name  string
		o     mockserver.Options
		fails bool
	}{
		{"all of many", spoilt(1, 500), true},
		{"all of one", spoilt(1, 1), true},
		{"most of many", spoilt(0.7, 500), true},
		{"most of few", spoilt(0.7, 60), false},
		{"some", spoilt(0.2, 500), false},
		{"none of none", mockserver.Options{Data: mockserver.DataOptions{Events: mockserver.NoEvents}}, false},
	} {
		inBubble(t, tc.name, tc.o, func(b *bench) {
			s, err := b.pull()
			if errors.Is(err, ingest.ErrUnusable) != tc.fails || s.Complete == tc.fails || !tc.fails && err != nil {
				b.t.Fatalf("%v, complete: %v", err, s.Complete)
			}
			if tc.fails && (!strings.Contains(err.Error(), "missing_") || !strings.Contains(err.Error(), "sessionId")) {
				b.t.Errorf("%v", err)
			}
			_, err = b.pull()
			if none := len(b.store.Events()) == 0 && tc.o.Data.Events > 0; errors.Is(err, ingest.ErrUnusable) != none {
				b.t.Errorf("again, with nothing new: %v", err)
			}
		})
	}
}

// The API counts exact copies that it serves: they are told as copies, and what is missing beside them is
// missing.
func TestExactCopiesAreCounted(t *testing.T) {
	for _, tc := range []struct {
		total   string
		copies  int64
		missing int64
	}{{"1100", 100, 0}, {"1000", 0, 0}, {"1050", 50, 0}, {"1103", 100, 3}} {
		o := mockserver.Options{RepeatWithin: 10, StatedTotal: tc.total, Data: mockserver.DataOptions{Events: 1000}, Events: mockserver.Pages{Cap: 55}}
		inBubble(t, tc.total, o, func(b *bench) {
			s, err := b.pull()
			if errors.Is(err, walk.ErrMissing) != (tc.missing > 0) || s.Balance.V.Missing != tc.missing || !errors.Is(err, walk.ErrMissing) && err != nil {
				b.t.Fatalf("%v, %+v, %+v", err, s.Balance, s.Witness)
			}
			if s.Balance.V.Copies != tc.copies {
				b.t.Errorf("%d copies, want %d", s.Balance.V.Copies, tc.copies)
			}
		})
	}
}

// A deficit is looked into once: the next pull walks to the end, and after that only where the
// difference or the total has changed.
func TestADeficitIsLookedIntoOnce(t *testing.T) {
	o := mockserver.Options{StatedTotal: "2010", Data: mockserver.DataOptions{Events: 2000}}
	inBubble(t, "", o, func(b *bench) {
		b.opts.Lookback = time.Second
		toTheEnd := func() bool {
			b.t.Helper()
			before := b.pages()
			if _, err := b.pull(); !errors.Is(err, walk.ErrMissing) || !strings.Contains(err.Error(), "at least 10 of the 2010") {
				b.t.Fatalf("%v", err)
			}
			return b.pages()-before >= 20
		}
		for pull, want := range []bool{true, true, false, false} {
			if got := toTheEnd(); got != want {
				b.t.Errorf("pull %d walks to the end: %v; want a first one, another, and none while nothing changes", pull+1, got)
			}
		}
		if err := b.store.SetDeficit(b.t.Context(), model.Deficit{Missing: 9, Total: 2010, Walked: true}); err != nil {
			b.t.Fatal(err)
		}
		if toTheEnd() || !toTheEnd() || toTheEnd() {
			b.t.Error("a difference that has changed is not looked into once")
		}
	})
}

// Where the file begins at a start bound, the API's total says something only if its pages end above that.
func TestTotalsBesideAStartBound(t *testing.T) {
	for _, below := range []bool{true, false} {
		inBubble(t, fmt.Sprint("events below it: ", below), mockserver.Options{StatedTotal: "2010"}, func(b *bench) {
			data := b.server.Dataset()
			b.opts.From.Valid, b.opts.From.V = true, model.InstantOf(data.Event(data.Len()-1).Time().Add(-time.Hour))
			if below {
				b.opts.From.V = model.InstantOf(data.Event(data.Len() / 2).Time())
			}
			for range 3 {
				s, err := b.pull()
				if below && (err != nil || s.Balance.Valid) || !below && (!errors.Is(err, walk.ErrMissing) || s.Balance.V.Missing != 10) {
					b.t.Errorf("%v, %+v", err, s.Balance)
				}
			}
		})
	}
}

// A cache in front of the API does not hide what came before the pull began.
func TestPagesOfACache(t *testing.T) {
	for _, ttl := range []time.Duration{time.Second, 30 * time.Second} {
		o := mockserver.Options{Data: mockserver.DataOptions{Events: 500}, Events: mockserver.Pages{CacheTTL: ttl, Latency: answers}}
		inBubble(t, fmt.Sprint(ttl), o, func(b *bench) {
			b.mustPull()
			for range 4 {
				b.server.Dataset().Grow(30)
				b.mustPull()
			}
			if b.told("cache") {
				b.t.Errorf("told %q", b.notes)
			}
		})
	}
	// One that answers everything is not asked in other words for ever.
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
		if n := requests.Load(); n > 60 || !b.told("a cache answers every request") {
			b.t.Errorf("%d requests, told %q", n, b.notes)
		}
	})
}
