package measure

import (
	"cmp"
	"slices"
	"time"
)

// Median returns the middle of some numbers, the lower one of two; zero of none.
func Median[T cmp.Ordered](of []T) (m T) {
	if len(of) == 0 {
		return m
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[(len(sorted)-1)/2]
}

// MedianOf is the Median of one figure of each element.
func MedianOf[E any, T cmp.Ordered](of []E, figure func(E) T) T {
	figures := make([]T, len(of))
	for i, e := range of {
		figures[i] = figure(e)
	}
	return Median(figures)
}

// Ratio is a/b, of durations; zero where b is none.
func Ratio(a, b time.Duration) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
