package ingest

import (
	"context"
	"fmt"
	"math"
	"time"

	"datasync/ingest/pacer"
)

const (
	// While a request to an endpoint is not answered, the next one goes out some quickest
	// answers later, between leastGap and mostGap: if it is a 429, that will have come by
	// then.
	gapAnswers        = 3
	leastGap, mostGap = 5 * time.Millisecond, 250 * time.Millisecond
)

// budgetSpent is why an endpoint is not asked that has not asked for a wait: it would.
const budgetSpent = "its limit"

// choose waits until an endpoint, or the feed if that is the one that is wanted, may be
// asked, and there may be one request more, and returns it.
func (e *endpoints) choose(ctx context.Context, c *caller, feedOnly bool) (*gate, error) {
	queue := e.any
	if feedOnly {
		queue = e.feedOnly
	}
	began := time.Now()
	if err := queue.enter(ctx); err != nil {
		return nil, err
	}
	defer queue.leave()
	closed := false
	for {
		g, until, changed, err := e.pick(c, feedOnly)
		if g != nil || err != nil {
			if closed {
				c.waited += time.Since(began)
			}
			if err == nil {
				err = ctx.Err()
			}
			return g, err
		}
		closed = closed || !until.IsZero()
		err = e.wait(ctx, until, changed)
		if err != nil {
			c.waited += time.Since(began)
			return nil, err
		}
	}
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

// pick returns the endpoint that may be asked now, or else until when none may; no time
// stands for the end of a request that is under way. Changed is closed when that may have
// become another.
func (e *endpoints) pick(c *caller, feedOnly bool) (_ *gate, until time.Time, changed <-chan struct{}, _ error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if e.clock.Now(pacer.Fetching) >= e.atOnce() {
		return nil, time.Time{}, e.changed, nil
	}
	if feedOnly && e.feedGone {
		return nil, now, nil, errNoBound
	}
	events, feed := e.gates[eventsEndpoint], e.gates[feedEndpoint]
	first, until := feed, e.next(feed, now)
	feedOpen := !until.After(now) && !e.feedGone
	if !feedOnly {
		at := e.next(events, now)
		if !at.After(now) && (!feedOpen || c.avoid != eventsEndpoint) {
			return events, now, nil, nil
		}
		if e.feedGone || !at.After(until) {
			first, until = events, at
		}
	}
	if feedOpen {
		return feed, now, nil, nil
	}
	switch wait := until.Sub(now); {
	case wait > e.maxWait && feedOnly:
		return nil, until, nil, errNoBound
	case wait > e.maxWait:
		return nil, until, nil, fmt.Errorf("%w: come back at %s", ErrClosed, until.UTC().Format(time.RFC3339))
	}
	if e.clock.Now(pacer.Fetching) == 0 {
		why := first.why
		if !first.opens.After(now) {
			why = budgetSpent
		}
		e.progress.waiting(first.name, why, until)
	}
	return nil, until, e.changed, nil
}

// next returns when the endpoint may be asked: not before the end of a wait that it asked
// for, nor before its budget has room again.
func (e *endpoints) next(g *gate, now time.Time) time.Time {
	at := g.opens
	if g.out > 0 {
		gap := min(max(gapAnswers*e.quickest, leastGap), mostGap)
		if e.quickest == 0 {
			gap = mostGap
		}
		at = later(at, g.last.Add(gap))
	}
	at = later(at, now)
	// The last requests go out as soon as they can.
	evenly := e.needed() > e.room(now, 1)
	paced := g.budget.Next(at, evenly)
	if evenly && paced.Sub(now) > e.maxWait {
		paced = g.budget.Next(at, false)
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

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
