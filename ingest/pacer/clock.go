package pacer

import "time"

// Activity takes time, any number of times concurrently.
type Activity int

// Fetching is a request under way. Waiting is a delay that the API's limits require; it counts only
// while nothing is fetched.
const (
	Fetching Activity = iota
	Waiting
	activities
)

// Clock adds up the time of each activity, and the rate that the API allowed. Its zero value is ready.
type Clock struct {
	at    time.Time
	going [activities]int
	spent [activities]time.Duration

	rate      float64       // allowed requests a second; 0 if unknown
	requests  float64       // allowed while the rate was known
	knownTime time.Duration // how long the rate was known
}

// Begin records that the activity begins once more.
func (c *Clock) Begin(a Activity, now time.Time) { c.pass(now); c.going[a]++ }

// End records that the activity ends once.
func (c *Clock) End(a Activity, now time.Time) { c.pass(now); c.going[a]-- }

// Now returns how many times the activity is under way.
func (c *Clock) Now(a Activity) int { return c.going[a] }

// Allow records how many requests a second are allowed from now on; 0 if unknown.
func (c *Clock) Allow(rate float64, now time.Time) { c.pass(now); c.rate = rate }

// Spent returns how long requests were under way, and how long there were none because of the API's
// limits.
func (c *Clock) Spent(now time.Time) (fetching, waiting time.Duration) {
	c.pass(now)
	return c.spent[Fetching], c.spent[Waiting]
}

// Allowed returns how many requests a second were allowed on average; 0 if never known.
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
