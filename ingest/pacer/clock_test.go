package pacer_test

import (
	"testing"
	"time"

	"datasync/ingest/pacer"
)

func TestClock(t *testing.T) {
	const fetching, waiting = pacer.Fetching, pacer.Waiting
	type step struct {
		at     float64
		change func(*pacer.Clock, time.Time)
	}
	begins := func(at float64, a pacer.Activity) step {
		return step{at, func(c *pacer.Clock, now time.Time) { c.Begin(a, now) }}
	}
	ends := func(at float64, a pacer.Activity) step {
		return step{at, func(c *pacer.Clock, now time.Time) { c.End(a, now) }}
	}
	allow := func(at, rate float64) step {
		return step{at, func(c *pacer.Clock, now time.Time) { c.Allow(rate, now) }}
	}
	for _, tc := range []struct {
		name              string
		steps             []step
		fetching, waiting time.Duration
		allowed           float64
	}{
		{"nothing", nil, 0, 0, 0},
		{"one request", []step{begins(1, fetching), ends(3, fetching)}, 2 * time.Second, 0, 0},
		{"one that goes on", []step{begins(1, fetching)}, 9 * time.Second, 0, 0},
		{"two at a time count once", []step{begins(1, fetching), begins(2, fetching), ends(3, fetching), ends(5, fetching)}, 4 * time.Second, 0, 0},
		{"a wait", []step{begins(1, waiting), ends(4, waiting)}, 0, 3 * time.Second, 0},
		{"a wait beside a request is none", []step{begins(1, waiting), begins(2, fetching), ends(4, fetching), ends(5, waiting)}, 2 * time.Second, 2 * time.Second, 0},
		{"two waits count once", []step{begins(1, waiting), begins(2, waiting), ends(4, waiting), ends(5, waiting)}, 0, 4 * time.Second, 0},
		{"time that goes back", []step{begins(5, fetching), ends(4, fetching)}, 0, 0, 0},
		{"a rate", []step{allow(2, 0.5)}, 0, 0, 0.5},
		{"a rate that changes", []step{allow(0, 1), allow(5, 3)}, 0, 0, 2},
		{"a rate that is known for a time", []step{allow(2, 4), allow(4, 0)}, 0, 0, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c pacer.Clock
			for _, s := range tc.steps {
				s.change(&c, at(s.at))
			}
			fetched, waited := c.Spent(at(10))
			if allowed := c.Allowed(at(10)); fetched != tc.fetching || waited != tc.waiting || allowed != tc.allowed {
				t.Errorf("%v fetching, %v waiting, %v allowed", fetched, waited, allowed)
			}
		})
	}
	var c pacer.Clock
	c.Begin(fetching, at(0))
	c.Begin(fetching, at(1))
	c.End(fetching, at(2))
	if n := c.Now(fetching); n != 1 || c.Now(waiting) != 0 {
		t.Errorf("%d going on", n)
	}
}
