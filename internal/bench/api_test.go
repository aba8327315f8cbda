package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"datasync/internal/bench/api"
	"datasync/internal/bench/measure"
	"datasync/mockserver"
)

// TestAPI measures pulls of a few pages, against the real program.
func TestAPI(t *testing.T) {
	scenarios, err := api.Choose(api.Observed)
	if err != nil {
		t.Fatal(err)
	}
	a := &apiRun{place: &place{root: "../..", work: t.TempDir()}, events: 25_000, fewEvents: 5_000, turns: 1, timeScale: 10, auto: true, scenarios: scenarios}
	if err := a.measure(context.Background()); err != nil {
		t.Fatal(err)
	}
	text := a.result.markdown()
	for _, want := range []string{"| observed: sequential: wall time, of its floor | at most 1.05 |", "| observed: auto: times as fast as sequential | at least 3.0 |",
		"| observed: all pulls: requests inside a wait | at most 0 |", "| observed | 25,000 |", "| observed | 1 | 1 |", "DuckDB v"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if n := len(a.result.resumes); n != 1 || a.result.resumes[0].KilledAt < 2 || a.result.resumes[0].Sent < 5 {
		t.Errorf("killed: %+v", a.result.resumes)
	}
	if t.Failed() {
		t.Log(text)
	}
	if left, err := os.ReadDir(a.work); err != nil || len(left) != 0 {
		t.Errorf("%d entries are left in the work folder, %v", len(left), err)
	}
}

// TestAPITargets: targets are computed turn by turn, and name the missing runs.
func TestAPITargets(t *testing.T) {
	run := func(turn int, workers string, wall time.Duration, early int) api.Run {
		return api.Run{Scenario: api.Observed, Events: 10_000, Turn: turn, Workers: workers, Cost: measure.Cost{Wall: wall}, Least: 10 * time.Second,
			Served: mockserver.Stats{Early: early, Latency: 30 * time.Second, Blocked: 10 * time.Second,
				Events: mockserver.EndpointStats{Requests: 50, Limited: 1, Pages: 49}}}
	}
	scenarios, err := api.Choose("observed,halved")
	if err != nil {
		t.Fatal(err)
	}
	r := apiResult{timeScale: 10, scenarios: scenarios, runs: []api.Run{
		run(1, api.Sequential, 40*time.Second, 0), run(1, api.Auto, 12*time.Second, 1),
		run(2, api.Sequential, 44*time.Second, 0), run(2, api.Auto, 11*time.Second, 0),
		run(3, api.Sequential, 48*time.Second, 0), run(3, api.Auto, 10*time.Second, 0),
	}, resumes: []api.Resume{{Scenario: api.Observed, Workers: api.Auto, Windows: 4, Sent: 55, Undisturbed: 49, Served: mockserver.Stats{Early: 2}}}}
	text := r.markdown()
	for _, want := range []string{
		"| observed: sequential: wall time, of its floor | at most 1.05 | 1.10 | no |",
		"| observed: auto: wall time, of the service's floor | at most 1.10 | 1.10 | yes |",
		"| observed: auto: times as fast as sequential | at least 3.0 | 4.0 | yes |",
		"| observed: auto: 429s, of all requests | at most 2.0 % | 2.0 % | yes |",
		"| observed: all pulls: requests inside a wait | at most 0 | 3 | no |",
		"| observed: --workers auto: pages sent again after a kill, for each window that was under way | at most 1.00 | 1.50 | no |",
		"| halved: sequential: wall time, of its floor | at most 1.05 | not run | ? |",
		"| halved: pages sent again after a kill, for each window that was under way | at most 1.00 | not run | ? |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if strings.Contains(text, "halved: auto: times as fast") {
		t.Error("the other scenarios have no target for how many times as fast")
	}
	if t.Failed() {
		t.Log(text)
	}
}
