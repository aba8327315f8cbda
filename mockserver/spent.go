package mockserver

import "time"

// spans sums up times that may overlap. Each begins no sooner than the one before it.
type spans struct {
	until time.Time
	sum   time.Duration
}

func (s *spans) add(from, until time.Time) {
	if from.Before(s.until) {
		from = s.until
	}
	if until.After(from) {
		s.sum, s.until = s.sum+until.Sub(from), until
	}
}

// upTo returns the sum up to a time, which must not be before the beginning of the last span.
func (s *spans) upTo(end time.Time) time.Duration {
	return s.sum - max(0, s.until.Sub(end))
}

// spent is the time that the service itself took: no client can be faster.
type spent struct {
	latency time.Duration
	pages   spans // a page was in the making
	any     spans // a page was in the making, or no page endpoint allowed a request
}

// page records a page that was requested at a time.
func (s *spent) page(at time.Time, latency time.Duration) {
	s.latency += latency
	s.pages.add(at, at.Add(latency))
	s.any.add(at, at.Add(latency))
}
