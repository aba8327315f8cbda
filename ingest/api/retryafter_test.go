package api

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
		{"a past date", 429, map[string]string{"Retry-After": "Tue, 27 Jan 2026 17:00:00 GMT", "Date": date}, "", 0, false},
		{"the answer's own date", 429, map[string]string{"Retry-After": date, "Date": date}, "", 0, true},
		{"a date a day ahead", 429, map[string]string{"Retry-After": "Wed, 28 Jan 2026 18:00:00 GMT", "Date": date}, "", 24 * time.Hour, true},
		{"a date more than a day ahead", 429, map[string]string{"Retry-After": "Wed, 28 Jan 2026 18:00:01 GMT", "Date": date}, "", 0, false},
		{"a date in RFC 3339", 429, map[string]string{"Date": date}, `{"rateLimit":{"reset":"2026-01-27T19:00:09.5+01:00"}}`, 9500 * time.Millisecond, true},
		{"retryAfter", 429, nil, `{"rateLimit":{"retryAfter":10}}`, 10 * time.Second, true},
		{"reset", 429, nil, `{"rateLimit":{"limit":10,"remaining":0,"reset":2.8}}`, 2800 * time.Millisecond, true},
		{"retryAfter at the top level", 429, nil, `{"error":"Too Many Requests","retryAfter":17}`, 17 * time.Second, true},
		{"retryAfter at the top level, in other letters and quotes", 503, nil, `{"RetryAfter":"17"}`, 17 * time.Second, true},
		{"Retry-After before all others", 429, map[string]string{"Retry-After": "5", "X-RateLimit-Reset": "7"}, `{"retryAfter":11,"rateLimit":{"retryAfter":10,"reset":6}}`, 5 * time.Second, true},
		{"the longest of the others", 429, map[string]string{"Retry-After": "soon", "X-RateLimit-Reset": "7"}, `{"retryAfter":8,"rateLimit":{"retryAfter":10,"reset":6}}`, 10 * time.Second, true},
		{"the longest plausible one of the others", 429, map[string]string{"Retry-After": "90000", "X-RateLimit-Reset": "7"}, `{"retryAfter":-8,"rateLimit":{"retryAfter":1e7,"reset":6}}`, 7 * time.Second, true},
		{"zero is a wait", 429, map[string]string{"Retry-After": "0", "X-RateLimit-Reset": "7"}, "", 0, true},
		{"epoch seconds in Retry-After", 429, map[string]string{"Retry-After": "1769536842", "Date": date}, "", 42 * time.Second, true},
		{"epoch seconds in X-RateLimit-Reset", 429, map[string]string{"X-RateLimit-Reset": "1769536842", "Date": date}, "", 42 * time.Second, true},
		{"epoch seconds without a Date", 429, map[string]string{"X-RateLimit-Reset": "1769515201"}, "", time.Second, true},
		{"epoch seconds of long ago", 429, map[string]string{"X-RateLimit-Reset": "1769536799", "Date": date}, "", 0, false},
		{"epoch seconds of just now", 429, map[string]string{"X-RateLimit-Reset": "1769536800", "Date": date}, "", 0, true},
		{"epoch seconds of the day after tomorrow", 429, map[string]string{"X-RateLimit-Reset": "1769709600", "Date": date}, "", 0, false},
		{"epoch milliseconds", 429, map[string]string{"X-RateLimit-Reset": "1769536842250", "Date": date}, "", 42250 * time.Millisecond, true},
		{"epoch microseconds", 429, map[string]string{"Date": date}, `{"rateLimit":{"reset":1769536842250000}}`, 42250 * time.Millisecond, true},
		{"epoch seconds in the body", 429, map[string]string{"Date": date}, `{"rateLimit":{"reset":"1769536842.0"}}`, 42 * time.Second, true},
		{"epoch milliseconds in the body", 429, map[string]string{"Date": date}, `{"retryAfter":1769536842250}`, 42250 * time.Millisecond, true},
		{"epoch seconds beside a span", 429, map[string]string{"X-RateLimit-Reset": "1769536842", "Date": date}, `{"rateLimit":{"retryAfter":30}}`, 42 * time.Second, true},
		{"epoch seconds of a clock in 2000", 429, map[string]string{"X-RateLimit-Reset": "946684830", "Date": "Sat, 01 Jan 2000 00:00:00 GMT"}, "", 30 * time.Second, true},
		{"a day", 429, map[string]string{"Retry-After": "86400"}, "", 24 * time.Hour, true},
		{"more than a day", 429, map[string]string{"Retry-After": "86400.5"}, "", 0, false},
		{"the header's reset on a 429", 429, map[string]string{"X-RateLimit-Reset": "7"}, "", 7 * time.Second, true},
		{"the header's reset on another status", 503, map[string]string{"X-RateLimit-Reset": "7"}, "", 0, false},
		{"a number in a string", 429, nil, `{"rateLimit":{"retryAfter":"10"}}`, 10 * time.Second, true},
		{"negative", 429, map[string]string{"Retry-After": "-1"}, `{"rateLimit":{"retryAfter":-1}}`, 0, false},
		{"not a number", 429, map[string]string{"Retry-After": "NaN"}, `{"rateLimit":{"retryAfter":"NaN"}}`, 0, false},
		{"null", 429, nil, `{"rateLimit":{"retryAfter":null}}`, 0, false},
		{"of another kind", 429, nil, `{"rateLimit":{"retryAfter":{"a":1},"reset":[3]}}`, 0, false},
		{"huge", 429, map[string]string{"Retry-After": "1e300"}, "", 0, false},
		{"beyond a float", 429, map[string]string{"Retry-After": "1e999"}, "", 0, false},
		{"long", 429, nil, `{"rateLimit":{"retryAfter":1e9}}`, 0, false},
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
	if wait, named := askedWait(429, header, nil, time.Now()); wait != 5*time.Second || !named {
		t.Errorf("%v, %v", wait, named)
	}
	if wait, named := askedWait(503, header, nil, time.Now()); wait != 5*time.Second || !named {
		t.Errorf("%v, %v", wait, named)
	}
	header.Del("Retry-After")
	if wait, named := askedWait(429, header, nil, time.Now()); wait != 9*time.Second || !named {
		t.Errorf("%v, %v", wait, named)
	}
}

