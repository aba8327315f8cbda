package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"datasync/mockserver"
)

// grace is how long a request may be on its way while another connection gets an answer that asks
// for a wait. It is far more than loopback takes, and far less than any wait.
const grace = 20 * time.Millisecond

// Scenario is a kind of service.
type Scenario struct {
	Name string
	// What says how it differs from the observed one.
	What string
	// Long scenarios are measured with all events, others with fewer.
	Long   bool
	change func(o *mockserver.Options, events int)
}

// Observed is the scenario of the service as it was observed.
const Observed = "observed"

// Scenarios are all there are, in the order in which they are measured.
func Scenarios() []Scenario {
	return []Scenario{
		{Name: Observed, What: "the mock server's profile of that name", Long: true,
			change: func(*mockserver.Options, int) {}},
		{Name: "few-at-once", What: "most pages come with four requests in flight, fewer beyond",
			change: func(o *mockserver.Options, _ int) {
				for _, p := range both(o) {
					p.Load = []mockserver.LoadPoint{
						{InFlight: 1, Latency: 3 * time.Second},
						{InFlight: 4, Latency: 6 * time.Second},
						{InFlight: 8, Latency: 20 * time.Second},
						{InFlight: 16, Latency: 80 * time.Second},
					}
				}
			}},
		{Name: "small-budgets", What: "events endpoint 4 and feed 8 requests a minute, fewer than one walk would ask for",
			change: func(o *mockserver.Options, _ int) { budgets(o, 4, 8) }},
		{Name: "small-feed", What: "the feed allows 15 requests a minute",
			change: func(o *mockserver.Options, _ int) { budgets(o, 10, 15) }},
		{Name: "no-headers", What: "no X-RateLimit headers; a 429 names the wait in its body",
			change: func(o *mockserver.Options, _ int) {
				for _, p := range both(o) {
					p.RateLimit.Headers, p.RateLimit.Named = false, mockserver.RetryAfterBody
				}
			}},
		{Name: "halved", What: "both budgets are halved half-way through the least time",
			change: func(o *mockserver.Options, events int) { midway(o, events, 5, 20) }},
		{Name: "doubled", What: "both budgets begin at half and are doubled half-way through the least time",
			change: func(o *mockserver.Options, events int) {
				budgets(o, 5, 20)
				midway(o, events, 10, 40)
			}},
		{Name: "until-ends", What: "the feed ignores until from the eleventh minute on", Long: true,
			change: func(o *mockserver.Options, _ int) {
				ignored := mockserver.Ignored
				o.Changes = []mockserver.Change{{After: 10 * time.Minute, FeedUntil: &ignored}}
			}},
	}
}

// Options are those of the scenario's mock server with so many events, and all its times
// divided by the time scale.
func (s Scenario) Options(events int, timeScale float64) mockserver.Options {
	o := mockserver.Observed()
	o.Data.Events, o.TimeScale, o.Grace = events, timeScale, grace
	s.change(&o, events)
	return o
}

// Choose returns the scenarios with those names, which have commas between; all for none.
func Choose(names string) ([]Scenario, error) {
	all := Scenarios()
	if names == "" {
		return all, nil
	}
	var known []string
	for _, s := range all {
		known = append(known, s.Name)
	}
	var chosen []Scenario
	for name := range strings.SplitSeq(names, ",") {
		i := slices.Index(known, strings.TrimSpace(name))
		if i < 0 {
			return nil, fmt.Errorf("no scenario %q: there are %s", name, strings.Join(known, ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

func both(o *mockserver.Options) []*mockserver.Pages {
	return []*mockserver.Pages{&o.Events, &o.Feed}
}

func budgets(o *mockserver.Options, events, feed int) {
	o.Events.RateLimit.Requests, o.Feed.RateLimit.Requests = events, feed
}

// midway changes the budgets half-way through the least time that there is without.
func midway(o *mockserver.Options, events, eventsBudget, feedBudget int) {
	changed := *o
	budgets(&changed, eventsBudget, feedBudget)
	o.Changes = []mockserver.Change{{
		After:       time.Duration(float64(Least(*o, events)) * o.TimeScale / 2),
		EventsLimit: &changed.Events.RateLimit, FeedLimit: &changed.Feed.RateLimit,
	}}
}
