package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"datasync/internal/bench/api"
	"datasync/internal/bench/measure"
	"datasync/internal/bench/report"
)

// apiResult is all that api has measured.
type apiResult struct {
	head      head
	timeScale float64
	scenarios []api.Scenario
	runs      []api.Run
	resumes   []api.Resume
}

// markdown writes the result for docs/performance.md.
func (r *apiResult) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.head)
	b.WriteString(report.Targets(r.targets()))
	fmt.Fprintf(&b, "\nAll times of the service's were divided by %v. The scenarios:\n\n", r.timeScale)
	scenarios := report.NewTable("scenario", "events:", "what")
	for _, s := range r.scenarios {
		if runs := r.of(s.Name, ""); len(runs) > 0 {
			scenarios.Add(s.Name, thousands(runs[0].Events), s.What)
		}
	}
	b.WriteString(scenarios.String())
	b.WriteString("\nEach pull:\n\n")
	b.WriteString(r.each())
	b.WriteString("\nEach pull that was killed and run again:\n\n")
	b.WriteString(r.eachResume())
	return b.String()
}

// targets compares the results with their targets.
func (r *apiResult) targets() []report.Target {
	var targets []report.Target
	for _, s := range r.scenarios {
		sequential, auto := r.of(s.Name, api.Sequential), r.of(s.Name, api.Auto)
		add := func(what string, limit float64, unit string, runs []api.Run, figure func([]api.Run) float64) {
			t := report.Target{What: s.Name + ": " + what, Limit: limit, Unit: unit}
			if len(runs) == 0 {
				t.Missing = "not run"
			} else {
				t.Figure = figure(runs)
			}
			targets = append(targets, t)
		}
		ofFloor := func(runs []api.Run) float64 { return measure.MedianOf(runs, api.Run.OfFloor) }
		limited := func(runs []api.Run) float64 { return 100 * measure.MedianOf(runs, api.Run.Limited) }
		add("sequential: wall time, of its floor", 1.05, "%.2f", sequential, ofFloor)
		add("auto: wall time, of the service's floor", 1.10, "%.2f", auto, ofFloor)
		if s.Name == api.Observed {
			add("auto: times as fast as sequential", 3, "%.1f", auto, func([]api.Run) float64 { return r.timesAsFast(s.Name) })
			targets[len(targets)-1].AtLeast = true
		}
		add("sequential: 429s, of all requests", 2, "%.1f %%", sequential, limited)
		add("auto: 429s, of all requests", 2, "%.1f %%", auto, limited)
		add("all pulls: requests inside a wait", 0, "%.0f", r.of(s.Name, ""), func([]api.Run) float64 { return float64(r.early(s.Name)) })
		targets = append(targets, r.again(s.Name))
	}
	return targets
}

// again is the target of pages that are sent again after a kill.
func (r *apiResult) again(scenario string) report.Target {
	resumes := r.resumesOf(scenario)
	t := report.Target{What: scenario + ": pages sent again after a kill, for each window that was under way", Limit: 1, Unit: "%.2f"}
	if len(resumes) == 0 {
		t.Missing = "not run"
		return t
	}
	t.What = fmt.Sprintf("%s: --workers %s: pages sent again after a kill, for each window that was under way", scenario, shownWorkers(resumes[0].Workers))
	t.Figure = measure.MedianOf(resumes, api.Resume.Again)
	return t
}

// of are the runs of a scenario with --workers set so; all, where that is empty. A program
// that does not know it pulls sequentially.
func (r *apiResult) of(scenario, workers string) []api.Run {
	var runs []api.Run
	for _, run := range r.runs {
		if run.Scenario == scenario && (workers == "" || shownWorkers(run.Workers) == workers) {
			runs = append(runs, run)
		}
	}
	return runs
}

func (r *apiResult) resumesOf(scenario string) []api.Resume {
	return slices.DeleteFunc(slices.Clone(r.resumes), func(resume api.Resume) bool { return resume.Scenario != scenario })
}

// timesAsFast is the median over the turns of the sequential pull's wall time, of that of
// auto.
func (r *apiResult) timesAsFast(scenario string) float64 {
	var ratios []float64
	for _, auto := range r.of(scenario, api.Auto) {
		for _, sequential := range r.of(scenario, api.Sequential) {
			if sequential.Turn == auto.Turn {
				ratios = append(ratios, measure.Ratio(sequential.Wall, auto.Wall))
			}
		}
	}
	return measure.Median(ratios)
}

// early is how many requests of a scenario came inside a wait, those of killed pulls too.
func (r *apiResult) early(scenario string) (n int) {
	for _, run := range r.of(scenario, "") {
		n += run.Served.Early
	}
	for _, resume := range r.resumesOf(scenario) {
		n += resume.Served.Early
	}
	return n
}

func shownWorkers(workers string) string {
	if workers == "" {
		return api.Sequential
	}
	return workers
}

// each has a row for each pull that was not disturbed.
func (r *apiResult) each() string {
	table := report.NewTable("scenario", "turn:", "--workers", "wall:", "floor:", "of the floor:", "pages:", "requests:", "429s:", "inside a wait:",
		"in flight at most:", "latency of a page, mean:", "CPU:", "peak memory:", "steal:")
	for _, run := range r.runs {
		table.Add(run.Scenario, fmt.Sprint(run.Turn), shownWorkers(run.Workers), report.Seconds(run.Wall), report.Seconds(run.Floor()), fmt.Sprintf("%.3f", run.OfFloor()),
			thousands(run.Sent()), thousands(run.Requests()), report.Percent(run.Limited()), fmt.Sprint(run.Served.Early), fmt.Sprint(run.Served.MaxInFlight),
			report.Milliseconds(run.Served.Latency/time.Duration(max(1, run.Sent()))), report.Seconds(run.CPU), report.MB(run.PeakRSS), report.Percent(run.Steal))
	}
	return table.String()
}

// eachResume has a row for each pull that was killed.
func (r *apiResult) eachResume() string {
	table := report.NewTable("scenario", "turn:", "--workers", "killed after pages:", "of them on the way:", "of them in the file:", "windows under way:", "pages in both runs:", "undisturbed:", "inside a wait:")
	for _, resume := range r.resumes {
		table.Add(resume.Scenario, fmt.Sprint(resume.Turn), shownWorkers(resume.Workers), thousands(resume.KilledAt), thousands(resume.OnTheWay), thousands(resume.Committed), fmt.Sprint(resume.Windows),
			thousands(resume.Sent), thousands(resume.Undisturbed), fmt.Sprint(resume.Served.Early))
	}
	return table.String()
}
