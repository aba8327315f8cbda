package ingest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"datasync/mockserver"
)

// limitedOnce answers the third request to the events endpoint and the first to the feed with a 429, which answer
// completes. Sent is the answer's Date.
func limitedOnce(b *bench, answer func(sent time.Time, header http.Header) (body string)) {
	events, feed := 0, 0
	real := b.opts.Transport
	b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		limited := false
		switch {
		case strings.HasSuffix(r.URL.Path, "/feed"):
			feed++
			limited = feed == 1
		case strings.HasSuffix(r.URL.Path, "/events"):
			events++
			limited = events == 3
		}
		if !limited {
			return real.RoundTrip(r)
		}
		// Neither our clock.
		sent := time.Now().Add(-7 * time.Hour).UTC()
		header := http.Header{"Date": {sent.Format(http.TimeFormat)}}
		body := answer(sent, header)
		return &http.Response{StatusCode: 429, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})
}

// A number that can only be an instant is one, wherever it is. A past instant, or one more than a day ahead, is not a
// wait.
func TestWaitsThatAreInstants(t *testing.T) {
	const wait, none = 40 * time.Second, -1
	header := func(name, value string) func(time.Time, http.Header) string {
		return func(sent time.Time, h http.Header) string {
			h.Set(name, value)
			return "{}"
		}
	}
	at := func(name string, ahead, unit time.Duration) func(time.Time, http.Header) string {
		return func(sent time.Time, h http.Header) string {
			text := fmt.Sprint(sent.Add(ahead).UnixNano() / int64(unit))
			if strings.Contains(name, "%s") {
				return fmt.Sprintf(name, text)
			}
			h.Set(name, text)
			return "{}"
		}
	}
	for _, tc := range []struct {
		name   string
		answer func(sent time.Time, header http.Header) string
		want   time.Duration
	}{
		{"X-RateLimit-Reset in seconds", at("X-RateLimit-Reset", wait, time.Second), wait},
		{"X-RateLimit-Reset in milliseconds", at("X-RateLimit-Reset", wait, time.Millisecond), wait},
		{"Retry-After in seconds", at("Retry-After", wait, time.Second), wait},
		{"rateLimit.reset", at(`{"rateLimit":{"reset":%s}}`, wait, time.Second), wait},
		{"rateLimit.retryAfter in quotes", at(`{"RATELIMIT":{"RetryAfter":"%s"}}`, wait, time.Millisecond), wait},
		{"retryAfter at the top level", at(`{"retryAfter":%s}`, wait, time.Second), wait},
		{"a span at the top level", func(time.Time, http.Header) string { return `{"retryAfter":"40"}` }, wait},
		{"an instant that is past", at("X-RateLimit-Reset", -time.Minute, time.Second), none},
		{"an instant that is far", at("X-RateLimit-Reset", 25*time.Hour, time.Second), none},
		{"a span of years", header("Retry-After", "500000000"), none},
		{"a date that is far", header("Retry-After", "Thu, 01 Jan 2099 00:00:00 GMT"), none},
		{"a date that is past", header("Retry-After", "Thu, 01 Jan 1998 00:00:00 GMT"), none},
	} {
		withOneWalk(t, tc.name, mockserver.Options{}, func(b *bench) {
			limitedOnce(b, tc.answer)
			summary := b.mustPull()
			// The default of a 429 that names none is five seconds.
			least, most := tc.want, tc.want+2*time.Second
			if tc.want == none {
				least, most = 5*time.Second, 6*time.Second
			}
			if summary.Waited < least || summary.Waited > most {
				b.t.Errorf("waited %v, want %v to %v; notices %q", summary.Waited, least, most, b.notices)
			}
			kept, err := b.store.NotBefore(b.t.Context())
			for endpoint, until := range kept {
				// The pull ends as soon as one of them has given the last page.
				if err != nil || until.After(time.Now().Add(2*time.Second)) {
					b.t.Errorf("%s is closed until %v, %v", endpoint, until, err)
				}
			}
		})
	}
}

// A notice reports once that the events endpoint is rate-limited for long while the feed serves.
func TestFeedServesForLong(t *testing.T) {
	inBubble(t, "an hour", scripted(mockserver.Events, 3, mockserver.RateLimited(time.Hour)), func(b *bench) {
		b.mustPull()
		if n := strings.Count(strings.Join(b.notices, "\n"), "the events endpoint asked for a wait until 2000-01-01T01:"); n != 1 {
			b.t.Errorf("%d notices: %q", n, b.notices)
		}
	})
	inBubble(t, "a minute", scripted(mockserver.Events, 3, mockserver.RateLimited(time.Minute)), func(b *bench) {
		b.mustPull()
		if strings.Contains(strings.Join(b.notices, "\n"), "asked for a wait") {
			b.t.Errorf("notices %q", b.notices)
		}
	})
}
