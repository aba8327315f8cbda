package pacer_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"datasync/ingest/pacer"
)

// curve is how many seconds a page takes with so many requests under way.
type curve func(n int) float64

var curves = map[string]curve{
	"rising":      func(int) float64 { return 2 },
	"flat":        func(n int) float64 { return 2 * float64(n) },
	"a knee at 4": func(n int) float64 { return max(1, float64(n)/4) },
	"observed":    func(n int) float64 { return 4.5 + 1.1*float64(n-1) },
	"a peak at 8": func(n int) float64 { return 1 + math.Pow(float64(n)/8, 2) },
	"overloaded":  func(n int) float64 { return math.Pow(float64(n), 1.5) },
}

// throughput is how many pages a second n requests at a time bring.
func (c curve) throughput(n int) float64 { return float64(n) / c(n) }

// best is the best throughput of up to most requests at a time.
func (c curve) best(most int) (best float64) {
	for n := 1; n <= most; n++ {
		best = max(best, c.throughput(n))
	}
	return best
}

// service answers as many requests at a time as workers want.
type service struct {
	workers *pacer.Workers
	random  *rand.Rand
	noise   float64 // the share by which a page may take more or less
	now     float64
	out     []pending
}

type pending struct {
	comes, took float64
	inFlight    int
}

// answer gives so many answers, and returns how many came a second.
func (s *service) answer(c curve, answers int) float64 {
	began := s.now
	for range answers {
		for len(s.out) < max(1, s.workers.Goal()) {
			n := len(s.out) + 1
			took := c(n) * (1 + s.noise*(2*s.random.Float64()-1))
			p := pending{s.now + took, took, n}
			at, _ := slices.BinarySearchFunc(s.out, p.comes, func(o pending, t float64) int {
				if o.comes < t {
					return -1
				}
				return 1
			})
			s.out = slices.Insert(s.out, at, p)
		}
		p := s.out[0]
		s.out = s.out[1:]
		s.now = p.comes
		s.workers.Answered(p.inFlight, time.Duration(p.took*float64(time.Second)), false)
	}
	return float64(answers) / (s.now - began)
}

func newService(most int, noise float64, seed uint64) *service {
	return &service{workers: pacer.NewWorkers(most), random: rand.New(rand.NewPCG(seed, 3)), noise: noise}
}

// Whatever more requests at a time do to a service, a number is found that brings nearly as
// much as the best one.
func TestWorkersFindTheBestNumber(t *testing.T) {
	for name, c := range curves {
		for _, most := range []int{1, 3, 16, 64} {
			for _, noise := range []float64{0, 0.1} {
				for seed := range uint64(5) {
					t.Run(fmt.Sprint(name, ", at most ", most, ", noise ", noise, ", seed ", seed), func(t *testing.T) {
						s := newService(most, noise, seed)
						s.answer(c, 100+8*most)
						times := map[int]int{}
						began := s.now
						for range 300 {
							s.answer(c, 10)
							times[s.workers.Goal()]++
						}
						usual := slices.MaxFunc(slices.Sorted(maps.Keys(times)), func(a, b int) int { return times[a] - times[b] })
						if got := c.throughput(usual); usual < 1 || usual > most || got < (0.95-noise/2)*c.best(most) {
							t.Errorf("%d at a time bring %.2f of the best; %v", usual, got/c.best(most), times)
						}
						if got := 3000 / (s.now - began); got < 0.9*c.best(most) {
							t.Errorf("%.2f of the best while it looks around; %v", got/c.best(most), times)
						}
					})
				}
			}
		}
	}
}

// Another service than before is noticed.
func TestWorkersNoticeAChange(t *testing.T) {
	for from, before := range curves {
		for to, after := range curves {
			if from == to {
				continue
			}
			t.Run(from+", then "+to, func(t *testing.T) {
				s := newService(64, 0.05, 1)
				s.answer(before, 1500)
				s.answer(after, 3000)
				if got := s.answer(after, 2000); got < 0.9*after.best(64) {
					t.Errorf("%d at a time, %.2f of the best", s.workers.Goal(), got/after.best(64))
				}
			})
		}
	}
}

// Fewer requests at a time are preferred where more bring nothing, and no more are tried
// where the budget is spent.
func TestWorkersPreferFewer(t *testing.T) {
	s := newService(64, 0, 1)
	s.answer(curves["flat"], 200)
	if goal := s.workers.Goal(); goal != 1 {
		t.Errorf("%d at a time where one does", goal)
	}
	w := pacer.NewWorkers(64)
	for range 100 {
		w.Answered(1, time.Second, true)
	}
	if w.Goal() != 1 || w.Throughput() != 1 {
		t.Errorf("%d at a time, %v a second, though the budget is spent", w.Goal(), w.Throughput())
	}
	// Answers that say nothing about the goal are left out.
	w.Answered(1, 0, false)
	w.Answered(9, time.Second, false)
	if w.Goal() != 1 || w.Throughput() != 1 {
		t.Errorf("%d at a time, %v a second, by answers that say nothing", w.Goal(), w.Throughput())
	}
}
