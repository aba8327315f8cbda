package mockserver

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Contract returns the API as its own description has it: pages of 100,000 events, a budget of its
// own for the feed, no headers, no latency.
func Contract() Options {
	limit := RateLimit{Requests: 10, Window: 30 * time.Second, Named: RetryAfterBody}
	feed := limit
	feed.Requests = 20
	return Options{
		Events: Pages{Cap: 100_000, DefaultLimit: 25, RateLimit: limit},
		Feed:   Pages{Cap: 100_000, DefaultLimit: 25, RateLimit: feed},
	}.withDefaults()
}

// Observed returns the API as users of the live service report it. It is slow under load, its pages
// have at most 5,000 events, and stream-access is for browsers only. The events endpoint has a
// cache, and only the feed has time bounds.
func Observed() Options {
	return Options{
		Events: Pages{
			Cap: 5000, DefaultLimit: 100,
			RateLimit: RateLimit{
				Requests: 10, Window: 60 * time.Second, Headers: true,
				Named: RetryAfterSeconds | ResetHeader | ResetBody,
			},
			Load:     ObservedLoad(),
			CacheTTL: 30 * time.Second,
		},
		Feed: Pages{
			Cap: 5000, DefaultLimit: 100,
			RateLimit: RateLimit{Requests: 40, Window: 60 * time.Second, Named: RetryAfterBody},
			Since:     Exclusive, Until: Exclusive,
			EpochOnly: true,
			Load:      ObservedLoad(),
		},
		Access:   Access{RefuseScripts: true},
		Sessions: RateLimit{Requests: 40, Window: 60 * time.Second, Named: RetryAfterSeconds | ResetBody},
		Bulk:     RateLimit{Requests: 20, Window: 60 * time.Second, Named: RetryAfterSeconds | ResetBody},
	}.withDefaults()
}

// ObservedLoad returns the load curve of the live service: about 5,000 events per second in total
// for any number of requests in flight.
func ObservedLoad() []LoadPoint {
	return []LoadPoint{
		{InFlight: 1, Latency: 4500 * time.Millisecond},
		{InFlight: 5, Latency: 10 * time.Second},
		{InFlight: 10, Latency: 16 * time.Second},
		{InFlight: 20, Latency: 24 * time.Second},
	}
}

// WithoutLatency returns a copy of the options without latencies.
func (o Options) WithoutLatency() Options {
	for _, p := range []*Pages{&o.Events, &o.Feed} {
		p.Latency, p.Load = 0, nil
	}
	o.Changes = slices.Clone(o.Changes)
	for i := range o.Changes {
		o.Changes[i].EventsLoad, o.Changes[i].FeedLoad = nil, nil
	}
	o.Access.Latency = 0
	return o
}

// Profiles returns the names that ParseProfile knows.
func Profiles() []string { return []string{"contract", "observed", "plain"} }

// ParseProfile returns the options of a profile by its name: contract, observed, or plain (the zero
// Options: no limits, no latency).
func ParseProfile(name string) (Options, error) {
	switch name {
	case "contract":
		return Contract(), nil
	case "observed":
		return Observed(), nil
	case "plain":
		return Options{}.withDefaults(), nil
	}
	return Options{}, fmt.Errorf("unknown profile %q: want one of %s", name, strings.Join(Profiles(), ", "))
}
