package ingest_test

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/ingest/api"
	"datasync/internal/model"
	"datasync/mockserver"
)

// byTime is an API that honours until, with cursors that live for a minute.
func byTime() mockserver.Options {
	return mockserver.Options{
		Events: mockserver.Pages{Latency: answers}, Feed: mockserver.Pages{Until: mockserver.Inclusive, Latency: answers},
		Cursor: mockserver.Cursors{Life: time.Minute, Signed: true},
	}
}

// A feed that fails, or whose pages by time are useless, does not end a pull that does not need it.
func TestResumeWithoutTheFeed(t *testing.T) {
	failing := func(fault mockserver.Fault) mockserver.Options {
		o := byTime()
		o.Scripts = []mockserver.Script{{Endpoint: mockserver.Feed, Request: 1, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, fault)}}}
		return o
	}
	for _, fault := range []mockserver.Fault{mockserver.Status(503), mockserver.Hang(), mockserver.HTML(), mockserver.Redirect("http://evil.test/"), mockserver.Status(400)} {
		inBubble(t, fmt.Sprint(fault), failing(fault), func(b *bench) { b.resumeWalkingAgain() })
	}
	var n atomic.Int64
	for _, tc := range []struct {
		name   string
		change func(string) string
	}{
		{"empty pages forever", func(string) string {
			return fmt.Sprintf(`{"data":[],"pagination":{"hasMore":true,"nextCursor":"nowhere %d"}}`, n.Add(1))
		}},
		{"an empty page that leads to itself", func(string) string { return `{"data":[],"pagination":{"hasMore":true,"nextCursor":"nowhere"}}` }},
		{"an end", func(string) string { return `{"data":[],"pagination":{"hasMore":false,"nextCursor":null}}` }},
	} {
		inBubble(t, tc.name, byTime(), func(b *bench) {
			b.opts.Transport = nowhere(b.opts.Transport)
			b.rewritten(func(r *http.Request) bool {
				q := r.URL.Query()
				return q.Has("until") || strings.HasPrefix(q.Get("cursor"), "nowhere")
			}, tc.change)
			b.resumeWalkingAgain()
		})
	}
}

// A page by time without new events and without a cursor is useless, too.
func TestOnlyTiesByTime(t *testing.T) {
	o := byTime()
	o.Data = mockserver.DataOptions{Events: 2000, TieEvery: 300, TieSize: 250}
	cursor := regexp.MustCompile(`"nextCursor":"[^"]*"`)
	inBubble(t, "", o, func(b *bench) {
		b.rewritten(func(r *http.Request) bool { return r.URL.Query().Has("until") },
			func(body string) string { return cursor.ReplaceAllString(body, `"nextCursor":null`) })
		b.resumeWalkingAgain()
	})
}

// nowhere removes the cursor from requests whose cursor has that prefix.
func nowhere(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if q := r.URL.Query(); strings.HasPrefix(q.Get("cursor"), "nowhere") {
			q.Del("cursor")
			r = r.Clone(r.Context())
			r.URL.RawQuery = q.Encode()
		}
		return next.RoundTrip(r)
	})
}

func (b *bench) resumeWalkingAgain() {
	b.t.Helper()
	b.stopAfter(900)
	pass(time.Hour)
	if summary := b.mustPull(); summary.Took > 5*time.Minute || !strings.Contains(strings.Join(b.notices, "\n"), "restarting from") {
		b.t.Errorf("took %v; notices %q", summary.Took, b.notices)
	}
}

