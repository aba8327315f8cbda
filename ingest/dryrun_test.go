package ingest_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/dryrun"
	"datasync/internal/dbfile"
	"datasync/internal/model"
	"datasync/mockserver"
)

// survey runs a survey and checks its promises: at most ten requests, none that violates a limit, and no stored event.
func (b *bench) survey() (dryrun.Findings, error) {
	b.t.Helper()
	before := b.sent()
	stored := len(b.store.Events())
	found, err := dryrun.Run(b.t.Context(), b.opts, b.store, nil)
	sent := b.sent() - before
	if sent > dryrun.MaxRequests || int64(sent) != found.Requests && err == nil {
		b.t.Errorf("%d requests were sent, and it says %d", sent, found.Requests)
	}
	if err := b.server.Verify(); err != nil {
		b.t.Error(err)
	}
	if len(b.store.Events()) != stored || len(b.store.Runs()) != 0 {
		b.t.Error("it stored something")
	}
	return found, err
}

func (b *bench) mustSurvey() dryrun.Findings {
	b.t.Helper()
	found, err := b.survey()
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

func (b *bench) sent() int {
	s := b.server.Stats()
	return s.Events.Requests + s.Feed.Requests + s.StreamAccess.Requests + s.Unknown
}

func yes() sql.Null[bool] { return sql.Null[bool]{V: true, Valid: true} }
func no() sql.Null[bool]  { return sql.Null[bool]{Valid: true} }

func TestSurvey(t *testing.T) {
	observed := mockserver.Observed()
	observed.Data.Events = 3_000_000
	ignored := mockserver.Observed()
	ignored.Data.Events, ignored.Feed.Until = 100_000, mockserver.Ignored
	inclusive := mockserver.Observed()
	inclusive.Data.Events, inclusive.Feed.Until = 100_000, mockserver.Inclusive
	refused := scripted(mockserver.Feed, 2, mockserver.Status(400))
	dirty := mockserver.Options{Data: mockserver.DataOptions{Events: 2000, DirtyEvery: 7, TieSize: 40, TieEvery: 300}, Feed: mockserver.Pages{Until: mockserver.Exclusive}}
	swapped := mockserver.Options{Data: mockserver.DataOptions{Events: 2000, SwapEvery: 50, SwapDistance: 30}}
	closedFeed := mockserver.Options{Access: mockserver.Access{RefuseScripts: true}}
	closedFeed.Scripts = []mockserver.Script{{Endpoint: mockserver.StreamAccess, Faults: []mockserver.Fault{mockserver.DashboardRequired()}}}
	for _, tc := range []struct {
		name         string
		opts         mockserver.Options
		events, feed int // on a page; -1 where the endpoint cannot be used
		total        int64
		until        sql.Null[bool]
		limit        int
		pages        int64
	}{
		{"contract", mockserver.Contract(), 2000, 2000, 2000, no(), 0, 1},
		{"observed", observed, 5000, 5000, 3_000_000, yes(), 10, 600},
		{"plain", mockserver.Options{}, 100, 50, 2000, no(), 0, 20},
		{"until ignored", ignored, 5000, 5000, 100_000, no(), 10, 20},
		{"until inclusive", inclusive, 5000, 5000, 100_000, yes(), 10, 20},
		{"until refused", refused, 100, 50, 2000, no(), 0, 20},
		{"no feed", closedFeed, 100, -1, 2000, sql.Null[bool]{}, 0, 20},
		{"dirty events and ties", dirty, 100, 50, 2000, yes(), 0, 20},
		{"out of order", swapped, 100, 50, 2000, sql.Null[bool]{}, 0, 20},
		{"an empty API", mockserver.Options{Data: mockserver.DataOptions{Events: mockserver.NoEvents}}, 0, 0, 0, sql.Null[bool]{}, 0, 1},
		{"one event", mockserver.Options{Data: mockserver.DataOptions{Events: 1}}, 1, 1, 1, sql.Null[bool]{}, 0, 1},
		{"a bad first answer", scripted(mockserver.Events, 1, mockserver.Status(503), mockserver.Truncate(300)), 100, 50, 2000, no(), 0, 20},
	} {
		inBubble(t, tc.name, tc.opts, func(b *bench) {
			f := b.mustSurvey()
			page := func(e dryrun.EndpointFindings) int {
				if !e.Usable {
					return -1
				}
				return e.Page
			}
			if page(f.Events) != tc.events || page(f.Feed) != tc.feed {
				b.t.Errorf("pages of %d and %d (%s), want %d and %d", page(f.Events), page(f.Feed), f.Feed.Why, tc.events, tc.feed)
			}
			if !f.Total.Valid || f.Total.V != tc.total || f.Until != tc.until || f.Events.Limit != tc.limit || len(f.NotBefore) != 0 {
				b.t.Errorf("total %v, until %v, limit %d, not before %v", f.Total, f.Until, f.Events.Limit, f.NotBefore)
			}
			if f.Forecast == nil || f.Forecast.Elements != tc.total || f.Forecast.Pages != tc.pages {
				b.t.Errorf("forecast %+v", f.Forecast)
			}
			b.knowsOldest(f)
		})
	}
}

// knowsOldest checks that the reported time of the oldest event, if any, is about right.
func (b *bench) knowsOldest(f dryrun.Findings) {
	b.t.Helper()
	data := b.server.Dataset()
	if f.Until.V != f.Oldest.Valid && !f.Events.Last {
		b.t.Errorf("until %v, but the oldest %v", f.Until, f.Oldest)
	}
	if !f.Oldest.Valid {
		return
	}
	newest, oldest := data.Event(0).Time(), data.Event(data.Len()-1).Time()
	if off := f.Oldest.V.Time().Sub(oldest); off < 0 || off > newest.Sub(oldest)/10 {
		b.t.Errorf("the oldest event is off by %v of %v", off, newest.Sub(oldest))
	}
}

// For the observed service, the estimated times and lifetimes are right.
func TestSurveyEstimates(t *testing.T) {
	o := mockserver.Observed()
	o.Data.Events = 300_000
	inBubble(t, "observed", o, func(b *bench) {
		b.opts.Workers = 8
		f := b.mustSurvey()
		if f.CursorLife != 119*time.Second || f.TokenLife != 300*time.Second || f.Events.Window != time.Minute || f.Events.Took != 4500*time.Millisecond {
			b.t.Errorf("%+v", f)
		}
		estimate := *f.Forecast
		if estimate.Known || estimate.Walks != 8 || !estimate.Concurrent.Valid || estimate.Expected != estimate.Concurrent.V || estimate.Concurrent.V >= estimate.Sequential || estimate.Requests <= estimate.Pages {
			b.t.Errorf("%+v", estimate)
		}
		pass(time.Minute)
		b.opts.Workers = 1
		before := b.sent()
		summary := b.mustPull()
		sent := int64(b.sent() - before)
		if ratio := float64(summary.Took) / float64(estimate.Sequential); ratio < 0.9 || ratio > 1.1 {
			b.t.Errorf("it took %v, estimated %v", summary.Took, estimate.Sequential)
		}
		if sent < estimate.Pages || sent > estimate.Requests+5 {
			b.t.Errorf("%d requests, estimated %d for %d pages", sent, estimate.Requests, estimate.Pages)
		}
	})
	// A page from a cache tells nothing of how long the next one takes.
	inBubble(t, "cached", o, func(b *bench) {
		b.opts.Workers = 1
		first := b.mustSurvey()
		for range 2 {
			if f := b.mustSurvey(); f.Forecast.Sequential < first.Forecast.Sequential*9/10 {
				b.t.Errorf("%v, and first %v: %+v", f.Forecast.Sequential, first.Forecast.Sequential, f.Events)
			}
		}
	})
}

// A survey does not wait after a 429: it reports it, and stores it for the next run.
func TestSurveyIsLimited(t *testing.T) {
	const events, feed, access, all = mockserver.Events, mockserver.Feed, mockserver.StreamAccess, mockserver.Any
	limited := mockserver.RateLimited(20 * time.Second)
	both := mockserver.Options{Scripts: []mockserver.Script{
		{Endpoint: events, Faults: []mockserver.Fault{limited}}, {Endpoint: feed, Faults: []mockserver.Fault{mockserver.RateLimited(10 * time.Second)}}}}
	for _, tc := range []struct {
		name     string
		opts     mockserver.Options
		requests int64
		closed   string // endpoints
		err      error
	}{
		{"events", scripted(events, 1, limited), 4, "events", nil},
		{"events without a wait", scripted(events, 1, mockserver.RateLimitedRaw("soon", "{}", 0)), 4, "events", nil},
		{"events by a 503", scripted(events, 1, mockserver.StatusAfter(503, 20*time.Second)), 4, "events", nil},
		{"the feed", scripted(feed, 1, limited), 3, "feed", nil},
		{"the feed, by time", scripted(feed, 2, limited), 4, "feed", nil},
		{"access", scripted(access, 1, limited), 2, "stream-access", nil},
		{"both", both, 3, "events feed", dryrun.ErrNotNow},
		{"everything", scripted(all, 1, mockserver.Repeat(2, limited)), 2, "events stream-access", dryrun.ErrNotNow},
	} {
		inBubble(t, tc.name, tc.opts, func(b *bench) {
			began := time.Now()
			f, err := b.survey()
			if !errors.Is(err, tc.err) || f.Requests != tc.requests || time.Since(began) > time.Second {
				b.t.Errorf("%v after %d requests and %v, want %v after %d", err, f.Requests, time.Since(began), tc.err, tc.requests)
			}
			kept, errKept := b.store.NotBefore(b.t.Context())
			if errKept != nil {
				b.t.Fatal(errKept)
			}
			for _, endpoint := range strings.Fields(tc.closed) {
				if !f.NotBefore[endpoint].After(began) || !kept[endpoint].Equal(f.NotBefore[endpoint]) {
					b.t.Errorf("%s: reported %v, stored %v", endpoint, f.NotBefore, kept)
				}
			}
			if len(f.NotBefore) != len(strings.Fields(tc.closed)) {
				b.t.Errorf("not before: %v", f.NotBefore)
			}
			// Again at once: no endpoint is called during its wait. The pull honours it, too.
			again, err := b.survey()
			if (err == nil) != (tc.err == nil) || err != nil && again.Requests > 1 {
				b.t.Errorf("again: %v after %d requests", err, again.Requests)
			}
			b.mustPull()
		})
	}
}

func TestSurveyFails(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts mockserver.Options
		want error
	}{
		{"key refused", mockserver.Options{Key: "another"}, api.ErrKeyRefused},
		{"redirect", scripted(mockserver.Events, 1, mockserver.Redirect("http://evil.test/")), api.ErrRedirected},
		{"failing", scripted(mockserver.Any, 1, mockserver.Repeat(mockserver.Forever, mockserver.Status(503))), nil},
		{"hanging", scripted(mockserver.Any, 1, mockserver.Repeat(mockserver.Forever, mockserver.Hang())), nil},
		{"no page", scripted(mockserver.Any, 1, mockserver.Repeat(mockserver.Forever, mockserver.HTML())), nil},
	} {
		inBubble(t, tc.name, tc.opts, func(b *bench) {
			began := time.Now()
			_, err := b.survey()
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) || strings.Contains(err.Error(), "ds_test_key") {
				b.t.Errorf("%v, want %v", err, tc.want)
			}
			if took := time.Since(began); took > b.opts.MaxRetryTime+2*time.Minute {
				b.t.Errorf("it took %v", took)
			}
		})
	}
	inBubble(t, "stopped", mockserver.Options{}, func(b *bench) {
		ctx, cancel := context.WithCancel(b.t.Context())
		real := b.opts.Transport
		b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/feed") {
				cancel()
			}
			return real.RoundTrip(r)
		})
		if _, err := dryrun.Run(ctx, b.opts, b.store, nil); !errors.Is(err, context.Canceled) {
			b.t.Error(err)
		}
	})
	inBubble(t, "a wait that cannot be kept", scripted(mockserver.Feed, 1, mockserver.RateLimited(time.Minute)), func(b *bench) {
		full := &model.FileError{Kind: dbfile.ErrFull}
		b.store.Fail = func(operation string) error {
			if operation == "SetNotBefore" {
				return full
			}
			return nil
		}
		if _, err := b.survey(); !errors.Is(err, dbfile.ErrFull) {
			b.t.Error(err)
		}
	})
}

