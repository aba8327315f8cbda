package pacer

import "time"

// Activity is something that takes time, any number of times at once.
type Activity int

// Fetching is to have requests under way. Waiting is to keep from sending one as the API's
// limits want it; it counts only where nothing is fetched meanwhile.
const (
	Fetching Activity = iota
	Waiting
	activities
)

// Clock adds up how long each activity was going on, and what the API allowed meanwhile. Its
// zero value is ready.
type Clock struct {
	at    time.Time
	going [activities]int
	spent [activities]time.Duration

	rate      float64       // requests a second that are allowed, as far as known
	requests  float64       // that were allowed while that was known
	knownTime time.Duration // for how long it was
}

// Begin takes note that the activity begins once more, End that it ends once.
func (c *Clock) Begin(a Activity, now time.Time) { c.pass(now); c.going[a]++ }

// End is the opposite of Begin.
func (c *Clock) End(a Activity, now time.Time) { c.pass(now); c.going[a]-- }

// Now returns how many times at once the activity is going on.
func (c *Clock) Now(a Activity) int { return c.going[a] }

// Allow takes note of how many requests a second are allowed from now on; 0 where that is
// not known.
func (c *Clock) Allow(rate float64, now time.Time) { c.pass(now); c.rate = rate }

// Spent returns how long there were requests under way, and how long there were none because
// of the API's limits.
func (c *Clock) Spent(now time.Time) (fetching, waiting time.Duration) {
	c.pass(now)
	return c.spent[Fetching], c.spent[Waiting]
}

// Allowed returns how many requests a second were allowed on average; 0 where that was
// never known.
func (c *Clock) Allowed(now time.Time) float64 {
	c.pass(now)
	if c.knownTime <= 0 {
		return 0
	}
	return c.requests / c.knownTime.Seconds()
}

func (c *Clock) pass(now time.Time) {
	if passed := now.Sub(c.at); !c.at.IsZero() && passed > 0 {
		switch {
		case c.going[Fetching] > 0:
			c.spent[Fetching] += passed
		case c.going[Waiting] > 0:
			c.spent[Waiting] += passed
		}
		if c.rate > 0 {
			c.requests += c.rate * passed.Seconds()
			c.knownTime += passed
		}
	}
	c.at = now
}