// A window ends at an instant, too, and one that is past or far says nothing.
func TestStatedReset(t *testing.T) {
	for reset, want := range map[string]time.Duration{
		"28": 28 * time.Second, "1769536828": 28 * time.Second, "1769536828500": 28500 * time.Millisecond,
		"1769530000": 0, "1999536828": 0, "90000": 0, "-1": 0, "soon": 0, "": 0,
	} {
		stated := readStated(http.Header{"X-Ratelimit-Limit": {"10"}, "X-Ratelimit-Remaining": {"3"}, "X-Ratelimit-Reset": {reset},
			"Date": {"Tue, 27 Jan 2026 18:00:00 GMT"}}, time.Now())
		if stated != (RateLimit{Requests: 10, Remaining: 3, Reset: want}) {
			t.Errorf("%q: %+v", reset, stated)
		}
	}
}

// FuzzAskedWait: the wait is what the reference makes of it, and never negative or longer
// than a day.
func FuzzAskedWait(f *testing.F) {
	f.Add(429, "28", "7", "", `{"rateLimit":{"retryAfter":10}}`)
	f.Add(503, "1e999", "-1", "Tue, 27 Jan 2026 18:00:00 GMT", `{"rateLimit":{"reset":"NaN"}}`)
	f.Add(429, "1769536842", "1769536842250", "Tue, 27 Jan 2026 18:00:00 GMT", `{"retryAfter":1769536842,"rateLimit":{"reset":"1769515242"}}`)
	f.Add(429, "2026-01-27T12:00:30Z", "86400", "", `{"retryAfter":"86401"}`)
	f.Fuzz(func(t *testing.T, status int, after, reset, date, body string) {
		header := http.Header{"Retry-After": {after}, "X-Ratelimit-Reset": {reset}, "Date": {date}}
		now := time.Date(2026, 1, 27, 12, 0, 0, 0, time.UTC)
		wait, named := askedWait(status, header, []byte(body), now)
		if wait < 0 || wait > longestWait || wait > 0 && !named {
			t.Fatalf("%v, %v", wait, named)
		}
		if sent, err := time.Parse(http.TimeFormat, date); err == nil {
			now = sent
		}
		first, ok := refWait(after, now)
		if !ok {
			for _, text := range refOtherWaits(status, reset, body) {
				if next, good := refWait(text, now); good {
					first, ok = max(first, next), true
				}
			}
		}
		if named != ok || (wait-first).Abs() > time.Millisecond {
			t.Errorf("%v, %v; the reference says %v, %v", wait, named, first, ok)
		}
		if stated := readStated(http.Header{"X-Ratelimit-Limit": {after}, "X-Ratelimit-Remaining": {date}, "X-Ratelimit-Reset": {reset}}, time.Now()); stated.Requests < 0 ||
			stated.Remaining < -1 || stated.Remaining > stated.Requests || stated.Reset < 0 || stated.Reset > longestWait {
			t.Errorf("%+v", stated)
		}
	})
}