// The estimate leaves out events that the file has, unless they must be read again.
func TestSurveyOfAFile(t *testing.T) {
	begun := func(t *testing.T, until mockserver.Bound) *bench {
		b := newBench(t, mockserver.Options{Feed: mockserver.Pages{Until: until}})
		b.stopAfter(800)
		return b
	}
	left := func(b *bench) *dryrun.Forecast {
		f, err := dryrun.Run(b.t.Context(), b.opts, b.store, nil)
		if err != nil || f.Held != int64(len(b.store.Events())) {
			b.t.Fatalf("%v; %d held", err, f.Held)
		}
		return f.Forecast
	}
	synctest.Test(t, func(t *testing.T) {
		b := begun(t, mockserver.Exclusive)
		rest := 2000 - int64(len(b.store.Events()))
		pass(time.Hour)
		if f := left(b); f.Again || f.Elements != rest || f.New != rest || f.Pages != rest/100 {
			t.Errorf("%+v, want %d", f, rest)
		}
		b.opts.Restart = true
		if f := left(b); f.Elements != 2000 || f.New != rest {
			t.Errorf("again: %+v", f)
		}
		b.opts.Restart = false
		b.mustPull()
		if f := left(b); f.Elements != 0 || f.Pages != 1 {
			t.Errorf("nothing is left: %+v", f)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := begun(t, mockserver.Ignored)
		if f := left(b); f.Again || f.Elements >= 2000 {
			t.Errorf("a cursor that lives: %+v", f)
		}
		pass(time.Hour)
		if f := left(b); !f.Again || f.Elements != 2000 || f.New >= 2000 {
			t.Errorf("an expired cursor: %+v", f)
		}
	})
}

// A pull with a start bound takes its share of the time.
func TestSurveyFrom(t *testing.T) {
	for _, until := range []mockserver.Bound{mockserver.Ignored, mockserver.Exclusive} {
		inBubble(t, "", mockserver.Options{Feed: mockserver.Pages{Until: until}}, func(b *bench) {
			at := b.server.Dataset().Event(500).Time()
			b.opts.From = sql.Null[model.Instant]{V: model.InstantOf(at), Valid: true}
			if f := b.mustSurvey().Forecast; f.Elements < 400 || f.Elements > 600 {
				b.t.Errorf("%+v, want about 500", f)
			}
			b.opts.From.V = model.InstantOf(b.opts.Now())
			if f := b.mustSurvey().Forecast; f.Elements != 0 {
				b.t.Errorf("%+v, want none", f)
			}
		})
	}
}
