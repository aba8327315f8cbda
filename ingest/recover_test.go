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

	"datasync/internal/model"
	"datasync/mockserver"
)

// byTime is an API that honours until, and whose cursors live for a minute.
func byTime() mockserver.Options {
	return mockserver.Options{
		Events: mockserver.Pages{Latency: answers}, Feed: mockserver.Pages{Until: mockserver.Inclusive, Latency: answers},
		Cursor: mockserver.Cursors{Life: time.Minute, Signed: true},
	}
}

// A feed that fails, or gives pages by time that lead nowhere, does not end a pull that
// can do without it.
func TestGoingOnByTimeIsNotTheOnlyWay(t *testing.T) {
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
		{"empty pages for ever", func(string) string {
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

// A page by time that brings nothing new and no cursor leads nowhere either.
func TestNothingButTiesByTime(t *testing.T) {
	o := byTime()
	o.Data = mockserver.DataOptions{Events: 2000, TieEvery: 300, TieSize: 250}
	cursor := regexp.MustCompile(`"nextCursor":"[^"]*"`)
	inBubble(t, "", o, func(b *bench) {
		b.rewritten(func(r *http.Request) bool { return r.URL.Query().Has("until") },
			func(body string) string { return cursor.ReplaceAllString(body, `"nextCursor":null`) })
		b.resumeWalkingAgain()
	})
}

// nowhere answers requests with cursors that begin so as if they had none.
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
	if summary := b.mustPull(); summary.Took > 5*time.Minute || !strings.Contains(strings.Join(b.notes, "\n"), "walking again") {
		b.t.Errorf("took %v; told %q", summary.Took, b.notes)
	}
}

// Where every cursor is dead as soon as it comes, or none comes with pages by time, the
// walk goes on by time, page by page.
func TestAllOfAPullByTime(t *testing.T) {
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

// A window that was opened and of which no page came is not kept to.
func TestAWindowThatWasNeverBegun(t *testing.T) {
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

// Walking a part of a file again leaves the rest as complete as it was.
func TestRestartFrom(t *testing.T) {
	inBubble(t, "", mockserver.Options{}, func(b *bench) {
		b.stopAfter(900)
		at := func(n int) sql.Null[model.Instant] {
			return sql.Null[model.Instant]{V: model.InstantOf(b.server.Dataset().Event(n).Time()), Valid: true}
		}
		// What the interrupted pull had left is walked too.
		b.opts.Restart, b.opts.From = true, at(300)
		b.mustPull()
		if s := b.mustPull(); s.Stored != 0 || s.Returned > 500 {
			b.t.Errorf("%+v", s.Counts)
		}
		b.opts.Restart = false
		b.server.Dataset().Grow(10)
		b.mustPull()
		if !strings.Contains(strings.Join(b.notes, "\n"), "changes nothing") {
			b.t.Errorf("told %q", b.notes)
		}
	})
}

// Where events are known to come out of order, one that stands behind the border is
// found.
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

// A way that failed once is tried again further down.
func TestTimeIsTriedAgainFurtherDown(t *testing.T) {
	o := byTime()
	o.Cursor.Life = 0
	o.Scripts = []mockserver.Script{
		{Endpoint: mockserver.Events, Request: 5, Faults: []mockserver.Fault{mockserver.Repeat(2, mockserver.CursorExpired())}},
		{Endpoint: mockserver.Feed, Request: 1, Faults: []mockserver.Fault{mockserver.Status(400)}},
		{Endpoint: mockserver.Events, Request: 18, Faults: []mockserver.Fault{mockserver.Repeat(2, mockserver.CursorExpired())}},
	}
	withOneWalk(t, "", o, func(b *bench) {
		b.mustPull()
		if len(b.notes) != 3 || !strings.Contains(b.notes[1], "walking again") || !strings.Contains(b.notes[2], "by the time") {
			b.t.Errorf("told %q", b.notes)
		}
	})
}

// The same command goes on with a restart that was interrupted.
func TestAnInterruptedRestartGoesOn(t *testing.T) {
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