// refOtherWaits returns what stands in all places but Retry-After.
func refOtherWaits(status int, reset, body string) (texts []string) {
	if status == 429 {
		texts = append(texts, reset)
	}
	var answer any
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	if !json.Valid([]byte(body)) || decoder.Decode(&answer) != nil {
		return texts
	}
	for name, value := range refMembers(answer) {
		switch strings.ToUpper(name) {
		case "RETRYAFTER":
			texts = append(texts, refText(value))
		case "RATELIMIT":
			for inner, value := range refMembers(value) {
				if inner = strings.ToUpper(inner); inner == "RETRYAFTER" || inner == "RESET" {
					texts = append(texts, refText(value))
				}
			}
		}
	}
	return texts
}

func refMembers(value any) map[string]any {
	object, _ := value.(map[string]any)
	return object
}

func refText(value any) string {
	switch value.(type) {
	case string, json.Number:
		return fmt.Sprint(value)
	}
	return ""
}

// refWait reads a wait by another way: exactly.
func refWait(text string, sent time.Time) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	const day = 24 * time.Hour
	if refSeconds.MatchString(text) {
		if text = strings.TrimPrefix(text, "+"); text[0] == '.' {
			text = "0" + text
		}
		n, ok := refSpan(text)
		if !ok {
			return 0, false
		}
		if n.Cmp(big.NewRat(86400, 1)) <= 0 {
			return refDuration(n), true
		}
		since := big.NewRat(sent.Unix(), 1)
		for _, unit := range []int64{1, 1e3, 1e6, 1e9} {
			left := new(big.Rat).Mul(n, big.NewRat(1, unit))
			if left.Sub(left, since).Sign() >= 0 && left.Cmp(big.NewRat(86400, 1)) <= 0 {
				return refDuration(left), true
			}
		}
		return 0, false
	}
	for _, layout := range []string{http.TimeFormat, time.RFC850, time.ANSIC, time.RFC3339} {
		if until, err := time.Parse(layout, text); err == nil {
			wait := until.Sub(sent)
			if wait < 0 || wait > day {
				return 0, false
			}
			return wait, true
		}
	}
	return 0, false
}

func refDuration(seconds *big.Rat) time.Duration {
	f, _ := seconds.Float64()
	return time.Duration(f * 1e9)
}

var refSeconds = regexp.MustCompile(`^\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$`)

// refSpan reads a number exactly. An exponent that makes it nothing, or more than any wait, is cut.
func refSpan(text string) (*big.Rat, bool) {
	mantissa, exponent, found := strings.Cut(strings.ToLower(text), "e")
	if e, ok := new(big.Int).SetString(exponent, 10); found && ok {
		if most := big.NewInt(int64(500 + len(text))); e.CmpAbs(most) > 0 {
			e = most.Mul(most, big.NewInt(int64(e.Sign())))
		}
		mantissa += "e" + e.String()
	}
	return new(big.Rat).SetString(mantissa)
}
