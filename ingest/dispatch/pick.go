package dispatch

import (
	"context"
	"fmt"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/pacer"
)

// longestGap is the longest time between two requests to an endpoint while the first is in flight.
const longestGap = 250 * time.Millisecond

const (
	// While a request to an endpoint is in flight, the next one waits for gapResponses times the fastest
	// response: a 429 arrives within that. The gap is at least leastGap, or unsureGap if the budget is not
	// known, and at most longestGap.
	gapResponses        = 3
	leastGap, unsureGap = 5 * time.Millisecond, 20 * time.Millisecond
	// soonEnough is how long a request with IfSoon waits for its endpoint.
	soonEnough = time.Second
	// longHold is the shortest wait of the events endpoint for which the user is told that the feed
	// serves instead.
	longHold = 5 * time.Minute
)

// budgetSpent is the reason for a wait that the endpoint has not asked for: it would answer 429.
const budgetSpent = "its limit"

// permit is a request that may be sent now, and counts as sent.
type permit struct {
	*endpoint
	token  *api.Access // for the feed
	sent   time.Time
	atOnce int // requests in flight, with this one
	// whole says that the request is for a whole page, of at most pageSize events.
	whole    bool
	pageSize int
}

// needsFeed reports whether only the feed can answer the request.
func needsFeed(req api.Request) bool { return req.Bounded || req.Only == api.Feed && !req.IfSoon }

// choose waits until the request may be sent to one of its endpoints, and returns the permit. It fetches
// the feed's token before. It fails with errFeedClosed if the feed refuses this client.
func (d *Dispatcher) choose(ctx context.Context, r *Requester, req api.Request) (permit, error) {
	queue := d.anyQueue
	if needsFeed(req) {
		queue = d.feedQueue
	}
	// Neither these waits nor the queue count as a failure of the page.
	began := time.Now()
	defer func() { r.WaitedForLimits += time.Since(began) }()
	if err := queue.enter(ctx); err != nil {
		return permit{}, err
	}
	defer queue.leave()
	var pacing *openWait
	defer func() { d.endPacing(pacing) }()
	for token := (*api.Access)(nil); ; {
		if err := ctx.Err(); err != nil {
			return permit{}, err
		}
		p, w, err := d.pick(r, req, token)
		switch {
		case err != nil:
			return permit{}, err
		case p.endpoint == nil:
			token = nil
			pacing, err = d.wait(ctx, w, pacing)
		case p.name == api.Feed && token == nil:
			token, err = d.token(ctx)
		default:
			if !req.Bounded {
				d.tellHeldOff(p)
			}
			return p, nil
		}
		if err != nil {
			return permit{}, err
		}
	}
}

// awaited is what a request waits for.
type awaited struct {
	// until is when an endpoint may be asked; zero means the end of a request in flight. changed is closed when that
	// time may have changed.
	until   time.Time
	changed <-chan struct{}
	// first is the endpoint that is asked then.
	first *endpoint
}

// pick returns a permit for an endpoint that may be asked now. If none may, it returns what to wait for. Without a
// token it returns the feed without taking the permit.
func (d *Dispatcher) pick(r *Requester, req api.Request, token *api.Access) (permit, awaited, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if req.IfSoon && (d.next(d.endpoints[req.Only], now).Sub(now) > soonEnough || req.Only == api.Feed && d.feed.abandoned) {
		req.Only = ""
	}
	feedOnly, eventsOnly := req.Bounded || req.Only == api.Feed, req.Only == api.Events
	if d.load.clock.Now(pacer.Fetching) >= d.demand.MaxInFlight(d.load.workers.Goal()) {
		return permit{}, awaited{changed: d.changed}, nil
	}
	if feedOnly && d.feed.abandoned {
		return permit{}, awaited{}, ErrNoPageByTime
	}
	events, feed := d.endpoints[api.Events], d.endpoints[api.Feed]
	first, until := feed, d.next(feed, now)
	feedOpen := !until.After(now) && !d.feed.abandoned && !eventsOnly
	wake := until
	if !feedOnly {
		at := d.next(events, now)
		if !at.After(now) && (!feedOpen || r.AvoidEndpoint != api.Events) {
			return d.take(events, nil, req, now), awaited{}, nil
		}
		if at.Before(wake) || d.feed.abandoned || eventsOnly {
			wake = at
		}
		if !at.After(until) || eventsOnly || d.feed.hopeless(now, d.options.MaxRetryTime) || d.feed.unknown() && until.Sub(now) > d.options.MaxWait {
			first, until = events, at
		}
	}
	if feedOpen {
		if token == nil {
			return permit{endpoint: feed}, awaited{}, nil
		}
		return d.take(feed, token, req, now), awaited{}, nil
	}
	switch wait := until.Sub(now); {
	case wait > d.options.MaxWait && feedOnly:
		return permit{}, awaited{}, ErrNoPageByTime
	case wait > d.options.MaxWait:
		return permit{}, awaited{}, fmt.Errorf("%w: come back at %s", ErrWaitTooLong, until.UTC().Format(time.RFC3339))
	}
	if d.load.clock.Now(pacer.Fetching) == 0 {
		why := first.reason
		if !first.opensAt.After(now) {
			why = budgetSpent
		}
		d.observer.Waiting(first.name, why, until)
	}
	return permit{}, awaited{wake, d.changed, first}, nil
}

