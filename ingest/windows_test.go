package ingest_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/walk"
	"datasync/internal/model"
	"datasync/mockserver"
)

// pages counts the pages that the server has sent.
func (b *bench) pages() int {
	s := b.server.Stats()
	return s.Events.Pages + s.Feed.Pages
}

// A later pull reads the new events and the lookback below, and no more.
func TestLaterPullsReadTheLookback(t *testing.T) {
	const size = 50
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 500}, Events: mockserver.Pages{Cap: size}}
	for _, lookback := range []time.Duration{0, time.Minute, 10 * time.Minute} {
		inBubble(t, fmt.Sprint("lookback of ", lookback), o, func(b *bench) {
			b.opts.Lookback = lookback
			b.server.Dataset().Grow(1500)
			b.mustPull()
			for round, grow := range []int{0, 0, 1, 7 * size, 3*size + 20, 0} {
				data := b.server.Dataset()
				within := 0
				for border := data.Event(0).Time().Add(-lookback); within < data.Len() && !data.Event(within).Time().Before(border); {
					within++
				}
				data.Grow(grow)
				before := b.pages()
				summary := b.mustPull()
				// The page with the border has an event below it.
				least := (grow + within + size) / size
				if read := b.pages() - before; read < least-1 || read > least+1 || summary.Stored != int64(grow) {
					b.t.Errorf("round %d: %d new events and %d in the lookback with %d pages: %+v", round, grow, within, read, summary.Counts)
				}
			}
		})
	}
	o.Data = mockserver.DataOptions{Events: 2000, LateEvery: 10, LateWithin: 60}
	inBubble(t, "late", o, func(b *bench) {
		b.opts.Lookback = 31 * 24 * time.Hour
		if _, err := b.pull(); err != nil {
			b.t.Fatal(err)
		}
		b.server.Dataset().Grow(100)
		b.server.Dataset().Reveal()
		if s := b.mustPull(); s.Stored != 106 {
			b.t.Errorf("%+v, want 100 new events and 6 late ones", s.Counts)
		}
	})
}

// Many rejects do not hide a late event.
func TestTooManyRejectsHideNoLateEvent(t *testing.T) {
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 500, LateEvery: 40, LateWithin: 40}}
	o.Events.Cap = 20
	inBubble(t, "", o, func(b *bench) {
		b.opts.Lookback = 31 * 24 * time.Hour
		if _, err := b.pull(); err != nil {
			b.t.Fatal(err)
		}
		windows, err := b.store.Windows(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		stray := model.Reject{Key: "sha256:0#0", Reason: "missing_id", Raw: "{}"}
		if _, err := b.store.CommitBatch(b.t.Context(), model.Batch{Pages: []model.Page{{Rejects: []model.Reject{stray}}}, Checkpoint: windows[0]}); err != nil {
			b.t.Fatal(err)
		}
		b.server.Dataset().Reveal()
		if s, err := b.pull(); err != nil || s.Stored != 1 {
			b.t.Errorf("%v, %+v", err, s.Counts)
		}
	})
}

// A late event below the lookback is reported as missing, with code 5, and stored by the next pull.
func TestLateEventsBelowTheLookback(t *testing.T) {
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 2000, LateEvery: 7, LateWithin: 1400}}
	inBubble(t, "", o, func(b *bench) {
		b.opts.Lookback = time.Second
		if _, err := b.pull(); err != nil {
			b.t.Fatal(err)
		}
		b.server.Dataset().Reveal()
		if s, err := b.pull(); !errors.Is(err, walk.ErrMissing) || s.Complete || !strings.Contains(err.Error(), "the next pull walks to the end") {
			b.t.Errorf("%v, complete: %v", err, s.Complete)
		}
		b.mustPull()
	})
}

// A pull with a start bound stores the events above it and no others, in this run and in later ones.
func TestPullFrom(t *testing.T) {
	for _, tc := range []struct {
		name string
		data mockserver.DataOptions
	}{
		{"plain", mockserver.DataOptions{Events: 3000}},
		{"dirty", mockserver.DataOptions{Events: 3000, DirtyEvery: 9}},
		{"out of order", mockserver.DataOptions{Events: 3000, SwapEvery: 40, SwapDistance: 15}},
	} {
		inBubble(t, tc.name, mockserver.Options{Data: tc.data, Cursor: mockserver.Cursors{Life: time.Minute}}, func(b *bench) {
			data := b.server.Dataset()
			border := model.InstantOf(data.Event(1234).Time())
			b.opts.From = sql.Null[model.Instant]{V: border, Valid: true}
			b.stopAfter(600)
			pass(time.Hour)
			b.opts.From.Valid = false // an unfinished pull keeps to it
			b.pullWithin(border)
			data.Grow(130)
			b.pullWithin(border)
			b.opts.From = sql.Null[model.Instant]{V: border, Valid: true}
			b.pullWithin(border)
			b.opts.From.V -= 1000
			if _, err := b.pull(); !errors.Is(err, ingest.ErrFrom) {
				b.t.Errorf("further down: %v", err)
			}
			b.opts.From.Valid, b.opts.Restart = false, true
			b.mustPull()
		})
	}
}

