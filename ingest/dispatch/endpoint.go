package dispatch

import (
	"math/rand/v2"
	"strconv"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/pacer"
)

const (
	// unnamedWait is the wait after an answer that asks for one without naming its length. It doubles
	// up to longestUnnamed if the next answers do the same.
	unnamedWait    = 5 * time.Second
	longestUnnamed = time.Minute
	// shortWait is how long a named wait must be to be kept as it is each time. A shorter one is at
	// least leastWait, which doubles up to unnamedWait: an endpoint that names no wait at all would
	// otherwise get thousands of requests a second.
	shortWait, leastWait = time.Second, 10 * time.Millisecond
)

// endpoint is the state of one endpoint. The dispatcher's lock guards it.
type endpoint struct {
	name string
	// opensAt is when the endpoint may be asked again, reason why it was held off last.
	opensAt time.Time
	reason  string
	// unnamedStreak counts waits in a row whose length the endpoint did not name, or named too short.
	unnamedStreak int
	budget        pacer.Budget

	inFlight int
	lastSent time.Time
	// tooLarge is the first page that was too large, shrunkTo how many events were requested after it.
	// shrinkNoted says that the user was told.
	tooLarge    *decode.TooLarge
	shrunkTo    int
	shrinkNoted bool

	requests, limited int64
}

// holdOff closes the endpoint for as long as it asked, and a little longer. Else all clients that got
// the same wait would come back together. It reports whether the endpoint opens later than before.
func (p *endpoint) holdOff(answer *api.Error, now time.Time) (later bool) {
	wait := answer.Wait
	switch {
	case !answer.Named:
		wait = min(unnamedWait<<min(p.unnamedStreak, 8), longestUnnamed)
		p.unnamedStreak++
	case wait < shortWait:
		wait = max(wait, min(leastWait<<min(p.unnamedStreak, 16), unnamedWait))
		p.unnamedStreak++
	}
	wait += time.Duration(rand.Float64() * float64(min(wait/10, time.Second)))
	p.reason = strconv.Itoa(answer.Status)
	if answer.Means == api.MeansRateLimited {
		p.limited++
	}
	if until := now.Add(wait); until.After(p.opensAt) {
		p.opensAt = until
		return true
	}
	return false
}

// close closes the endpoint until then, unless it is closed for longer. It reports whether it opens later than
// before.
func (p *endpoint) close(until time.Time, reason string) (later bool) {
	if until.After(p.opensAt) {
		p.opensAt, p.reason = until, reason
		return true
	}
	return false
}

// learn updates the budget by the rate limit that an answer shows.
func (p *endpoint) learn(answer *api.Error, stated api.RateLimit, sent, now time.Time) (moreAllowed bool) {
	switch {
	case answer != nil:
		if answer.Means == api.MeansRateLimited && answer.Named {
			p.budget.Refused(sent, now, answer.Wait)
		}
		return false
	case stated.Requests > 0:
		p.budget.Stated(sent, stated.Requests, stated.Remaining, stated.Reset)
	}
	return p.budget.Granted(sent)
}
