package ingest_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/mockserver"
)

// seenAt pulls, and returns the progress at a time after it sent the nth request.
func (b *bench) seenAt(nth int64, after time.Duration) ingest.Snapshot {
	b.t.Helper()
	b.opts.Progress = &ingest.Progress{}
	real, requests, seen := b.opts.Transport, atomic.Int64{}, make(chan ingest.Snapshot, 1)
	b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if requests.Add(1) == nth {
			time.AfterFunc(after, func() { seen <- b.opts.Progress.Now() })
		}
		return real.RoundTrip(r)
	})
	b.mustPull()
	if now := b.opts.Progress.Now(); len(now.Retries) > 0 || now.Stalled || now.Silent > 0 {
		b.t.Errorf("after the pull: %+v", now)
	}
	return <-seen
}

// While the API fails, the progress has the number of the retry, the failure, and the times of the retry and of
// giving up.
func TestProgressHasRetries(t *testing.T) {
	o := scripted(mockserver.Any, 1, mockserver.Repeat(9, mockserver.Status(503)))
	inBubble(t, "", o, func(b *bench) {
		s := b.seenAt(4, time.Millisecond)
		if len(s.Retries) == 0 || !s.Stalled {
			b.t.Fatalf("%+v", s)
		}
		r := s.Retries[0]
		if r.Number < 2 || r.Why != "503" || !strings.Contains(r.Error, " endpoint answered 503") || !r.GivesUp.After(r.Next) || r.GivesUp.Sub(s.Began) > b.opts.MaxRetryTime+time.Second {
			b.t.Errorf("%+v, began %s", r, s.Began)
		}
	})
}

// While a request hangs, the progress says how long no byte has arrived.
func TestProgressHasSilence(t *testing.T) {
	inBubble(t, "", scripted(mockserver.Any, 1, mockserver.Hang()), func(b *bench) {
		if s := b.seenAt(1, 20*time.Second); s.Silent != 20*time.Second || s.Endpoint != api.Events {
			b.t.Errorf("%+v", s)
		}
	})
	inBubble(t, "for a moment", scripted(mockserver.Any, 1, mockserver.Hang()), func(b *bench) {
		if s := b.seenAt(1, 9*time.Second); s.Silent != 0 {
			b.t.Errorf("%+v", s)
		}
	})
}

// While both endpoints ask for waits, the progress has both.
func TestProgressHasWaits(t *testing.T) {
	limited := []mockserver.Fault{mockserver.RateLimited(100 * time.Second)}
	o := mockserver.Options{Scripts: []mockserver.Script{
		{Endpoint: mockserver.Events, Request: 2, Faults: limited}, {Endpoint: mockserver.Feed, Request: 2, Faults: limited},
	}}
	inBubbleOf(t, "", 1, o, func(b *bench) {
		s := b.seenAt(5, 10*time.Second)
		var waits []string
		for _, w := range s.Waits {
			waits = append(waits, w.Endpoint+" "+w.Why)
			if left := w.Until.Sub(s.Began); left < 100*time.Second || left > 115*time.Second {
				b.t.Errorf("%s waits until %s after the beginning", w.Endpoint, left)
			}
		}
		if s.Waiting == "" || !slices.Equal(waits, []string{"events 429", "feed 429"}) {
			b.t.Errorf("%q, %+v", waits, s)
		}
	})
}

// Several walks that resume by time share a line, unless the user wants to see each request.
func TestResumedWalksShareALine(t *testing.T) {
	for _, all := range []bool{false, true} {
		o := shardable(mockserver.Exclusive)
		o.Cursor.Signed = true
		inBubbleOf(t, "", 4, o, func(b *bench) {
			if !b.stopAt(40) {
				b.t.Fatal("the pull was complete")
			}
			b.notices = nil
			pass(time.Hour)
			if all {
				b.opts.Trace = func(api.Exchange) {}
			}
			s := b.mustPull()
			lines := int64(0)
			for _, notice := range b.notices {
				if strings.Contains(notice, "resuming by the time of the last event") {
					lines++
				}
			}
			if n := s.Resumed["by the time of the last event"]; n < 2 || all && lines != n || !all && lines != 1 {
				b.t.Errorf("%d walks resumed, %d lines: %q", n, lines, b.notices)
			}
		})
	}
}

// JSON of another server ends the pull as soon as HTML does.
func TestOtherServersEndThePull(t *testing.T) {
	for _, body := range []string{"<html>", "{}", `{"status":"ok","data":{"id":1}}`, "[]", `{"error":"no route","code":"NOT_FOUND","message":"no"}`} {
		inBubble(t, body, mockserver.Options{}, func(b *bench) {
			b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
			})
			began := time.Now()
			if _, err := b.pull(); !errors.Is(err, api.ErrNoAPI) || time.Since(began) != 30*time.Second {
				b.t.Errorf("%v after %s", err, time.Since(began))
			}
		})
	}
}
