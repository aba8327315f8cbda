package api

import (
	"time"

	"datasync/internal/bench/measure"
	"datasync/mockserver"
)

// Run is one pull of all events of a scenario.
type Run struct {
	Scenario string
	Events   int
	Turn     int // from 1
	// Workers is the argument of --workers; empty for a program that does not know it.
	Workers string
	measure.Cost
	// Served has the mock server's counts. Least is the least time of the service.
	Served mockserver.Stats
	Least  time.Duration
}

// Sequential is the argument of --workers for one page after the other. With Auto, the program
// chooses how many shards it reads in parallel.
const (
	Sequential = "1"
	Auto       = "auto"
)

// Floor is the least time of the pull: with one walk, the time of its pages and waits; else Least.
func (r Run) Floor() time.Duration {
	if r.Workers == Auto {
		return r.Least
	}
	return r.Served.Latency + r.Served.Blocked
}

// OfFloor is the wall time as a multiple of Floor.
func (r Run) OfFloor() float64 { return measure.Ratio(r.Wall, r.Floor()) }

// Sent is how many pages the server has sent.
func (r Run) Sent() int { return Sent(r.Served) }

// Sent is how many pages a server has sent, whole or in part.
func Sent(s mockserver.Stats) int { return s.Events.Pages + s.Feed.Pages }

// Requests is how many requests the server has had.
func (r Run) Requests() int {
	return r.Served.Events.Requests + r.Served.Feed.Requests + r.Served.StreamAccess.Requests
}

// Limited is the share of the requests that were answered with 429.
func (r Run) Limited() float64 {
	if r.Requests() == 0 {
		return 0
	}
	return float64(r.Served.Events.Limited+r.Served.Feed.Limited+r.Served.StreamAccess.Limited) / float64(r.Requests())
}

// Resume is a pull that was killed and run again.
type Resume struct {
	Scenario string
	Turn     int
	Workers  string
	// Windows is how many were under way when it was killed.
	Windows int
	// KilledAt is how many pages had been sent until then, Committed how many of them the
	// file holds; Sent is how many were sent in both runs, Undisturbed how many in the run
	// of the same turn that was not killed.
	KilledAt, Committed, Sent, Undisturbed int
	// OnTheWay is how many of KilledAt had been begun and were cut off by the kill.
	OnTheWay int
	Served   mockserver.Stats
}

// Again is how many pages more than undisturbed were sent whole, for each window that was
// under way.
func (r Resume) Again() float64 {
	return float64(r.Sent-r.OnTheWay-r.Undisturbed) / float64(max(1, r.Windows))
}
