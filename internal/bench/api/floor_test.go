package api

import (
	"testing"
	"time"

	"datasync/mockserver"
)

func TestLeast(t *testing.T) {
	budget := func(n int) mockserver.RateLimit {
		return mockserver.RateLimit{Requests: n, Window: time.Minute}
	}
	limits := func(events, feed int) mockserver.Options {
		return mockserver.Options{Events: mockserver.Pages{RateLimit: budget(events)}, Feed: mockserver.Pages{RateLimit: budget(feed)}}
	}
	with := func(o mockserver.Options, changes ...mockserver.Change) mockserver.Options {
		o.Changes = changes
		return o
	}
	to := func(after time.Duration, events, feed int) mockserver.Change {
		e, f := budget(events), budget(feed)
		return mockserver.Change{After: after, EventsLimit: &e, FeedLimit: &f}
	}
	loaded := func(o mockserver.Options, points ...mockserver.LoadPoint) mockserver.Options {
		o.Events.Load, o.Feed.Load = points, points
		return o
	}
	scaled := func(o mockserver.Options) mockserver.Options {
		o.TimeScale = 10
		return o
	}
	slow := limits(0, 0)
	slow.Events.Latency, slow.Feed.Latency = time.Second, 2*time.Second
	const second, minute = time.Second, time.Minute
	for _, c := range []struct {
		name  string
		opts  mockserver.Options
		pages int
		want  time.Duration
	}{
		{"no limits", limits(0, 0), 1000, 0},
		{"nothing to get", limits(1, 1), 0, 0},
		{"in the first windows", limits(10, 40), 50, 0},
		{"one more", limits(10, 40), 51, minute},
		{"two windows", limits(10, 40), 100, minute},
		{"many windows", limits(10, 40), 600, 11 * minute},
		{"scaled", scaled(limits(10, 40)), 600, 66 * second},
		{"one endpoint has no limit", limits(10, 0), 600, 0},
		{"windows of two lengths", mockserver.Options{Events: mockserver.Pages{RateLimit: budget(10)},
			Feed: mockserver.Pages{RateLimit: mockserver.RateLimit{Requests: 2, Window: 25 * second}}}, 16, 50 * second},

		{"halved before a window", with(limits(10, 40), to(minute, 5, 20)), 125, 3 * minute},
		{"halved within a window, used already", with(limits(10, 40), to(90*second, 5, 20)), 125, 2 * minute},
		{"doubled within a window", with(limits(10, 40), to(90*second, 20, 80)), 150, 90 * second},
		{"doubled within a window, and on", with(limits(10, 40), to(90*second, 20, 80)), 151, 2 * minute},
		{"limits that end", with(limits(10, 40), to(90*second, 0, 0)), 1000, 90 * second},

		{"latency of the faster endpoint", slow, 7, second},
		{"best with all in flight", loaded(limits(0, 0), mockserver.LoadPoint{InFlight: 1, Latency: 4 * second}, mockserver.LoadPoint{InFlight: 5, Latency: 8 * second}), 5, 8 * second},
		{"best beyond the curve", loaded(limits(0, 0), mockserver.LoadPoint{InFlight: 1, Latency: 4 * second}, mockserver.LoadPoint{InFlight: 5, Latency: 8 * second}), 10, 13 * second},
		{"best with few in flight", loaded(limits(0, 0), mockserver.LoadPoint{InFlight: 1, Latency: 4 * second}, mockserver.LoadPoint{InFlight: 2, Latency: 6 * second},
			mockserver.LoadPoint{InFlight: 3, Latency: 60 * second}), 100, 300 * second},
		{"best with one", loaded(limits(0, 0), mockserver.LoadPoint{InFlight: 1, Latency: 4 * second}, mockserver.LoadPoint{InFlight: 2, Latency: 9 * second}), 100, 400 * second},
		{"load that gets better", with(loaded(limits(0, 0), mockserver.LoadPoint{InFlight: 1, Latency: 4 * second}),
			mockserver.Change{After: minute, FeedLoad: []mockserver.LoadPoint{{InFlight: 1, Latency: second}}}), 1, second},
		// The last ten may be asked for after a minute only, and take ten seconds together.
		{"both", loaded(limits(10, 40), mockserver.LoadPoint{InFlight: 1, Latency: second}, mockserver.LoadPoint{InFlight: 2, Latency: 2 * second}), 60, 70 * second},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Least(c.opts, c.pages*5000); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestPages(t *testing.T) {
	for events, want := range map[int]int{0: 0, 1: 1, 5000: 1, 5001: 2, 3_000_000: 600} {
		if got := Pages(mockserver.Observed(), events); got != want {
			t.Errorf("%d events: %d pages, want %d", events, got, want)
		}
	}
}

// TestScenarios are all valid, and their least times are known.
func TestScenarios(t *testing.T) {
	want := map[string]time.Duration{
		"observed":      70_800 * time.Millisecond, // eleven windows, then fifty at once
		"few-at-once":   90 * time.Second,          // 600 of 1.5 s each, four at a time, ten times as fast
		"small-budgets": 295_760 * time.Millisecond,
		"small-feed":    140_800 * time.Millisecond,
		"no-headers":    70_800 * time.Millisecond,
	}
	for _, s := range Scenarios() {
		o := s.Options(3_000_000, 10)
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		least := Least(o, 3_000_000)
		if w, known := want[s.Name]; known && least != w {
			t.Errorf("%s: %v, want %v", s.Name, least, w)
		}
		if len(o.Changes) > 0 && o.Changes[0].After >= time.Duration(float64(least)*o.TimeScale) {
			t.Errorf("%s changes at %v only, of %v", s.Name, o.Changes[0].After, least)
		}
		t.Log(s.Name, least)
	}
}

func TestChoose(t *testing.T) {
	if all, err := Choose(""); err != nil || len(all) != len(Scenarios()) {
		t.Errorf("%d, %v", len(all), err)
	}
	two, err := Choose("halved, observed")
	if err != nil || len(two) != 2 || two[0].Name != "halved" || two[1].Name != Observed {
		t.Errorf("%v, %v", two, err)
	}
	if _, err := Choose("observed,perfect"); err == nil {
		t.Error("an unknown scenario is accepted")
	}
}
