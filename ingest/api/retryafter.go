package api

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"datasync/internal/model"
)

// longestWait is the longest wait that is believed. What names a longer one names none: the
// number was meant otherwise, or is nonsense.
const longestWait = model.LongestWait

// askedWait returns the wait that an answer names, and whether it names a plausible one.
// Retry-After (RFC 9110, section 10.2.3) outranks all other places. Without a plausible one
// the longest of these counts: rateLimit.retryAfter, retryAfter and rateLimit.reset of the
// body, and, on a 429, X-RateLimit-Reset. The members may be written in any case, and their
// numbers in quotes. How a value is read says plausibleWait.
func askedWait(status int, header http.Header, body []byte, now time.Time) (time.Duration, bool) {
	sent := sentAt(header, now)
	if wait, named := longestOf(header.Values("Retry-After"), sent); named {
		return wait, true
	}
	others := bodyWaits(body)
	if status == http.StatusTooManyRequests {
		others = append(others, header.Values("X-RateLimit-Reset")...)
	}
	return longestOf(others, sent)
}

// sentAt is when an answer was sent: by its own Date, as our clock need not be the server's;
// by our clock where it has none.
func sentAt(header http.Header, now time.Time) time.Time {
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		return sent
	}
	return now
}

// bodyWaits returns the values of the members of a body that may name a wait.
func bodyWaits(body []byte) (texts []string) {
	values := membersCalled(body, "retryAfter")
	for _, limit := range membersCalled(body, "rateLimit") {
		values = slices.Concat(values, membersCalled(limit, "retryAfter"), membersCalled(limit, "reset"))
	}
	for _, raw := range values {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		texts = append(texts, text)
	}
	return texts
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

// longestOf returns the longest plausible wait of an answer that was sent then, and whether
// there is one.
func longestOf(texts []string, sent time.Time) (longest time.Duration, named bool) {
	for _, text := range texts {
		if wait, ok := plausibleWait(text, sent); ok {
			longest, named = max(longest, wait), true
		}
	}
	return longest, named
}

// instantUnits are the units in which a number may count since 1970, as how many of them are a
// second: seconds, milliseconds, microseconds and nanoseconds.
var instantUnits = [...]float64{1, 1e3, 1e6, 1e9}

// plausibleWait reads a wait of at most longestWait: a number of seconds, zero among them, or
// the instant at which it ends, as an HTTP date, an RFC 3339 time or a number since 1970. A
// number is an instant where it is too large for a span and, in one of instantUnits, lies
// within longestWait after sent, when the answer was sent. What is negative, longer, past or
// nothing of all that is no wait.
func plausibleWait(text string, sent time.Time) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	n, ok := nonNegative(text)
	if !ok {
		until, err := parseTime(text)
		if wait := until.Sub(sent); err == nil && wait >= 0 && wait <= longestWait {
			return wait, true
		}
		return 0, false
	}
	if n <= longestWait.Seconds() {
		return time.Duration(math.Ceil(n * float64(time.Second))), true
	}
	since := float64(sent.Unix()) + float64(sent.Nanosecond())/1e9
	for _, perSecond := range instantUnits {
		if left := n/perSecond - since; left >= 0 && left <= longestWait.Seconds() {
			return time.Duration(math.Ceil(left * float64(time.Second))), true
		}
	}
	return 0, false
}

// nonNegative reads a decimal number that is not negative; one past all floats is infinite.
func nonNegative(text string) (float64, bool) {
	if text == "" || text[0] == '-' || strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, n >= 0 && (err == nil || math.IsInf(n, 1))
}

func parseTime(text string) (time.Time, error) {
	if at, err := http.ParseTime(text); err == nil {
		return at, nil
	}
	return time.Parse(time.RFC3339, text)
}

// RateLimit is what the headers of an answer say of a rate limit: so many requests a
// window, of which some remain until it ends. Its zero value says nothing.
type RateLimit struct {
	Requests, Remaining int // remaining is -1 where it is not said
	Reset               time.Duration
	// Wait is a Retry-After, which an answer with a page may have too.
	Wait time.Duration
}

// readStated reads X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset, the last
// in seconds left or as the instant at which the window ends.
func readStated(header http.Header, now time.Time) RateLimit {
	wait, _ := askedWait(http.StatusOK, header, nil, now)
	limit, ok := countText(header.Get("X-RateLimit-Limit"))
	if !ok || limit == 0 {
		return RateLimit{Wait: wait}
	}
	s := RateLimit{Requests: limit, Remaining: -1, Wait: wait}
	if remaining, ok := countText(header.Get("X-RateLimit-Remaining")); ok {
		s.Remaining = min(remaining, limit)
	}
	s.Reset, _ = plausibleWait(header.Get("X-RateLimit-Reset"), sentAt(header, now))
	return s
}

// countText reads a number of requests.
func countText(text string) (int, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	return int(n), err == nil
}
