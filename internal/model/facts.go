package model

import (
	"time"
)

// Facts is what a pull records of itself: with each batch, and at its end.
type Facts struct {
	// Began is when the pull began. All instants count from it by the monotonic clock, because the wall clock may
	// be set meanwhile.
	Began time.Time
	// Fetched has the pages of the batch, by endpoint.
	Fetched []Fetched
	// Waits and Refusals have ended since the batch before.
	Waits    []Wait
	Refusals []Refusal
}

// At returns the time of t by the clock of the facts.
func (f *Facts) At(t time.Time) time.Time { return f.Began.Add(t.Sub(f.Began)) }

// Fetched sums up the pages of a batch that one endpoint sent.
type Fetched struct {
	Endpoint string
	// Pages counts the pages that end in the batch. Returned counts elements, a page that several batches share
	// in each of them for its part.
	Pages, Returned int64
	// Bytes is how much text the pages had after decompression, Wire how many bytes of their bodies were received.
	Bytes, Wire int64
	// Took is the sum of the response times of the pages, from the request to the last byte.
	Took time.Duration
	// InFlight is how many requests were in flight at most when one of the pages was requested, itself included.
	InFlight int64
}

// Add adds the pages of g.
func (f *Fetched) Add(g Fetched) {
	f.Pages += g.Pages
	f.Returned += g.Returned
	f.Bytes += g.Bytes
	f.Wire += g.Wire
	f.Took += g.Took
	f.InFlight = max(f.InFlight, g.InFlight)
}

// The reasons of a Wait.
const (
	// WaitRateLimit: the endpoint answered 429.
	WaitRateLimit = "rate limit"
	// WaitPacing: another request would be answered 429, as far as the pull knows the limit.
	WaitPacing = "pacing"
	// WaitAsked: the endpoint asked for a wait by another answer than a 429.
	WaitAsked = "asked to wait"
	// WaitEarlierRun: the endpoint asked for it in an earlier run.
	WaitEarlierRun = "earlier run"
	// WaitToken: there is no token for the feed.
	WaitToken = "token"
	// WaitRetry: the pause after a request that failed.
	WaitRetry = "retry"
)

// Wait is a time in which an endpoint was not asked, or several of the same endpoint, reason and answer.
type Wait struct {
	Endpoint string
	// Reason is one of the constants. Answer is the HTTP status or the failure that caused the wait; "" if there
	// was none, or if they differ.
	Reason, Answer string
	Began, Ended   time.Time
	// Count is how many waits these are. The other members are sums over them.
	Count int64
	// Ordered is how long the endpoint asked to wait; 0 if it named no time.
	Ordered time.Duration
	// Actual is how long the wait was.
	Actual time.Duration
	// Idle is the part of Actual in which no request was in flight to any endpoint. It is the sum of the waits'
	// parts: waits at the same time share it.
	Idle time.Duration
}

// Same reports whether the waits have the same endpoint, reason and answer.
func (w *Wait) Same(v *Wait) bool {
	return w.Endpoint == v.Endpoint && w.Reason == v.Reason && w.Answer == v.Answer
}

// Add adds another wait of the same endpoint and reason.
func (w *Wait) Add(v Wait) {
	if w.Answer != v.Answer {
		w.Answer = ""
	}
	if v.Began.Before(w.Began) {
		w.Began = v.Began
	}
	if v.Ended.After(w.Ended) {
		w.Ended = v.Ended
	}
	w.Count += v.Count
	w.Ordered += v.Ordered
	w.Actual += v.Actual
	w.Idle += v.Idle
}

// The things that an API refuses.
const (
	RefusedRate     = "rate limit"
	RefusedToken    = "token"
	RefusedKey      = "key"
	RefusedCursor   = "cursor"
	RefusedPageSize = "page size"
)

// Refusal is an answer by which an endpoint refused something, or several of them.
type Refusal struct {
	Endpoint string
	// Refused is one of the constants, Answer the HTTP status.
	Refused, Answer string
	// First and Last are when the answers arrived, Count is their number.
	First, Last time.Time
	Count       int64
}

// Same reports whether the refusals have the same endpoint, thing and answer.
func (r *Refusal) Same(s *Refusal) bool {
	return r.Endpoint == s.Endpoint && r.Refused == s.Refused && r.Answer == s.Answer
}

// Add adds another refusal of the same endpoint and thing.
func (r *Refusal) Add(s Refusal) {
	if r.Answer != s.Answer {
		r.Answer = ""
	}
	if s.First.Before(r.First) {
		r.First = s.First
	}
	if s.Last.After(r.Last) {
		r.Last = s.Last
	}
	r.Count += s.Count
}
