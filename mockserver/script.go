package mockserver

import (
	"errors"
	"fmt"
)

// Script makes requests fail, in order.
type Script struct {
	// Endpoint names the endpoint whose requests the script counts; Any counts all requests.
	Endpoint Endpoint
	// Request is the number of the first request with a fault, counted from 1 since New. The next
	// requests have the other faults. Default 1. If several scripts apply to a request, the first
	// with faults left serves it, and the others wait.
	Request int
	Faults  []Fault
}

// RandomFault is a fault of a share of the requests, drawn by Options.FaultSeed and the number of
// the request.
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

// running is a script and its state.
type running struct {
	Script
	at   int // index of the next fault
	used int // how many requests had that fault
}

// meet returns the fault of the nth request to the script's endpoint.
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

// unmet returns an error for the faults that too few requests had.
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