// pullWithin pulls and checks that the store has exactly the events from border on.
func (b *bench) pullWithin(border model.Instant) {
	b.t.Helper()
	if s, err := b.pull(); err != nil || !s.Complete {
		b.t.Fatalf("%v, %+v", err, s)
	}
	data := b.server.Dataset()
	events, rejects := 0, 0
	for i := range data.Len() {
		e := data.Event(i)
		switch expected := data.Expected(i); {
		// The place of a reject without a readable timestamp counts.
		case e.Time().UnixMicro() < int64(border):
		case expected.Storable:
			events++
		default:
			rejects++
		}
	}
	stored := b.store.Events()
	if len(stored) != events || stored[len(stored)-1].Timestamp < border || len(b.store.Rejects()) != rejects {
		b.t.Errorf("%d events down to %v, want %d down to %v; %d rejects, want %d",
			len(stored), stored[len(stored)-1].Timestamp, events, border, len(b.store.Rejects()), rejects)
	}
}

// rewritten changes the bodies of answers to matching requests.
func (b *bench) rewritten(match func(*http.Request) bool, change func(string) string) {
	real := b.opts.Transport
	b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := real.RoundTrip(r)
		if err != nil || !match(r) {
			return resp, err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(change(string(body)))), -1
		return resp, err
	})
}

// redirected changes matching requests.
func (b *bench) redirected(match func(*http.Request) bool, change func(*http.Request)) {
	real := b.opts.Transport
	b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if match(r) {
			r = r.Clone(r.Context())
			change(r)
		}
		return real.RoundTrip(r)
	})
}

// A cursor that the service has forgotten, and answers with its newest page, does not resume the walk.
func TestStoredCursorMustContinue(t *testing.T) {
	for _, until := range []mockserver.Bound{mockserver.Ignored, mockserver.Inclusive} {
		inBubble(t, "", mockserver.Options{Feed: mockserver.Pages{Until: until}}, func(b *bench) {
			b.stopAfter(900)
			b.server.Dataset().Grow(40)
			var stored atomic.Value
			b.redirected(func(r *http.Request) bool {
				cursor := r.URL.Query().Get("cursor")
				return cursor != "" && (stored.CompareAndSwap(nil, cursor) || stored.Load() == cursor)
			}, func(r *http.Request) {
				q := r.URL.Query()
				q.Del("cursor")
				r.URL.RawQuery = q.Encode()
			})
			b.mustPull()
			// Of several walks the one whose cursor it was may have had nothing left to read.
			if b.opts.Workers == 1 && (len(b.notices) < 1 || !strings.Contains(b.notices[0], "does not continue the walk")) {
				b.t.Errorf("notices %q", b.notices)
			}
			for _, note := range b.notices {
				if strings.Contains(note, "order") {
					b.t.Errorf("taken for events out of order: %q", b.notices)
				}
			}
		})
	}
}

// The cursor of a page by time may count from the top.
func TestCursorOfATimePageMustContinue(t *testing.T) {
	o := mockserver.Options{Feed: mockserver.Pages{Until: mockserver.Inclusive}, Cursor: mockserver.Cursors{Life: time.Minute, Signed: true}}
	// With one walk, it is known which page was requested by time.
	withOneWalk(t, "", o, func(b *bench) {
		b.stopAfter(900)
		pass(time.Hour)
		byTime := false
		real := b.opts.Transport
		b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			q := r.URL.Query()
			if q.Has("until") {
				byTime = true
			} else if byTime && q.Has("cursor") {
				byTime = false
				q.Del("cursor")
				r = r.Clone(r.Context())
				r.URL.RawQuery = q.Encode()
			}
			return real.RoundTrip(r)
		})
		b.mustPull()
		if len(b.notices) < 2 || !strings.Contains(b.notices[1], "restarting from") {
			b.t.Errorf("notices %q", b.notices)
		}
	})
}

// If the events endpoint fails, the feed continues the walk before the cursor expires.
func TestFeedContinuesBeforeTheCursorExpires(t *testing.T) {
	for _, fault := range []mockserver.Fault{mockserver.Hang(), mockserver.Status(503)} {
		o := scripted(mockserver.Events, 5, mockserver.Repeat(mockserver.Forever, fault))
		o.Cursor = mockserver.Cursors{Signed: true}
		inBubble(t, fmt.Sprint(fault), o, func(b *bench) {
			summary := b.mustPull()
			if summary.Duplicate > 0 || summary.Pages["feed"] == 0 {
				b.t.Errorf("%+v, pages %v; notices %q", summary.Counts, summary.Pages, b.notices)
			}
		})
	}
}

