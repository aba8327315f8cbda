package api

import (
	"cmp"
	"math"
	"slices"
	"time"

	"datasync/mockserver"
)

// Pages is how many pages so many events are at least, as the service cuts them.
func Pages(o mockserver.Options, events int) int {
	eventsPages, feed := o.At(0)
	size := max(eventsPages.Cap, feed.Cap)
	return (events + size - 1) / size
}

// Least is the least time in which the service can serve so many events, however many requests are
// in flight. It lasts from the first request to the end of the last answer, at the service's scale.
// Two bounds hold at once:
//
//   - the budgets of both endpoints together, of which each window's is used as soon as it
//     begins;
//   - the load curve, by which so many requests in flight as serve the most pages are in
//     flight from the beginning of each window to the end, and never more than pages are left.
//
// Of a load that changes, the best counts all the time. That each of several walks has a
// last page that is not full is not in it.
func Least(o mockserver.Options, events int) time.Duration {
	left := Pages(o, events)
	var least time.Duration
	for _, w := range openings(o, left) {
		if left <= 0 {
			break
		}
		least = max(least, w.at+serving(o, left))
		left -= min(left, w.pages)
	}
	return time.Duration(float64(least) / cmp.Or(o.TimeScale, 1))
}

// opening is a time from which on so many pages more are allowed; not scaled.
type opening struct {
	at    time.Duration
	pages int
}

// openings are those of both endpoints, by time, until so many pages are allowed.
func openings(o mockserver.Options, pages int) []opening {
	all := slices.Concat(openingsOf(o, mockserver.Events, pages), openingsOf(o, mockserver.Feed, pages))
	slices.SortStableFunc(all, func(a, b opening) int { return cmp.Compare(a.at, b.at) })
	return all
}

// openingsOf are those of one endpoint: the beginnings of its windows, which follow one
// another without a gap, and the changes that add to a window under way.
func openingsOf(o mockserver.Options, e mockserver.Endpoint, pages int) []opening {
	var all []opening
	var now, ends time.Duration // ends: of the window
	for used, allowed := 0, 0; allowed < pages; {
		limit := limitAt(o, e, now)
		if limit.Requests == 0 {
			return append(all, opening{now, pages})
		}
		if now >= ends {
			used, ends = 0, now+limit.Window
		}
		if more := limit.Requests - used; more > 0 {
			all = append(all, opening{now, more})
			used, allowed = limit.Requests, allowed+more
		}
		next := ends
		for _, c := range o.Changes {
			if c.After > now {
				next = min(next, c.After)
			}
		}
		now = next
	}
	return all
}

func limitAt(o mockserver.Options, e mockserver.Endpoint, at time.Duration) mockserver.RateLimit {
	events, feed := o.At(at)
	if e == mockserver.Feed {
		return feed.RateLimit
	}
	return events.RateLimit
}

// serving is the least time for so many full pages by the load curves alone, at whatever
// number in flight is best; not scaled.
func serving(o mockserver.Options, pages int) time.Duration {
	best := math.Inf(1)
	for n := 1; n <= pages; n++ {
		best = min(best, float64(fastest(o, n))*float64(pages)/float64(n))
	}
	return time.Duration(best)
}

// fastest is the latency of a full page with so many in flight, of the endpoint and at the
// time where it is least.
func fastest(o mockserver.Options, inFlight int) time.Duration {
	least := time.Duration(math.MaxInt64)
	times := []time.Duration{0}
	for _, c := range o.Changes {
		times = append(times, c.After)
	}
	for _, at := range times {
		events, feed := o.At(at)
		for _, p := range []mockserver.Pages{events, feed} {
			least = min(least, p.PageLatency(inFlight, p.Cap))
		}
	}
	return least
}
