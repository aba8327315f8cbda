package ingest

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// longestWait bounds what an answer can ask for, so that no number it names can
// overflow a time.Duration: about a hundred years, which is for ever here.
const longestWait = 100 * 365 * 24 * time.Hour

// askedWait returns the longest of all the waits that an answer names, and
// whether it names one: Retry-After in seconds or as a date (RFC 9110, section
// 10.2.3; a date counts from the answer's own Date, as our clock need not be
// the server's), rateLimit.retryAfter and rateLimit.reset of the body in
// seconds, and, on a 429, X-RateLimit-Reset in seconds left. The members may be written
// in any case, and their numbers in quotes. What is no non-negative, finite number names
// nothing.
func askedWait(status int, header http.Header, body []byte, now time.Time) (time.Duration, bool) {
	var longest time.Duration
	named := false
	take := func(wait time.Duration, ok bool) {
		if ok {
			longest, named = max(longest, wait), true
		}
	}
	for _, v := range header.Values("Retry-After") {
		take(retryAfter(v, header.Get("Date"), now))
	}
	if status == http.StatusTooManyRequests {
		for _, v := range header.Values("X-RateLimit-Reset") {
			take(secondsText(v))
		}
	}
	for _, limit := range membersCalled(body, "rateLimit") {
		for _, raw := range slices.Concat(membersCalled(limit, "retryAfter"), membersCalled(limit, "reset")) {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw)
			}
			take(secondsText(text))
		}
	}
	return longest, named
}

// membersCalled returns the values of an object's members of that name, whichever of its
// letters are capitals; none where raw is no object.
func membersCalled(raw []byte, name string) (values []json.RawMessage) {
	var object map[string]json.RawMessage
	_ = json.Unmarshal(raw, &object)
	for k, v := range object {
		if strings.EqualFold(k, name) {
			values = append(values, v)
		}
	}
	return values
}

func retryAfter(value, date string, now time.Time) (time.Duration, bool) {
	if wait, ok := secondsText(value); ok {
		return wait, true
	}
	until, err := http.ParseTime(strings.TrimSpace(value))
	if err != nil {
		return 0, false
	}
	if sent, err := http.ParseTime(date); err == nil {
		now = sent
	}
	return min(max(until.Sub(now), 0), longestWait), true
}

// secondsText reads a non-negative decimal number of seconds.
func secondsText(text string) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if text == "" || text[0] == '-' || strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if math.IsNaN(seconds) || seconds < 0 || err != nil && !math.IsInf(seconds, 1) {
		return 0, false
	}
	if seconds >= longestWait.Seconds() {
		return longestWait, true
	}
	return time.Duration(math.Ceil(seconds * float64(time.Second))), true
}

// statedLimit is what the headers of an answer say of a rate limit: so many requests a
// window, of which some remain until it ends. Its zero value says nothing.
type statedLimit struct {
	limit, remaining int // remaining is -1 where it is not said
	reset            time.Duration
	// wait is a Retry-After, which an answer with a page may have too.
	wait time.Duration
}

// readStated reads X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset, the last
// in seconds left.
func readStated(header http.Header, now time.Time) statedLimit {
	wait, _ := askedWait(http.StatusOK, header, nil, now)
	limit, ok := countText(header.Get("X-RateLimit-Limit"))
	if !ok || limit == 0 {
		return statedLimit{wait: wait}
	}
	s := statedLimit{limit: limit, remaining: -1, wait: wait}
	if remaining, ok := countText(header.Get("X-RateLimit-Remaining")); ok {
		s.remaining = min(remaining, limit)
	}
	if s.reset, _ = secondsText(header.Get("X-RateLimit-Reset")); s.reset > longestWindow {
		s.reset = 0 // a point in time, or nonsense
	}
	return s
}

// longestWindow is how long a window of a rate limit may be to be believed.
const longestWindow = 24 * time.Hour

// countText reads a number of requests.
func countText(text string) (int, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	return int(n), err == nil
}
