package growth

import (
	"time"

	"datasync/internal/bench/measure"
)

// Series is a pull in one or more runs.
type Series struct {
	Name string
	Runs [][]Commit
}

// Step is what happened while the file grew by one step, such as a million events.
type Step struct {
	// Stored is how many events the file held at its end.
	Stored int64
	// Rate is in events a second. The time between two runs does not count.
	Rate float64
	// RSS is the most after a commit; FileSize that after the last one. In bytes.
	RSS, FileSize int64
	// Median and Longest are of the time that commits took.
	Median, Longest time.Duration
}

// Steps cuts a series into steps of that many events. A commit belongs to the step in
// which it ended. The rest at the end is a step if it is at least half of one.
func (s Series) Steps(events int64) []Step {
	var steps []Step
	var of []Commit
	var spent time.Duration
	var stored int64
	close := func() {
		last := of[len(of)-1]
		steps = append(steps, Step{
			Stored: last.Stored, Rate: float64(stored) / spent.Seconds(), FileSize: last.FileSize,
			Median:  measure.MedianOf(of, func(c Commit) time.Duration { return c.Took }),
			Longest: most(of, func(c Commit) time.Duration { return c.Took }),
			RSS:     most(of, func(c Commit) int64 { return c.RSS }),
		})
		of, spent, stored = nil, 0, 0
	}
	for _, run := range s.Runs {
		var before time.Duration
		for _, c := range run {
			of, spent, stored = append(of, c), spent+c.At-before, stored+c.New
			before = c.At
			if c.Stored >= int64(len(steps)+1)*events {
				close()
			}
		}
	}
	if len(of) > 0 && stored*2 >= events {
		close()
	}
	return steps
}

func most[N int64 | time.Duration](commits []Commit, figure func(Commit) N) (m N) {
	for _, c := range commits {
		m = max(m, figure(c))
	}
	return m
}
