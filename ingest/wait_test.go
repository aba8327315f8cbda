package ingest

import (
	"net/http"
	"testing"
	"time"
)

func TestAskedWait(t *testing.T) {
	now := time.Date(2026, 1, 27, 12, 0, 0, 0, time.UTC)
	const date = "Tue, 27 Jan 2026 18:00:00 GMT"
	for _, tc := range []struct {
		name   string
		status int
		header map[string]string
		body   string
		want   time.Duration
		named  bool
	}{
		{"nothing", 429, nil, "", 0, false},
		{"seconds", 429, map[string]string{"Retry-After": "28"}, "", 28 * time.Second, true},
		{"a date from the answer's own clock", 429, map[string]string{"Retry-After": "Tue, 27 Jan 2026 18:00:30 GMT", "Date": date}, "", 30 * time.Second, true},
		{"a date without a Date", 503, map[string]string{"Retry-After": "Tue, 27 Jan 2026 12:00:07 GMT"}, "", 7 * time.Second, true},
		{"a date in RFC 850", 429, map[string]string{"Retry-After": "Tuesday, 27-Jan-26 18:00:30 GMT", "Date": date}, "", 30 * time.Second, true},
		{"a date in asctime", 429, map[string]string{"Retry-After": "Tue Jan 27 18:00:30 2026", "Date": date}, "", 30 * time.Second, true},
		{"a past date", 429, map[string]string{"Retry-After": "Tue, 27 Jan 2026 17:00:00 GMT", "Date": date}, "", 0, true},
		{"retryAfter", 429, nil, `{"rateLimit":{"retryAfter":10}}`, 10 * time.Second, true},
		{"reset", 429, nil, `{"rateLimit":{"limit":10,"remaining":0,"reset":2.8}}`, 2800 * time.Millisecond, true},
		{"the longest of all", 429, map[string]string{"Retry-After": "5", "X-RateLimit-Reset": "7"}, `{"rateLimit":{"retryAfter":10,"reset":6}}`, 10 * time.Second, true},
		{"the header's reset on a 429", 429, map[string]string{"X-RateLimit-Reset": "7"}, "", 7 * time.Second, true},
		{"the header's reset on another status", 503, map[string]string{"X-RateLimit-Reset": "7"}, "", 0, false},
		{"a number in a string", 429, nil, `{"rateLimit":{"retryAfter":"10"}}`, 10 * time.Second, true},
		{"negative", 429, map[string]string{"Retry-After": "-1"}, `{"rateLimit":{"retryAfter":-1}}`, 0, false},
		{"not a number", 429, map[string]string{"Retry-After": "NaN"}, `{"rateLimit":{"retryAfter":"NaN"}}`, 0, false},
		{"null", 429, nil, `{"rateLimit":{"retryAfter":null}}`, 0, false},
		{"of another kind", 429, nil, `{"rateLimit":{"retryAfter":{"a":1},"reset":[3]}}`, 0, false},
		{"huge", 429, map[string]string{"Retry-After": "1e300"}, "", longestWait, true},
		{"beyond a float", 429, map[string]string{"Retry-After": "1e999"}, "", longestWait, true},
		{"long", 429, nil, `{"rateLimit":{"retryAfter":1e9}}`, 1e9 * time.Second, true},
		{"html", 429, map[string]string{"Retry-After": "3"}, "<html>", 3 * time.Second, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header := http.Header{}
			for k, v := range tc.header {
				header.Set(k, v)
			}
			wait, named := askedWait(tc.status, header, []byte(tc.body), now)
			if wait != tc.want || named != tc.named {
				t.Errorf("%v, %v; want %v, %v", wait, named, tc.want, tc.named)
			}
		})
	}
}

func FuzzAskedWait(f *testing.F) {
	f.Add("28", "7", `{"rateLimit":{"retryAfter":10}}`)
	f.Add("1e999", "-1", `{"rateLimit":{"reset":"NaN"}}`)
	f.Fuzz(func(t *testing.T, after, reset, body string) {
		header := http.Header{"Retry-After": {after}, "X-Ratelimit-Reset": {reset}}
		wait, named := askedWait(429, header, []byte(body), time.Unix(0, 0))
		if wait < 0 || wait > longestWait || wait > 0 && !named {
			t.Errorf("%v, %v", wait, named)
		}
	})
}
