package ingest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"regexp"
	"strings"
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
		{"a number with a negative exponent", 429, nil, `{"rateLimit":{"retryAfter":1000e-2}}`, 10 * time.Second, true},
		{"minus zero", 429, map[string]string{"Retry-After": "-0"}, "", 0, false},
		{"a number that is spelled with escapes", 429, nil, `{"rateLimit":{"retryAfter":"\u0031\u0030"}}`, 10 * time.Second, true},
		{"members that differ by their capitals", 429, nil, `{"rateLimit":{"retryAfter":10,"RETRYAFTER":1},"RateLimit":{"reset":2}}`, 10 * time.Second, true},
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

// A reset that comes twice is kept for as long as the longer one says.
func TestAskedWaitOfSeveralHeaders(t *testing.T) {
	header := http.Header{"Retry-After": {"3", "5", "4"}, "X-Ratelimit-Reset": {"1", "9", "2"}}
	if wait, named := askedWait(429, header, nil, time.Now()); wait != 9*time.Second || !named {
		t.Errorf("%v, %v", wait, named)
	}
	if wait, named := askedWait(503, header, nil, time.Now()); wait != 5*time.Second || !named {
		t.Errorf("%v, %v", wait, named)
	}
}

// FuzzAskedWait: the wait is never shorter than any that the answer names, in a notation
// that the reference knows, and never negative or without end.
func FuzzAskedWait(f *testing.F) {
	f.Add(429, "28", "7", "", `{"rateLimit":{"retryAfter":10}}`)
	f.Add(503, "1e999", "-1", "Tue, 27 Jan 2026 18:00:00 GMT", `{"rateLimit":{"reset":"NaN"}}`)
	f.Fuzz(func(t *testing.T, status int, after, reset, date, body string) {
		header := http.Header{"Retry-After": {after}, "X-Ratelimit-Reset": {reset}, "Date": {date}}
		now := time.Date(2026, 1, 27, 12, 0, 0, 0, time.UTC)
		wait, named := askedWait(status, header, []byte(body), now)
		if wait < 0 || wait > longestWait || wait > 0 && !named {
			t.Fatalf("%v, %v", wait, named)
		}
		for _, least := range refWaits(status, after, reset, date, body, now) {
			if !named || wait < least {
				t.Errorf("%v, %v, but the answer names %v", wait, named, least)
			}
		}
		if stated := readStated(http.Header{"X-Ratelimit-Limit": {after}, "X-Ratelimit-Remaining": {date}, "X-Ratelimit-Reset": {reset}}, time.Now()); stated.limit < 0 ||
			stated.remaining < -1 || stated.remaining > stated.limit || stated.reset < 0 || stated.reset > longestWindow {
			t.Errorf("%+v", stated)
		}
	})
}

// refWaits returns all waits that an answer names, by another way.
func refWaits(status int, after, reset, date, body string, now time.Time) (waits []time.Duration) {
	texts := []string{after}
	if status == 429 {
		texts = append(texts, reset)
	}
	var answer map[string]any
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	if json.Valid([]byte(body)) && decoder.Decode(&answer) == nil {
		if limit, ok := answer["rateLimit"].(map[string]any); ok {
			texts = append(texts, fmt.Sprint(limit["retryAfter"]), fmt.Sprint(limit["reset"]))
		}
	}
	for _, text := range texts {
		if text = strings.Trim(text, " \t"); !refSeconds.MatchString(text) {
			continue
		}
		seconds, ok := refNumber(refValue(text))
		if !ok {
			continue
		}
		nanoseconds := seconds.Mul(seconds, big.NewRat(1e9, 1))
		least := longestWait
		if n := new(big.Int).Div(nanoseconds.Num(), nanoseconds.Denom()); n.Cmp(big.NewInt(int64(longestWait))) < 0 {
			// What is longer than three months is known to a microsecond.
			least = time.Duration(n.Int64())
			least -= least / 1e13
		}
		waits = append(waits, least)
	}
	for _, layout := range []string{http.TimeFormat, time.RFC850, time.ANSIC} {
		until, err := time.Parse(layout, after)
		if err != nil {
			continue
		}
		if sent, err := time.Parse(http.TimeFormat, date); err == nil {
			now = sent
		}
		waits = append(waits, min(max(until.Sub(now), 0), longestWait))
		break
	}
	return waits
}

var refSeconds = regexp.MustCompile(`^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)
