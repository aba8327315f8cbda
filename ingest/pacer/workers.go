package pacer

import (
	"maps"
	"math"
	"slices"
	"time"
)

const (
	// firstStep is the number of concurrent requests to try after one. The number doubles up to
	// gentle, and then grows by half.
	firstStep, gentle = 4, 16
	// asGood is the share of the best throughput from which fewer requests are preferred.
	asGood = 0.97
	// closeBy is the ratio of two numbers from which one between them is worth a try.
	closeBy = 1.3
	// calm is how many answers, as a multiple of the chosen number, pass before its neighbours
	// are tried again. Unlike is the change of its throughput that discards all measurements.
	calm   = 40
	unlike = 0.25
)

// Workers finds the number of concurrent requests with the most pages a second. By Little's law, n
// concurrent requests of time t bring n/t a second, so that each answer measures the number that was
// under way. The number grows while the throughput does; then those between the best one and its
// neighbours are tried. At times it tries again, since the API may change.
type Workers struct {
	most int
	// rates are throughputs in answers a second, by the number of concurrent requests.
	rates map[int]float64
	goal  int
	// The measurements at the goal since it was set, without the requests under way at that time.
	answers, inFlight int
	took              time.Duration
	earlier           int
	// settledAt is the throughput of the final choice; since counts the answers after it.
	settledAt float64
	since     int
	upwards   bool // the direction of the next lookAround
}

// NewWorkers returns a search from one concurrent request to most.
func NewWorkers(most int) *Workers {
	return &Workers{most: max(1, most), rates: map[int]float64{}, goal: 1}
}

// Goal returns how many concurrent requests to have.
func (w *Workers) Goal() int { return w.goal }

// Throughput returns the best measurement, in answers a second; 0 before the first.
func (w *Workers) Throughput() float64 {
	best := 0.0
	for _, rate := range w.rates {
		best = max(best, rate)
	}
	return best
}

// MoreAllowed records that the API's limits have been raised, so that measurements under the old limits
// no longer count.
func (w *Workers) MoreAllowed() {
	here, known := w.rates[w.goal]
	w.rates, w.settledAt = map[int]float64{}, 0
	if known {
		w.rates[w.goal] = here
	}
}

// Answered records the time of a page and how many requests were under way, itself included. Bound says that
// the budget is spent, so that more concurrent requests bring nothing.
func (w *Workers) Answered(inFlight int, took time.Duration, bound bool) {
	if w.earlier > 0 {
		w.earlier--
		return
	}
	if took <= 0 || float64(inFlight) < 0.85*float64(w.goal) || float64(inFlight) > 1.15*float64(w.goal)+1 {
		return
	}
	w.answers, w.inFlight, w.took = w.answers+1, w.inFlight+inFlight, w.took+took
	w.since++
	if w.answers < min(max(w.goal/2, 2), 8, w.goal) {
		return
	}
	rate := float64(w.inFlight) / w.took.Seconds()
	if old, known := w.rates[w.goal]; known && w.settledAt > 0 && math.Abs(rate/old-1) <= unlike {
		rate = (rate + old) / 2
	}
	w.rates[w.goal] = rate
	w.answers, w.inFlight, w.took = 0, 0, 0
	w.decide(bound)
}

// decide sets the goal.
func (w *Workers) decide(bound bool) {
	if w.settledAt > 0 {
		here := w.rates[w.goal]
		switch {
		case math.Abs(here/w.settledAt-1) > unlike:
			// The API has changed.
			w.rates = map[int]float64{w.goal: here}
		case w.since > calm*w.goal && !bound:
			w.lookAround()
		default:
			return
		}
		w.settledAt = 0
	}
	best := w.best()
	below, above := w.neighbours(best)
	var tries []int
	switch {
	case above == 0 && best < w.most && !bound:
		tries = append(tries, w.more(best))
	case above > 0 && float64(above) > closeBy*float64(best):
		tries = append(tries, between(best, above))
	}
	switch {
	case below == 0 && best > 1:
		tries = append(tries, max(1, best*2/3))
	case below > 0 && float64(best) > closeBy*float64(below):
		// More concurrent requests are not faster each, so that a number can at most bring the
		// throughput of a smaller one in proportion.
		if n := between(below, best); w.rates[below]*float64(n)/float64(below) > w.rates[best] {
			tries = append(tries, n)
		}
	}
	// First the side with the higher throughput.
	if len(tries) == 2 && above > 0 && w.rates[below] > w.rates[above] {
		slices.Reverse(tries)
	}
	for _, n := range tries {
		if _, known := w.rates[n]; !known {
			w.aim(n)
			return
		}
	}
	w.aim(best)
	w.settledAt, w.since = w.rates[best], 0
}

func (w *Workers) aim(goal int) {
	if goal != w.goal {
		w.earlier = w.goal
	}
	w.goal = goal
}

// best returns the smallest number with nearly the highest throughput.
func (w *Workers) best() int {
	most := w.Throughput()
	for _, n := range slices.Sorted(maps.Keys(w.rates)) {
		if w.rates[n] >= asGood*most {
			return n
		}
	}
	return 1
}

// neighbours returns the next measured numbers on both sides, 0 if there is none.
func (w *Workers) neighbours(of int) (below, above int) {
	for n := range w.rates {
		switch {
		case n < of:
			below = max(below, n)
		case n > of && (above == 0 || n < above):
			above = n
		}
	}
	return below, above
}

// lookAround discards the measurement of the next number on one side.
func (w *Workers) lookAround() {
	w.upwards = !w.upwards
	below, above := w.neighbours(w.goal)
	if w.upwards {
		delete(w.rates, above)
	} else {
		delete(w.rates, below)
	}
}

func (w *Workers) more(n int) int {
	switch {
	case n < firstStep:
		n = firstStep
	case n < gentle:
		n *= 2
	default:
		n += n / 2
	}
	return min(n, w.most)
}

// between returns the geometric mean of two numbers.
func between(low, high int) int { return int(math.Round(math.Sqrt(float64(low) * float64(high)))) }
