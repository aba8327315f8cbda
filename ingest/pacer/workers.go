package pacer

import (
	"maps"
	"math"
	"slices"
	"time"
)

const (
	// firstStep is how many requests at a time are tried after one; the number is doubled
	// up to gentle, and then grows by half.
	firstStep, gentle = 4, 16
	// asGood is the share of the best throughput that fewer requests at a time must bring
	// to be preferred.
	asGood = 0.97
	// closeBy is how far numbers must lie apart for one between them to be worth a try.
	closeBy = 1.3
	// calm is how many answers a number that was settled on is kept for, times itself, before
	// the ones beside it are tried again; unlike is how much its throughput must change for
	// all that is known to count no more.
	calm   = 40
	unlike = 0.25
)

// Workers finds how many requests at a time bring the most pages a second. By Little's law
// n requests at a time which take t each bring n/t a second, so that each answer tells what
// the number brings that was under way. The number grows while that brings more; then those
// between the best one and its neighbours are tried. Once in a while it looks again, as what
// the API can do may change.
type Workers struct {
	most int
	// rates are throughputs in answers a second, by the number of requests at a time.
	rates map[int]float64
	goal  int
	// What has been measured at the goal since it was set, but for the answers to requests
	// that were under way then.
	answers, inFlight int
	took              time.Duration
	earlier           int
	// settledAt is the throughput at which nothing better was left to try; since counts
	// answers from then on.
	settledAt float64
	since     int
	upwards   bool // the next look around goes
}

// NewWorkers returns a search that begins with one request at a time and ends at most.
func NewWorkers(most int) *Workers {
	return &Workers{most: max(1, most), rates: map[int]float64{}, goal: 1}
}

// Goal is how many requests at a time to have.
func (w *Workers) Goal() int { return w.goal }

// Throughput is the best that was measured, in answers a second; 0 before that.
func (w *Workers) Throughput() float64 {
	best := 0.0
	for _, rate := range w.rates {
		best = max(best, rate)
	}
	return best
}

// MoreAllowed takes in that the API's limits allow more than before: what other numbers brought
// under the old ones says nothing now.
func (w *Workers) MoreAllowed() {
	here, known := w.rates[w.goal]
	w.rates, w.settledAt = map[int]float64{}, 0
	if known {
		w.rates[w.goal] = here
	}
}

// Answered takes in that a page took so long while so many requests were under way, itself
// included. Bound says that the budget is spent: more requests at a time would bring
// nothing.
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

// decide sets the goal by what is known.
func (w *Workers) decide(bound bool) {
	if w.settledAt > 0 {
		here := w.rates[w.goal]
		switch {
		case math.Abs(here/w.settledAt-1) > unlike:
			// It is another API now.
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
		// More requests at a time are no quicker each, so that a number cannot bring more
		// than in proportion to a smaller one.
		if n := between(below, best); w.rates[below]*float64(n)/float64(below) > w.rates[best] {
			tries = append(tries, n)
		}
	}
	// The side that is known to bring more first.
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

// best is the number that brings the most, or the least that brings nearly as much.
func (w *Workers) best() int {
	most := w.Throughput()
	for _, n := range slices.Sorted(maps.Keys(w.rates)) {
		if w.rates[n] >= asGood*most {
			return n
		}
	}
	return 1
}

// neighbours are the next numbers that are known, 0 where there is none.
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

// lookAround forgets what is known of the next number on one side.
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

// between is the number in the middle of two, by ratio.
func between(low, high int) int { return int(math.Round(math.Sqrt(float64(low) * float64(high)))) }
