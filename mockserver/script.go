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
