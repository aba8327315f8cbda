package mockserver

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// window counts the requests of one endpoint by fixed windows.
type window struct {
	ends time.Time
	used int
}

// take counts a request and reports whether it is within the budget, what is
// left of it, and how long the window goes on.
func (w *window) take(now time.Time, requests int, length time.Duration) (ok bool, remaining int, left time.Duration) {
	if !now.Before(w.ends) {
		w.ends, w.used = now.Add(length), 0
	}
	ok = w.used < requests
	if ok {
		w.used++
	}
	return ok, max(0, requests-w.used), w.ends.Sub(now)
}

// setRateHeaders returns the wait that X-RateLimit-Reset names.
func (s *Server) setRateHeaders(h http.Header, limit RateLimit, remaining int, left time.Duration) time.Duration {
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit.Requests))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	reset, wait := wholeSeconds(left), time.Duration(wholeSeconds(left))*time.Second
	if limit.Named&ResetEpochHeader != 0 {
		now := time.Now().Add(s.opts.ClockSkew)
		end := now.Add(left + time.Second - 1).Truncate(time.Second)
		reset, wait = end.Unix(), end.Sub(now)
	}
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset, 10))
	return wait
}

// limited is the 429 of a rate limit that has left to wait, named in the
// places that the limit says.
func (s *Server) limited(limit RateLimit, left time.Duration) *answer {
	a := &answer{status: http.StatusTooManyRequests, header: jsonHeader()}
	name := func(d time.Duration) { a.wait = max(a.wait, d) }
	seconds := wholeSeconds(left)

	var text string
	jsonSeconds := s.waitSeconds(left)
	switch limit.Named & (RetryAfterBody | ResetBody) {
	case 0:
		text = s.errorBody(a.status, "RATE_LIMIT_EXCEEDED", "Rate limit exceeded")
	case RetryAfterBody:
		text = `{"rateLimit":{"retryAfter":` + jsonSeconds + `}}`
	default:
		text = `{"error":"Too Many Requests","code":"RATE_LIMIT_EXCEEDED","rateLimit":{"limit":` +
			strconv.Itoa(limit.Requests) + `,"remaining":0`
		if limit.Named&RetryAfterBody != 0 {
			text += `,"retryAfter":` + jsonSeconds
		}
		text += `,"reset":` + jsonSeconds + `}}`
	}
	if limit.Named&RetryAfterTop != 0 {
		text = strings.TrimSuffix(text, "}") + `,"retryAfter":` + jsonSeconds + `}`
	}
	if limit.Named&(RetryAfterBody|ResetBody|RetryAfterTop) != 0 {
		name(durationOf(jsonSeconds))
	}
	switch {
	case limit.Named&RetryAfterDate != 0:
		a.retryDate = left
	case limit.Named&RetryAfterSeconds != 0:
		a.header.Set("Retry-After", strconv.FormatInt(seconds, 10))
		name(time.Duration(seconds) * time.Second)
	}
	if limit.Named&(ResetHeader|ResetEpochHeader) != 0 || limit.Headers {
		name(s.setRateHeaders(a.header, limit, 0, left))
	}
	if limit.RawRetryAfter != "" {
		a.header.Set("Retry-After", limit.RawRetryAfter)
		a.wait, a.retryDate = 0, 0
	}
	if limit.RawBody != "" {
		text = limit.RawBody
		a.wait, a.retryDate = 0, 0
	}
	a.body = []byte(text)
	return a
}

// wholeSeconds rounds up, so that whoever waits so long has waited enough.
func wholeSeconds(d time.Duration) int64 {
	return int64((d + time.Second - 1) / time.Second)
}

// waitSeconds is a wait as JSON: whole seconds like the service's, decimals
// (rounded up to a millisecond) only where the time scale asks for them.
func (s *Server) waitSeconds(d time.Duration) string {
	if s.opts.TimeScale == 1 {
		return strconv.FormatInt(wholeSeconds(d), 10)
	}
	ms := (d + time.Millisecond - 1) / time.Millisecond
	return strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64)
}

// lifeSeconds is a lifetime as JSON: never more than it is.
func lifeSeconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Milliseconds())/1000, 'f', -1, 64)
}

func durationOf(seconds string) time.Duration {
	f, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		return 0
	}
	return time.Duration(math.Round(f * 1e9))
}

// PageLatency is what a page of so many events takes with inFlight requests in flight,
// itself included; not scaled.
func (p Pages) PageLatency(inFlight, events int) time.Duration {
	return p.Latency + load(p.Load, inFlight, events)
}

// load is the latency of a page of so many events while inFlight requests,
// itself included, are being answered.
func load(curve []LoadPoint, inFlight, events int) time.Duration {
	if len(curve) == 0 || events == 0 {
		return 0
	}
	right := 0
	for right < len(curve)-1 && curve[right].InFlight < inFlight {
		right++
	}
	at := float64(curve[right].Latency)
	if right > 0 && curve[right].InFlight != inFlight {
		a, b := curve[right-1], curve[right]
		slope := float64(b.Latency-a.Latency) / float64(b.InFlight-a.InFlight)
		at = float64(a.Latency) + slope*float64(inFlight-a.InFlight)
	}
	return time.Duration(at * float64(events) / 5000)
}