// take counts a request as sent now. The lock is held.
func (d *Dispatcher) take(p *endpoint, token *api.Access, req api.Request, now time.Time) permit {
	whole := req.Limit == 0 && p.name != api.StreamAccess
	p.requests++
	p.inFlight++
	p.lastSent = now
	p.budget.Sent(now)
	d.load.clock.Begin(pacer.Fetching, now)
	d.countIdle(now)
	if d.load.clock.Now(pacer.Fetching) == 1 {
		d.load.busySince = now
	}
	size := 0
	if whole {
		d.load.whole++
		d.load.most = max(d.load.most, d.load.whole)
		size = d.client.PageSize(p.name)
	}
	return permit{p, token, now, d.load.clock.Now(pacer.Fetching), whole, size}
}

// wait waits for what pick returned, or until something has changed. It continues the pacing of the request, if there
// is one, and returns it.
func (d *Dispatcher) wait(ctx context.Context, w awaited, before *openWait) (pacing *openWait, err error) {
	if w.until.IsZero() {
		select {
		case <-ctx.Done():
			return before, ctx.Err()
		case <-w.changed:
			return before, nil
		}
	}
	pacing, end := d.beginWait(w.first, before)
	defer end()
	timer := time.NewTimer(time.Until(w.until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return pacing, ctx.Err()
	case <-w.changed:
	case <-timer.C:
	}
	return pacing, nil
}

// next returns when the endpoint may be asked: not before the end of a wait that it asked for, nor
// before its budget allows it. The lock is held.
func (d *Dispatcher) next(p *endpoint, now time.Time) time.Time {
	at := p.opensAt
	if p.inFlight > 0 {
		at = Later(at, p.lastSent.Add(d.gap(p)))
	}
	at = Later(at, now)
	// One walk spaces its requests by itself, and the last requests are sent as soon as possible.
	evenly := d.load.most > 1 && d.demand.Pages() > d.requestsLeft(now, 1)
	paced := p.budget.Next(at, evenly)
	if evenly && paced.Sub(now) > d.options.MaxWait {
		paced = p.budget.Next(at, false)
	}
	if paced.Sub(now) > d.options.MaxWait {
		return at // only the API may ask for so long a wait
	}
	return Later(at, paced)
}

// gap returns how long after a request that is in flight the endpoint gets another one.
func (d *Dispatcher) gap(p *endpoint) time.Duration {
	if d.load.fastest == 0 {
		return longestGap
	}
	least := unsureGap
	if p.budget.Known() {
		least = leastGap
	}
	return min(max(gapResponses*d.load.fastest, least), longestGap)
}

// tellHeldOff says, once in a run, that the feed serves because the events endpoint asked for a long wait.
// Without it nothing shows why a pull is as slow as the feed.
func (d *Dispatcher) tellHeldOff(p permit) {
	if p.name != api.Feed {
		return
	}
	d.mu.Lock()
	until := d.endpoints[api.Events].opensAt
	tell := !d.heldOffTold && time.Until(until) > min(d.options.MaxWait, longHold)
	d.heldOffTold = d.heldOffTold || tell
	d.mu.Unlock()
	if tell {
		d.options.Notice(fmt.Sprintf("the %s endpoint asked for a wait until %s: continuing with the %s; with --forget-waits the next pull asks it all the same",
			api.Events, until.UTC().Format(time.RFC3339), api.Feed))
	}
}

// Later returns the later of two instants.
func Later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
