package ingest

import (
	"context"
	"datasync/ingest/api"
	"datasync/ingest/pacer"
	"fmt"
	"math"
	"time"
)

const (
	// While a request to an endpoint is not answered, the next one goes out some quickest
	// answers later, between leastGap (or unsureGap, where its budget is not known) and
	// mostGap: if it is a 429, that will have come by then.
	gapAnswers                   = 3
	leastGap, unsureGap, mostGap = 5 * time.Millisecond, 20 * time.Millisecond, 250 * time.Millisecond
)

// budgetSpent is why an endpoint is not asked that has not asked for a wait: it would.
const budgetSpent = "its limit"

// place is a request that may go out now, and counts as sent.
type place struct {
	*gate
	token    *api.Access // for the feed
	sent     time.Time
	inFlight int // with this one
	whole    bool
	asked    int // events at most
}

// choose waits until an endpoint, or the feed if that is the one that is wanted, may be
// asked, and there may be one request more, and takes the place for it. The feed's token is
// fetched before. It fails with errFeedClosed where the feed lets nobody in.
func (e *endpoints) choose(ctx context.Context, c *caller, a api.Request) (place, error) {
	queue := e.any
	if feedOnly(a) {
		queue = e.feedOnly
	}
	// Nothing of this is a failure of the page, nor is to stand in line behind others.
	began := time.Now()
	defer func() { c.waited += time.Since(began) }()
	if err := queue.enter(ctx); err != nil {
		return place{}, err
	}
	defer queue.leave()
	for token := (*api.Access)(nil); ; {
		if err := ctx.Err(); err != nil {
			return place{}, err
		}
		p, until, changed, err := e.pick(c, a, token)
		switch {
		case err != nil:
			return place{}, err
		case p.gate == nil:
			token, err = nil, e.wait(ctx, until, changed)
		case p.name == api.Feed && token == nil:
			token, err = e.token(ctx)
		default:
			if !a.Bounded {
				e.tellHeldOff(p)
			}
			return p, nil
		}
		if err != nil {
			return place{}, err
		}
	}
}

// take has a request count as sent now. The lock is held.
func (e *endpoints) take(g *gate, token *api.Access, whole bool, now time.Time) place {
	g.requests++
	g.out++
	g.last = now
	g.budget.Sent(now)
	e.clock.Begin(pacer.Fetching, now)
	if whole {
		e.whole++
		e.most = max(e.most, e.whole)
	}
	asked := 0
	if whole {
		asked = e.client.PageSize(g.name)
	}
	return place{g, token, now, e.clock.Now(pacer.Fetching), whole, asked}
}

// wait waits until a time, where there is one, or until something has changed.
func (e *endpoints) wait(ctx context.Context, until time.Time, changed <-chan struct{}) error {
	if until.IsZero() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
			return nil
		}
	}
	e.clocked(pacer.Waiting, true)
	defer e.clocked(pacer.Waiting, false)
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-timer.C:
	}
	return nil
}

func (e *endpoints) clocked(what pacer.Activity, begins bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if begins {
		e.clock.Begin(what, time.Now())
	} else {
		e.clock.End(what, time.Now())
	}
}

// pick takes a place at the endpoint that may be asked now, or returns until when none may; no
// time stands for the end of a request that is under way. Changed is closed when that may
// have become another. At the feed no place is taken without a token.
func (e *endpoints) pick(c *caller, a api.Request, token *api.Access) (_ place, until time.Time, changed <-chan struct{}, _ error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if a.IfSoon && (e.next(e.gates[a.Only], now).Sub(now) > soonEnough || a.Only == api.Feed && e.feedGone) {
		a.Only = ""
	}
	onFeed, onEvents := a.Bounded || a.Only == api.Feed, a.Only == api.Events
	if e.clock.Now(pacer.Fetching) >= e.atOnce() {
		return place{}, time.Time{}, e.changed, nil
	}
	if onFeed && e.feedGone {
		return place{}, now, nil, errNoBound
	}
	events, feed := e.gates[api.Events], e.gates[api.Feed]
	first, until := feed, e.next(feed, now)
	feedOpen := !until.After(now) && !e.feedGone && !onEvents
	wake := until
	if !onFeed {
		at := e.next(events, now)
		if !at.After(now) && (!feedOpen || c.avoid != api.Events) {
			return e.take(events, nil, a.Limit == 0, now), now, nil, nil
		}
		if at.Before(wake) || e.feedGone || onEvents {
			wake = at
		}
		if !at.After(until) || onEvents || e.feedIsHopeless(now) || !e.had && e.denied+e.accessWaits > 0 && until.Sub(now) > e.maxWait {
			first, until = events, at
		}
	}
	if feedOpen {
		if token == nil {
			return place{gate: feed}, now, nil, nil
		}
		return e.take(feed, token, a.Limit == 0, now), now, nil, nil
	}
	switch wait := until.Sub(now); {
	case wait > e.maxWait && onFeed:
		return place{}, until, nil, errNoBound
	case wait > e.maxWait:
		return place{}, until, nil, fmt.Errorf("%w: come back at %s", ErrClosed, until.UTC().Format(time.RFC3339))
	}
	if e.clock.Now(pacer.Fetching) == 0 {
		why := first.why
		if !first.opens.After(now) {
			why = budgetSpent
		}
		e.progress.waiting(first.name, why, until)
	}
	return place{}, wake, e.changed, nil
}

// feedOnly reports whether the feed alone is to be asked.
func feedOnly(a api.Request) bool { return a.Bounded || a.Only == api.Feed && !a.IfSoon }

// next returns when the endpoint may be asked: not before the end of a wait that it asked
// for, nor before its budget has room again.
func (e *endpoints) next(g *gate, now time.Time) time.Time {
	at := g.opens
	if g.out > 0 {
		least := unsureGap
		if g.budget.Known() {
			least = leastGap
		}
		gap := min(max(gapAnswers*e.quickest, least), mostGap)
		if e.quickest == 0 {
			gap = mostGap
		}
		at = later(at, g.last.Add(gap))
	}
	at = later(at, now)
	// One walk is even by itself, and the last requests go out as soon as they can.
	evenly := e.most > 1 && e.needed() > e.room(now, 1)
	paced := g.budget.Next(at, evenly)
	if evenly && paced.Sub(now) > e.maxWait {
		paced = g.budget.Next(at, false)
	}
	if paced.Sub(now) > e.maxWait {
		// That is for the API to say.
		paced = at
	}
	return later(at, paced)
}

// room is how many requests the windows under way have left, with so many windows after
// them.
func (e *endpoints) room(now time.Time, windows int) (requests int) {
	for _, g := range e.pageGates() {
		if !g.budget.Known() {
			return math.MaxInt
		}
		left, _ := g.budget.Left(now)
		requests += left + windows*g.budget.Limit()
	}
	return requests
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
