package pacer

import (
	"math"
	"time"
)

const (
	// firstStep is how many requests at a time are tried after one.
	firstStep = 8
	// worthMore is by how much the throughput must grow for more requests at a time to be
	// worth while, and worthLess how little of it may be lost by fewer.
	worthMore, worthLess = 1.04, 0.97
	// settled is how many latencies a number that was found good is kept before others are
	// tried.
	settled = 12
	// smoothing is the weight of a new sample.
	smoothing = 0.4
)

// Workers finds how many requests at a time bring the most pages a second. By Little's law
// n requests at a time which take t each bring n/t a second: each answer tells it for the
// number that was under way with it. The number is doubled while that brings more; where it
// does not, the best number that is known is gone back to, and once in a while one a quarter
// above or below it is tried.
type Workers struct {
	most  int
	rates map[int]float64 // throughput in answers a second, by requests at a time
	best  int
	goal  int
	seen  int // answers at the goal since it was set
	calm  int // answers since the last change
	up    bool
	ended bool // doubling has
}

// NewWorkers returns a search that begins with one request at a time and ends at most.
func NewWorkers(most int) *Workers {
	return &Workers{most: max(1, most), rates: map[int]float64{}, best: 1, goal: 1}
}

// Goal is how many requests at a time to have.
func (w *Workers) Goal() int { return w.goal }

// Throughput is the best known, in answers a second; 0 before the first one.
func (w *Workers) Throughput() float64 { return w.rates[w.best] }

// Answered takes in that a page took so long while so many requests were under way, itself
// included. Bound says that the goal was not reached as the budget is spent: more requests
// at a time would bring nothing.
func (w *Workers) Answered(inFlight int, took time.Duration, bound bool) {
	if took <= 0 {
		return
	}
	inFlight = max(1, inFlight)
	rate := float64(inFlight) / took.Seconds()
	if old := w.rates[inFlight]; old > 0 {
		rate = old + smoothing*(rate-old)
	}
	w.rates[inFlight] = rate
	w.calm++
	// Those that were sent while others still were fewer count nearly as much.
	if float64(inFlight) < 0.85*float64(w.goal) {
		if bound && w.calm > settled*w.goal {
			w.calm = 0
		}
		return
	}
	if w.seen++; w.seen < min(3, w.goal) {
		return
	}
	w.decide(bound)
}

// decide sets the goal anew after enough answers at the one before.
func (w *Workers) decide(bound bool) {
	here := w.at(w.goal)
	best := w.at(w.best)
	switch {
	case w.goal == w.best && !w.ended && !bound:
		w.set(w.next())
	case w.goal == w.best && (!w.ended || w.calm < settled*w.goal):
	case w.goal == w.best:
		// Another look around.
		w.calm, w.up = 0, !w.up || bound
		if step := max(1, w.goal/4); w.up && !bound {
			w.set(w.goal + step)
		} else {
			w.set(w.goal - step)
		}
	case w.goal > w.best && here > best*worthMore, w.goal < w.best && here > best*worthLess:
		w.best, w.seen = w.goal, 0
		if !w.ended && !bound {
			w.set(w.next())
		}
	case !w.ended && w.goal > w.best+1:
		// Doubling went too far; what lies between may be better than both.
		w.ended = true
		w.set(int(math.Sqrt(float64(w.goal) * float64(w.best))))
	default:
		w.ended = true
		w.set(w.best)
	}
}

func (w *Workers) next() int {
	if w.goal < firstStep/2 {
		return firstStep
	}
	return w.goal * 2
}

func (w *Workers) set(goal int) {
	w.goal, w.seen = min(max(1, goal), w.most), 0
	if w.goal == w.best {
		w.ended = true
	}
}

// at is the throughput with about so many requests at a time.
func (w *Workers) at(n int) float64 {
	sum, count := 0.0, 0
	for m, rate := range w.rates {
		if m <= n && float64(m) >= 0.85*float64(n) {
			sum, count = sum+rate, count+1
		}
	}
	if count == 0 {
		return 0
	}
	return sum / float64(count)
}
