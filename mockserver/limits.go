package mockserver

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// setRateHeaders sets the X-RateLimit headers and returns the wait that X-RateLimit-Reset names.
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

// limited returns a 429 that names the wait left in the places of the limit.
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

// limitedAs returns the 429 of a fault. It names the wait where the request's rate limit does, or
// in the body if that has no places.
func (s *Server) limitedAs(in *incoming, wait time.Duration) *answer {
	limit := s.rateLimit(in)
	limit.RawBody, limit.RawRetryAfter = "", ""
	if limit.Named == 0 {
		limit.Named = RetryAfterBody
	}
	return s.limited(limit, wait)
}

func (s *Server) rateLimit(in *incoming) RateLimit {
	switch in.endpoint {
	case Events, Feed:
		return in.phase.pages(in.endpoint).RateLimit
	case StreamAccess:
		return s.opts.Access.RateLimit
	case Sessions:
		return s.opts.Sessions
	case BulkEvents:
		return s.opts.Bulk
	}
	return RateLimit{}
}