// If every cursor expires at once, or pages by time have none, the walk continues by time, page by page.
func TestPullByTimeAlone(t *testing.T) {
	inBubble(t, "no cursors", byTime(), func(b *bench) {
		b.stopAfter(900)
		pass(time.Hour)
		cursor := regexp.MustCompile(`"nextCursor":"[^"]*"`)
		b.rewritten(func(r *http.Request) bool { return r.URL.Query().Has("until") },
			func(body string) string { return cursor.ReplaceAllString(body, `"nextCursor":null`) })
		if summary := b.mustPull(); summary.Duplicate > b.readTwice(150) {
			b.t.Errorf("%+v", summary.Counts)
		}
	})
	inBubble(t, "", byTime(), func(b *bench) {
		real := b.opts.Transport
		b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("cursor") != "" {
				return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"code":"CURSOR_EXPIRED"}`))}, nil
			}
			return real.RoundTrip(r)
		})
		if summary := b.mustPull(); summary.Duplicate > b.readTwice(150) {
			b.t.Errorf("%+v", summary.Counts)
		}
	})
}

// A window without a committed page is not kept.
func TestWindowNeverBegun(t *testing.T) {
	refused := func(b *bench) {
		b.t.Helper()
		real := b.opts.Transport
		b.opts.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 401, Header: http.Header{}, Body: http.NoBody}, nil
		})
		if _, err := b.pull(); err == nil {
			b.t.Fatal("the key was not refused")
		}
		b.opts.Transport = real
	}
	inBubble(t, "from, later", mockserver.Options{}, func(b *bench) {
		refused(b)
		border := model.InstantOf(b.server.Dataset().Event(700).Time())
		b.opts.From = sql.Null[model.Instant]{V: border, Valid: true}
		b.pullWithin(border)
	})
	inBubble(t, "from, no longer", mockserver.Options{}, func(b *bench) {
		b.opts.From = sql.Null[model.Instant]{V: model.InstantOf(b.server.Dataset().Event(700).Time()), Valid: true}
		refused(b)
		b.opts.From.Valid = false
		b.mustPull()
	})
	late := mockserver.Options{Data: mockserver.DataOptions{Events: 2000, LateEvery: 500, LateWithin: 1000}}
	inBubble(t, "lookback", late, func(b *bench) {
		if _, err := b.pull(); err != nil {
			b.t.Fatal(err)
		}
		refused(b)
		b.server.Dataset().Reveal()
		b.opts.Lookback = 31 * 24 * time.Hour
		b.mustPull()
	})
}

// Walking a part of a file again leaves the rest as complete as before.
func TestRestartFrom(t *testing.T) {
	inBubble(t, "", mockserver.Options{}, func(b *bench) {
		b.stopAfter(900)
		at := func(n int) sql.Null[model.Instant] {
			return sql.Null[model.Instant]{V: model.InstantOf(b.server.Dataset().Event(n).Time()), Valid: true}
		}
		// The rest of the interrupted pull is walked too.
		b.opts.Restart, b.opts.From = true, at(300)
		b.mustPull()
		if s := b.mustPull(); s.Stored != 0 || s.Returned > 500 {
			b.t.Errorf("%+v", s.Counts)
		}
		b.opts.Restart = false
		b.server.Dataset().Grow(10)
		b.mustPull()
		if !strings.Contains(strings.Join(b.notices, "\n"), "changes nothing") {
			b.t.Errorf("notices %q", b.notices)
		}
	})
}

// If events are known to be out of order, an event beyond the border is found.
func TestOutOfOrderAtTheBorder(t *testing.T) {
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 2000, SwapEvery: 100, SwapDistance: 1}}
	for border := 95; border < 105; border++ {
		inBubble(t, fmt.Sprint("from ", border), o, func(b *bench) {
			at := model.InstantOf(b.server.Dataset().Event(border).Time())
			b.opts.From = sql.Null[model.Instant]{V: at, Valid: true}
			b.pullWithin(at)
		})
	}
	o.Data.SwapDistance = 30
	inBubble(t, "later", o, func(b *bench) {
		b.mustPull()
		for range 5 {
			b.server.Dataset().Grow(61)
			b.opts.Lookback = 0
			b.mustPull()
		}
	})
}

// A time bound that failed once is tried again at a later page.
func TestTimeBoundIsRetriedLater(t *testing.T) {
	o := byTime()
	o.Cursor.Life = 0
	o.Scripts = []mockserver.Script{
		{Endpoint: mockserver.Events, Request: 5, Faults: []mockserver.Fault{mockserver.Repeat(2, mockserver.CursorExpired())}},
		{Endpoint: mockserver.Feed, Request: 1, Faults: []mockserver.Fault{mockserver.Status(400)}},
		{Endpoint: mockserver.Events, Request: 18, Faults: []mockserver.Fault{mockserver.Repeat(2, mockserver.CursorExpired())}},
	}
	withOneWalk(t, "", o, func(b *bench) {
		b.opts.Trace = func(api.Exchange) {} // otherwise it says only once that it resumes by time
		b.mustPull()
		if len(b.notices) != 3 || !strings.Contains(b.notices[1], "restarting from") || !strings.Contains(b.notices[2], "by the time") {
			b.t.Errorf("notices %q", b.notices)
		}
	})
}

// The same command resumes an interrupted restart.
func TestInterruptedRestartResumes(t *testing.T) {
	inBubble(t, "", mockserver.Options{}, func(b *bench) {
		b.mustPull()
		b.opts.Restart = true
		for range 3 {
			b.stopAfter(600)
		}
		before := b.pages()
		b.mustPull()
		// Of the requests after which several walks were stopped some brought nothing.
		if read := b.pages() - before; b.opts.Workers == 1 && read > 6 {
			b.t.Errorf("%d pages for the last 200 events", read)
		}
		windows, err := b.store.Windows(b.t.Context())
		if windows = slices.CompactFunc(windows, func(x, y model.Checkpoint) bool { return x.Whole == y.Whole }); err != nil || len(windows) != 3 {
			b.t.Errorf("%+v, %v", windows, err)
		}
	})
}

// After a pause, all cursors have expired; the pull walks again and is exact.
func TestPullAfterCursorsExpired(t *testing.T) {
	for _, signed := range []bool{false, true} {
		o := mockserver.Options{Cursor: mockserver.Cursors{Life: 2 * time.Minute, Signed: signed}, Data: mockserver.DataOptions{Events: 2000, DirtyEvery: 9}}
		inBubble(t, "", o, func(b *bench) {
			b.stopAfter(800)
			pass(10 * time.Minute)
			summary := b.mustPull()
			if summary.Duplicate == 0 || len(b.notices) < 2 || !strings.Contains(b.notices[1], "restarting from") {
				b.t.Errorf("%+v; notices %q", summary.Counts, b.notices)
			}
		})
	}
}

// After a pause in which all cursors expired, the walk resumes at its position if the feed honours until. The result is
// exact in any case.
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
		once   bool // stored events are not walked again
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
					// In some of 1,000 runs one walk is lost, and the window is walked again.
					return
				}
				// The lookback of the new window is read again, too.
				if limit := b.readTwice(500); tc.once && summary.Duplicate > limit || !tc.once && summary.Duplicate < min(before, 500) {
					b.t.Errorf("%d of %d stored events read again; notices %q", summary.Duplicate, before, b.notices)
				}
			})
		}
	}
}

// An anchor that the API no longer has proves nothing.
func TestResumeByTimeWithoutItsAnchor(t *testing.T) {
	o := mockserver.Options{Feed: mockserver.Pages{Until: mockserver.Inclusive}, Cursor: mockserver.Cursors{Life: time.Minute}}
	// The anchor is only known with one walk.
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
				// Another event replaces it.
				text := strings.Replace(string(body), anchor, "00000000-0000-4000-8000-000000000000", 1)
				resp.Body, err = io.NopCloser(strings.NewReader(text)), errRead
			}
			return resp, err
		})
		b.mustPull()
		if len(b.notices) != 2 || !strings.Contains(b.notices[1], "does not continue the walk") {
			b.t.Errorf("notices %q", b.notices)
		}
	})
}

// A walk that began again at the top and was stopped there leaves no gap.
func TestNoGapAfterAStoppedRestart(t *testing.T) {
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
