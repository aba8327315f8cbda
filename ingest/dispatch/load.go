package dispatch

import (
	"math"
	"time"

	"datasync/ingest/pacer"
)

// Headroom multiplies the number of requests at a time that keeps up with the limits on average: so
// many are worth while.
const Headroom = 1.2

// Demand says what the walks want. The dispatcher calls both functions under its lock, so they must not
// call the dispatcher.
type Demand struct {
	// MaxInFlight returns how many requests may be in flight. Worthwhile is how many bring more throughput,
	// as far as the dispatcher knows.
	MaxInFlight func(worthwhile int) int
	// Pages returns how many more pages are wanted; 0 where that is not known.
	Pages func() int
}

// load measures how fast the API answers, and how many requests at a time bring more. The dispatcher's
// lock guards it.
type load struct {
	// fastest is the shortest response time, lastPage the response time of the last whole page.
	fastest, lastPage time.Duration
	pages             int64 // that came
	clock             pacer.Clock
	// busySince is when the first of the requests in flight was sent.
	busySince time.Time
	speed     pacer.Speed
	workers   *pacer.Workers
	// allowed is how many requests a second the limits allowed last; 0 where that is not known.
	allowed float64
	// whole is how many requests for whole pages are in flight, most how many have been at a time.
	whole, most int
}

// SetDemand says how many requests may be in flight from now on, and how many pages are wanted.
func (d *Dispatcher) SetDemand(demand Demand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.demand = demand
}

// TargetWalks returns how many walks are worth while, and how long the last page took. There are no more walks
// than it takes to use up the limits.
func (d *Dispatcher) TargetWalks() (walks int, page time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	walks = d.load.workers.Goal()
	if rate := d.allowedRate(); rate > 0 {
		walks = min(walks, 1+int(math.Ceil(Headroom*rate*d.load.lastPage.Seconds())))
	}
	return walks, d.load.lastPage
}

// CanSendSoon reports whether that many requests can be sent without a wait for a limit.
func (d *Dispatcher) CanSendSoon(requests int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return requests <= d.requestsLeft(time.Now(), 0)
}

// PageTime returns how long a page took on average, waits included; 0 before the first one.
func (d *Dispatcher) PageTime() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.load.pages == 0 {
		return 0
	}
	fetching, waiting := d.load.clock.Spent(time.Now())
	return (fetching + waiting) / time.Duration(d.load.pages)
}

// Remaining estimates how long that many pages take: at the rate of the last ones, or as long as the limits
// need. It is 0 before the first page.
func (d *Dispatcher) Remaining(pages float64) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	rate := d.load.speed.Rate()
	if rate == 0 {
		return 0
	}
	var budgets []*pacer.Budget
	var closed time.Duration // until an endpoint may be asked
	for i, p := range d.pageEndpoints() {
		budgets = append(budgets, &p.budget)
		if wait := max(0, p.opensAt.Sub(now)); i == 0 || wait < closed {
			closed = wait
		}
	}
	fetching := time.Duration(pages / rate * float64(time.Second))
	return max(closed+fetching, pacer.Left(int(math.Ceil(pages)), now, budgets...)+d.load.lastPage)
}

// Minimum returns the API's own minimum for that many pages. For one walk it is the time that the API took
// for its answers and asked to wait; for several, what its limits allow or its best throughput under
// load, whichever is slower.
func (d *Dispatcher) Minimum(pages float64) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	fetching, waiting := d.load.clock.Spent(now)
	if d.load.most < 2 {
		return fetching + waiting
	}
	seconds := 0.0
	for _, rate := range []float64{d.load.clock.Allowed(now), d.load.workers.Throughput()} {
		if rate > 0 {
			seconds = max(seconds, pages/rate)
		}
	}
	return time.Duration(seconds * float64(time.Second))
}

// Counts has a dispatcher's requests, and their time.
type Counts struct {
	// Requests and Limited (429s) count by endpoint.
	Requests, Limited map[string]int64
	// Fetching is the time in which requests were in flight, Waiting the time in which none was although
	// one was wanted.
	Fetching, Waiting time.Duration
}

// Counts returns the counts so far.
func (d *Dispatcher) Counts() Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := Counts{Requests: map[string]int64{}, Limited: map[string]int64{}}
	for name, p := range d.endpoints {
		c.Requests[name], c.Limited[name] = p.requests, p.limited
	}
	c.Fetching, c.Waiting = d.load.clock.Spent(time.Now())
	return c
}

// Requests returns how many requests were sent, to all endpoints.
func (d *Dispatcher) Requests() (sent int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.endpoints {
		sent += p.requests
	}
	return sent
}

// allowedRate returns how many requests a second the endpoints allow together; 0 where that is not
// known of all of them. The lock is held.
func (d *Dispatcher) allowedRate() float64 {
	sum := 0.0
	for _, p := range d.pageEndpoints() {
		rate := p.budget.Rate()
		if rate == 0 {
			return 0
		}
		sum += rate
	}
	return sum
}

// requestsLeft returns how many requests the current rate-limit windows have left, with that many windows
// after them. The lock is held.
func (d *Dispatcher) requestsLeft(now time.Time, windows int) (requests int) {
	for _, p := range d.pageEndpoints() {
		if !p.budget.Known() {
			return math.MaxInt
		}
		left, _ := p.budget.Left(now)
		requests += left + windows*p.budget.Limit()
	}
	return requests
}

// allSpent reports whether no endpoint may be asked now. The lock is held.
func (d *Dispatcher) allSpent(now time.Time) bool {
	for _, p := range d.pageEndpoints() {
		if !d.next(p, now).After(now) {
			return false
		}
	}
	return true
}
