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

// maxWait is the longest wait that counts. A longer one is ignored: its number means something else,
// or is nonsense.
const maxWait = model.LongestWait

// requestedWait returns the wait that an answer names, and whether it names a plausible one.
// Retry-After (RFC 9110, section 10.2.3) takes precedence. Without a plausible one, the longest of
// these counts: rateLimit.retryAfter, retryAfter and rateLimit.reset of the body, and, on a 429,
// X-RateLimit-Reset. Names of members ignore case, and their numbers may be strings. See parseWait
// for the formats, and docs/answers.md.
func requestedWait(status int, header http.Header, body []byte, now time.Time) (time.Duration, bool) {
	sent := sentAt(header, now)
	if wait, named := longestWaitIn(header.Values("Retry-After"), sent); named {
		return wait, true
	}
	others := bodyWaits(body)
	if status == http.StatusTooManyRequests {
		others = append(others, header.Values("X-RateLimit-Reset")...)
	}
	return longestWaitIn(others, sent)
}

// sentAt returns when an answer was sent: its Date, since the server's clock may differ from ours, or
// now if it has none.
func sentAt(header http.Header, now time.Time) time.Time {
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		return sent
	}
	return now
}

// bodyWaits returns the values of the members of a body that may name a wait.
func bodyWaits(body []byte) (texts []string) {
	values := membersNamed(body, "retryAfter")
	for _, limit := range membersNamed(body, "rateLimit") {
		values = slices.Concat(values, membersNamed(limit, "retryAfter"), membersNamed(limit, "reset"))
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

// membersNamed returns the values of an object's members of that name in any case; none if raw is not
// an object.
func membersNamed(raw []byte, name string) (values []json.RawMessage) {
	var object map[string]json.RawMessage
	_ = json.Unmarshal(raw, &object)
	for k, v := range object {
		if strings.EqualFold(k, name) {
			values = append(values, v)
		}
	}
	return values
}

// longestWaitIn returns the longest plausible wait among texts of an answer, and whether there is one.
func longestWaitIn(texts []string, sent time.Time) (longest time.Duration, named bool) {
	for _, text := range texts {
		if wait, ok := parseWait(text, sent); ok {
			longest, named = max(longest, wait), true
		}
	}
	return longest, named
}

// instantUnits are the units in which a number may count since 1970, as units a second: seconds,
// milliseconds, microseconds and nanoseconds.
var instantUnits = [...]float64{1, 1e3, 1e6, 1e9}

// parseWait reads a wait of at most maxWait: a number of seconds (zero included), or the instant of its
// end as an HTTP date, an RFC 3339 time or a number since 1970. A number too large for a duration is
// an instant in one of instantUnits, at most maxWait after sent, the time of the answer.
// Anything negative, longer, or past is not a wait.
func parseWait(text string, sent time.Time) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	n, ok := nonNegative(text)
	if !ok {
		until, err := parseTime(text)
		if wait := until.Sub(sent); err == nil && wait >= 0 && wait <= maxWait {
			return wait, true
		}
		return 0, false
	}
	if n <= maxWait.Seconds() {
		return time.Duration(math.Ceil(n * float64(time.Second))), true
	}
	sentSeconds := float64(sent.Unix()) + float64(sent.Nanosecond())/1e9
	for _, perSecond := range instantUnits {
		if wait := n/perSecond - sentSeconds; wait >= 0 && wait <= maxWait.Seconds() {
			return time.Duration(math.Ceil(wait * float64(time.Second))), true
		}
	}
	return 0, false
}

// nonNegative reads a decimal number that is not negative. One beyond float64 is infinite.
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

// RateLimit is the rate limit that the headers of an answer state. Its zero value states none.
type RateLimit struct {
	// Requests is how many requests a window allows, Remaining how many of them are left; -1 if
	// the headers do not say.
	Requests, Remaining int
	// Reset is the time until the window ends.
	Reset time.Duration
	// Wait is a Retry-After, which may also come with a page.
	Wait time.Duration
}

// readRateLimit reads X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset. The last one is
// the time left in seconds, or the instant of the window's end.
func readRateLimit(header http.Header, now time.Time) RateLimit {
	wait, _ := requestedWait(http.StatusOK, header, nil, now)
	limit, ok := parseCount(header.Get("X-RateLimit-Limit"))
	if !ok || limit == 0 {
		return RateLimit{Wait: wait}
	}
	s := RateLimit{Requests: limit, Remaining: -1, Wait: wait}
	if remaining, ok := parseCount(header.Get("X-RateLimit-Remaining")); ok {
		s.Remaining = min(remaining, limit)
	}
	s.Reset, _ = parseWait(header.Get("X-RateLimit-Reset"), sentAt(header, now))
	return s
}

// parseCount reads a number of requests.
func parseCount(text string) (int, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	return int(n), err == nil
}