// A wait that exceeds the life of the cursor is avoided: the walk continues with the first available endpoint.
func TestNoCursorExpiresInAWait(t *testing.T) {
	const events, feed = mockserver.Events, mockserver.Feed
	o := mockserver.Options{Cursor: mockserver.Cursors{Signed: true}, Scripts: []mockserver.Script{
		{Endpoint: events, Request: 5, Faults: []mockserver.Fault{mockserver.RateLimited(200 * time.Second)}},
		{Endpoint: feed, Request: 3, Faults: []mockserver.Fault{mockserver.RateLimited(60 * time.Second), mockserver.Pass(), mockserver.RateLimited(80 * time.Second)}},
	}}
	inBubble(t, "", o, func(b *bench) {
		if summary := b.mustPull(); summary.Duplicate > 0 || len(b.notices) > 0 {
			b.t.Errorf("%+v; notices %q", summary.Counts, b.notices)
		}
	})
}

// Events out of order are reported once, for any number of windows.
func TestUnorderedIsReportedOnce(t *testing.T) {
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 3000, SwapEvery: 40, SwapDistance: 15}}
	inBubble(t, "", o, func(b *bench) {
		b.mustPull()
		b.server.Dataset().Grow(400)
		b.stopAfter(200)
		b.server.Dataset().Grow(300)
		b.mustPull()
		if len(b.notices) != 1 || !strings.Contains(b.notices[0], "order") {
			b.t.Errorf("notices %q", b.notices)
		}
	})
	// An event that comes twice is no breach of the order.
	inBubble(t, "repeated", mockserver.Options{RepeatWithin: 7, RepeatAcross: true}, func(b *bench) {
		b.mustPull()
		if len(b.notices) != 0 {
			b.t.Errorf("notices %q", b.notices)
		}
	})
}

// While the feed is rate-limited, resuming by time waits for it.
func TestResumeByTimeWaitsForTheFeed(t *testing.T) {
	o := byTime()
	o.Feed.Until = mockserver.Exclusive
	o.Scripts = []mockserver.Script{{Endpoint: mockserver.Feed, Request: 1, Faults: []mockserver.Fault{mockserver.Repeat(6, mockserver.RateLimited(20*time.Second))}}}
	inBubble(t, "", o, func(b *bench) {
		b.stopAfter(900)
		pass(time.Hour)
		if summary := b.mustPull(); summary.Duplicate > b.readTwice(150) {
			b.t.Errorf("%+v; notices %q", summary.Counts, b.notices)
		}
	})
}

// damage makes two of sixteen elements identical to many others, and returns how many.
func (b *bench) damage() (rejects int) {
	data := b.server.Dataset()
	damaged := map[string]string{}
	for i := range data.Len() {
		id := data.Event(i).ID.String()
		if text := map[byte]string{'0': `{"type": "click"}`, '7': "null"}[id[len(id)-1]]; text != "" {
			damaged[id] = text
		}
	}
	element := regexp.MustCompile(`\{"id":"([0-9a-f-]*)",[^{}]*(\{[^{}]*\}[^{}]*)*\}`)
	b.rewritten(func(r *http.Request) bool { return r.Method == http.MethodGet }, func(body string) string {
		return element.ReplaceAllStringFunc(body, func(text string) string {
			if identical, ok := damaged[element.FindStringSubmatch(text)[1]]; ok {
				return identical
			}
			return text
		})
	})
	return len(damaged)
}

// Rejects without an identity are distinguished by their place, on whichever pages they are.
func TestIdenticalElements(t *testing.T) {
	o := byTime()
	o.Events.RateLimit = mockserver.RateLimit{Requests: 3, Window: 20 * time.Second}
	inBubble(t, "", o, func(b *bench) {
		rejects := b.damage()
		b.stopAfter(900)
		pass(time.Hour)
		if s, err := b.pull(); err != nil || s.TotalRejected != int64(rejects) || s.Total != int64(b.server.Dataset().Len()-rejects) {
			b.t.Errorf("%v: %d events and %d rejects, want %d", err, s.Total, s.TotalRejected, rejects)
		}
		b.opts.Restart, b.opts.PageSize = true, 77
		if s, err := b.pull(); err != nil || s.Rejected != 0 {
			b.t.Errorf("%v: %d rejects more", err, s.Rejected)
		}
	})
}

// An element that is malformed in one reading of the feed and whole in a later one is no reject.
func TestEventsMalformedInOneReading(t *testing.T) {
	for seed := range uint64(8) {
		o := mockserver.Options{
			Data:   mockserver.DataOptions{Seed: seed, Events: 3000},
			Events: mockserver.Pages{RateLimit: mockserver.RateLimit{Requests: 3, Window: 20 * time.Second}},
			Feed:   mockserver.Pages{Until: mockserver.Inclusive}, Cursor: mockserver.Cursors{Life: time.Minute},
			ChaosRate: 0.5, ChaosEvents: 4, FaultSeed: seed,
		}
		inBubble(t, fmt.Sprint(seed), o, func(b *bench) {
			b.stopAfter(500 + 300*int(seed))
			pass(time.Hour)
			if _, err := b.pull(); err != nil {
				b.t.Fatal(err)
			}
			// Another reading, by the events endpoint alone.
			b.opts.Restart = true
			b.rewritten(func(r *http.Request) bool { return r.Method == http.MethodPost }, func(string) string { return "{}" })
			b.mustPull()
		})
	}
}
