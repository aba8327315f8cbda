package mockserver

import (
	"net/http"
	"time"
)

// admit counts the request towards its rate limit. It returns a 429, or the headers for the
// proper answer.
func (s *Server) admit(in *incoming) (*answer, http.Header) {
	h := jsonHeader()
	limit := s.rateLimit(in)
	if limit.Requests == 0 {
		return nil, h
	}
	s.mu.Lock()
	ok, remaining, left := s.windows[in.endpoint].take(in.now, limit.Requests, s.scaled(limit.Window))
	s.closed(in.now)
	s.mu.Unlock()
	if !ok {
		return s.limited(limit, left), nil
	}
	if limit.Headers {
		s.setRateHeaders(h, limit, remaining, left)
	}
	return nil, h
}

// phase returns the phase at a time. s.mu is held.
func (s *Server) phase(at time.Time) *phase {
	now := &s.phases[0]
	for i := range s.phases[1:] {
		if next := &s.phases[i+1]; at.Sub(s.journal.first) >= next.from {
			now = next
		}
	}
	return now
}

// closedUntil returns when a page endpoint's budget will allow a request; the zero time if it
// does now. s.mu is held.
func (s *Server) closedUntil(e Endpoint, now time.Time) time.Time {
	w := s.windows[e]
	used := func(p *phase) bool {
		budget := p.pages(e).RateLimit.Requests
		return budget > 0 && w.used >= budget
	}
	if !now.Before(w.ends) || !used(s.phase(now)) {
		return time.Time{}
	}
	for i := range s.phases {
		from := s.journal.first.Add(s.phases[i].from)
		if from.After(now) && from.Before(w.ends) && !used(&s.phases[i]) {
			return from
		}
	}
	return w.ends
}

// closed records for how long neither page endpoint allows a request, by the budgets and waits
// of now. s.mu is held.
func (s *Server) closed(now time.Time) {
	until := s.opens(Events, now)
	if feed := s.opens(Feed, now); feed.Before(until) {
		until = feed
	}
	s.journal.spent.any.add(now, until)
}

// opens returns when a page endpoint allows a request; a time in the past if it does now. s.mu is
// held.
func (s *Server) opens(e Endpoint, now time.Time) time.Time {
	budget, named := s.closedUntil(e, now), s.journal.waits[e].until
	if named.After(budget) {
		return named
	}
	return budget
}
