package mockserver_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"datasync/mockserver"
)

type wireSession struct {
	ID, UserID, DeviceType, Browser string
	EventCount                      int
}

// tally is counts that the tests make themselves, event by event.
type tally struct{ types, devices, sessions, users map[string]int }

func tallyOf(d *mockserver.Dataset, shown func(i int) bool) tally {
	c := tally{map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}}
	for i := range d.Len() {
		if shown(i) {
			e := d.Event(i)
			c.types[e.Type]++
			c.devices[e.DeviceType]++
			c.sessions[e.SessionID.String()]++
			c.users[e.UserID.String()]++
		}
	}
	return c
}

// TestCounts: stats, sessions and filters agree with the events, before and after the set changes.
func TestCounts(t *testing.T) { inBothShapes(t, testCounts) }

// inBothShapes runs a test with the flat and with the lively shape.
func inBothShapes(t *testing.T, test func(*testing.T, mockserver.Shape)) {
	for _, shape := range []mockserver.Shape{mockserver.ShapeFlat, mockserver.ShapeLively} {
		t.Run(shape.String(), func(t *testing.T) { test(t, shape) })
	}
}

func testCounts(t *testing.T, shape mockserver.Shape) {
	s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Shape: shape, Events: 20_000, LateEvery: 7, SwapEvery: 50, SwapDistance: 20}})
	d, a := s.Dataset(), newAPI(t, s)
	revealed := false
	check := func(t *testing.T) {
		t.Helper()
		want := tallyOf(d, func(i int) bool { return revealed || !d.Late(i) })
		var stats struct {
			Counts        struct{ Events, Sessions, Users int }
			Distributions struct {
				EventTypes, DeviceTypes []struct {
					Type  string
					Count int
				}
			}
			Cache *struct{}
		}
		a.into(&stats, mockserver.StatsPath)
		got := tally{types: map[string]int{}, devices: map[string]int{}}
		for _, c := range stats.Distributions.EventTypes {
			got.types[c.Type] = c.Count
		}
		for _, c := range stats.Distributions.DeviceTypes {
			got.devices[c.Type] = c.Count
		}
		if fmt.Sprint(got.types, got.devices) != fmt.Sprint(want.types, want.devices) || stats.Cache == nil {
			t.Errorf("stats %+v, want %v %v", stats, want.types, want.devices)
		}
		if c := stats.Counts; c.Events != d.Total() || c.Sessions != len(want.sessions) || c.Users != len(want.users) {
			t.Errorf("counts %+v, want %d, %d, %d", c, d.Total(), len(want.sessions), len(want.users))
		}
		list, total := a.sessions(3000)
		if len(list) != len(want.sessions) || total != len(list) {
			t.Errorf("%d sessions of %d, want %d", len(list), total, len(want.sessions))
		}
		for _, session := range list {
			if session.EventCount != want.sessions[session.ID] {
				t.Fatalf("%+v, want %d events", session, want.sessions[session.ID])
			}
		}
		for name, n := range want.types {
			if p := a.mustPage(mockserver.EventsPath, "limit", "1", "type", name); *p.Meta.Total != n {
				t.Errorf("%s: total %d, want %d", name, *p.Meta.Total, n)
			}
		}
	}
	check(t)
	d.Grow(500)
	check(t)
	d.Reveal()
	revealed = true
	check(t)
}

// TestCountsDoNotHoldOthersUp: other requests are answered during a count of a large set.
func TestCountsDoNotHoldOthersUp(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{}))
	a := newAPI(t, s)
	feed := a.openFeed()
	release := s.HoldCounts()
	var wg sync.WaitGroup
	for _, path := range []string{mockserver.StatsPath, mockserver.SessionsPath} {
		wg.Go(func() { newAPI(t, s).get(path) })
	}
	for s.Stats().InFlight < 2 {
		runtime.Gosched()
	}
	a.mustPage(mockserver.EventsPath, "limit", "1")
	a.mustPage(feed, "limit", "1")
	a.into(&struct{}{}, mockserver.EventsPath+"/"+s.Dataset().Event(0).ID.String())
	a.into(&struct{}{}, mockserver.HealthPath)
	release()
	wg.Wait()
	if n := s.Stats().Further.Requests; n != 4 {
		t.Errorf("%d further requests, want 4", n)
	}
}
