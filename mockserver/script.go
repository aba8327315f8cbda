package mockserver

import (
	"errors"
	"fmt"
)

// Script lets certain requests meet certain faults, in order.
type Script struct {
	// Endpoint is where the script applies; Any counts the requests to all of
	// them together.
	Endpoint Endpoint
	// Request is the first request to meet a fault, counted from 1 since the
	// server was made. The requests that follow meet the other faults.
	// Default 1. Of several scripts that apply to a request, the first with
	// faults left serves it; the others wait.
	Request int
	Faults  []Fault
}

// RandomFault is a fault that a share of requests meet, drawn by
// Options.FaultSeed and the number of the request.
type RandomFault struct {
	Endpoint Endpoint
	Rate     float64 // 0 to 1
	Fault    Fault
}

func (s Script) validate() error {
	if s.Endpoint >= endpointCount {
		return fmt.Errorf("no such endpoint: %v", s.Endpoint)
	}
	if s.Request < 0 {
		return fmt.Errorf("request %d: they count from 1", s.Request)
	}
	if len(s.Faults) == 0 {
		return errors.New("no faults")
	}
	return nil
}

// running is a script with what it has done so far.
type running struct {
	Script
	at   int // index of the next fault
	used int // how often that one was met
}

// meet returns the fault for the nth request to the script's endpoint.
func (r *running) meet(n int) (Fault, bool) {
	if n < r.Request || r.at == len(r.Faults) {
		return Fault{}, false
	}
	f := r.Faults[r.at]
	r.used++
	if f.times != Forever && r.used >= max(1, f.times) {
		r.at, r.used = r.at+1, 0
	}
	return f, true
}

// unmet describes the faults that no request has met (often enough).
func (r *running) unmet() error {
	var errs []error
	for i, f := range r.Faults[r.at:] {
		want, met := max(1, f.times), 0
		if i == 0 {
			met = r.used
		}
		if met < want {
			errs = append(errs, fmt.Errorf("scripted fault %q for %v from request %d on: met %d of %d times",
				f.name, r.Endpoint, max(1, r.Request), met, want))
		}
	}
	return errors.Join(errs...)
}

// AddScript lets a server follow further scripts, whose requests count from
// the server's beginning too. It panics on a script without faults.
func (s *Server) AddScript(scripts ...Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, script := range scripts {
		if err := script.validate(); err != nil {
			panic("mockserver: " + err.Error())
		}
		s.scripts = append(s.scripts, &running{Script: script})
	}
}

// fault draws what the request meets, Pass by default. n counts the requests
// to the endpoint, all those to any. s.mu is held.
func (s *Server) fault(e Endpoint, n, all int) Fault {
	for _, r := range s.scripts {
		count := n
		switch r.Endpoint {
		case Any:
			count = all
		case e:
		default:
			continue
		}
		if f, ok := r.meet(count); ok {
			return f
		}
	}
	for i, r := range s.opts.Random {
		if r.Endpoint != Any && r.Endpoint != e {
			continue
		}
		u := mix(mix(s.opts.FaultSeed+uint64(i)) ^ uint64(all))
		if float64(u>>11)/(1<<53) < r.Rate {
			return r.Fault
		}
	}
	return Pass()
}
