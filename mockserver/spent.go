package mockserver

import "time"

// spans adds up times that may overlap, each of which begins no sooner than the one
// before: requests come in their order.
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

// upTo is the sum of what lies before a time, which must not be before the last span begins.
func (s *spans) upTo(end time.Time) time.Duration {
	return s.sum - max(0, s.until.Sub(end))
}

// spent is what clients cannot have done without, as the service's own.
type spent struct {
	latency time.Duration
	pages   spans // a page was being made
	any     spans // a page was being made, or no endpoint that serves pages could be asked
}

// page notes a page that came at a time and takes so long.
func (s *spent) page(at time.Time, latency time.Duration) {
	s.latency += latency
	s.pages.add(at, at.Add(latency))
	s.any.add(at, at.Add(latency))
}
