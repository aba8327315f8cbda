package contest

import (
	"time"

	"datasync/internal/bench/measure"
)

// Of returns the runs of one program.
func Of(runs []Run, program string) []Run {
	var of []Run
	for _, r := range runs {
		if r.Program == program {
			of = append(of, r)
		}
	}
	return of
}

// Ratio is the median, over the turns, of a's figure in a turn divided by b's in the same
// turn; 0 where the two met in no turn.
func Ratio(runs []Run, a, b string, figure func(Run) time.Duration) float64 {
	var ratios []float64
	for _, ra := range Of(runs, a) {
		for _, rb := range Of(runs, b) {
			if ra.Turn == rb.Turn {
				ratios = append(ratios, measure.Ratio(figure(ra), figure(rb)))
			}
		}
	}
	return measure.Median(ratios)
}

// Wall and CPU are figures of a Run.
func Wall(r Run) time.Duration { return r.Wall }

// CPU is user and system time.
func CPU(r Run) time.Duration { return r.CPU }
