package mockserver

import (
	"cmp"
	"fmt"
	"time"
)

// Change replaces options at a time. Fields that are nil change nothing.
//
// A new budget counts at once, in the current window too: requests made in it stay counted, and
// its end does not move. Services behave so that keep a counter with an expiry and compare it
// with the budget that is configured now. A new RateLimit.Window begins with the next window.
type Change struct {
	// After is the time since the server's first request, divided by TimeScale.
	After time.Duration

	EventsLimit, FeedLimit *RateLimit
	// EventsLoad and FeedLoad replace Pages.Load; empty ones that are not nil end it.
	EventsLoad, FeedLoad []LoadPoint
	FeedUntil            *Bound
}

// phase is the options of both page endpoints from a time on.
type phase struct {
	from         time.Duration // since the first request, scaled
	events, feed Pages
}

// phases returns the phases that the options describe. The first begins with the first request.
func (o Options) phases() []phase {
	now := phase{events: o.Events, feed: o.Feed}
	all := []phase{now}
	for _, c := range o.Changes {
		now.from = time.Duration(float64(c.After) / o.TimeScale)
		if c.EventsLimit != nil {
			now.events.RateLimit = c.EventsLimit.withDefaults()
		}
		if c.FeedLimit != nil {
			now.feed.RateLimit = c.FeedLimit.withDefaults()
		}
		if c.EventsLoad != nil {
			now.events.Load = c.EventsLoad
		}
		if c.FeedLoad != nil {
			now.feed.Load = c.FeedLoad
		}
		if c.FeedUntil != nil {
			now.feed.Until = *c.FeedUntil
		}
		all = append(all, now)
	}
	return all
}

// At returns the options of both page endpoints at a time since the first request, as of
// Change.After.
func (o Options) At(after time.Duration) (events, feed Pages) {
	o = o.withDefaults()
	now := 0
	for i, c := range o.Changes {
		if c.After <= after {
			now = i + 1
		}
	}
	p := o.phases()[now]
	return p.events, p.feed
}

func (l RateLimit) withDefaults() RateLimit {
	l.Window = cmp.Or(l.Window, time.Minute)
	return l
}

// pages returns the options of a page endpoint.
func (p *phase) pages(e Endpoint) *Pages {
	if e == Feed {
		return &p.feed
	}
	return &p.events
}

func (c Change) validate() error {
	if c.After <= 0 {
		return fmt.Errorf("after %v: want a time after the first request", c.After)
	}
	for e, l := range map[Endpoint]*RateLimit{Events: c.EventsLimit, Feed: c.FeedLimit} {
		if l != nil && !l.valid() {
			return fmt.Errorf("%v: rate limit of %d in %v", e, l.Requests, l.Window)
		}
	}
	for e, curve := range map[Endpoint][]LoadPoint{Events: c.EventsLoad, Feed: c.FeedLoad} {
		if !rising(curve) {
			return fmt.Errorf("%v: load points must rise from 1", e)
		}
	}
	if c.FeedUntil != nil && *c.FeedUntil > Inclusive {
		return fmt.Errorf("until %d: no such bound", *c.FeedUntil)
	}
	return nil
}

func (l RateLimit) valid() bool { return l.Requests >= 0 && l.withDefaults().Window > 0 }

// rising reports whether a load curve is valid: its points ascend from at least 1 request in
// flight, and no latency is negative.
func rising(curve []LoadPoint) bool {
	for i, point := range curve {
		if point.InFlight <= 0 || point.Latency < 0 || i > 0 && point.InFlight <= curve[i-1].InFlight {
			return false
		}
	}
	return true
}
