package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"datasync/internal/bench/contest"
	"datasync/internal/bench/measure"
	"datasync/internal/bench/report"
	"datasync/internal/bench/rivals"
)

// comparisonResult is all that compare has measured.
type comparisonResult struct {
	head               head
	events, slowEvents int
	runs, slowRuns     []contest.Run
	// ways are the settings that were kept of rivals that have several.
	ways    []rivals.Program
	answers []answer
	skipped []skipped
}

// skipped is a rival that took no part, and why.
type skipped struct {
	name string
	why  error
}

// reason is the beginning of why, on one line.
func (s skipped) reason() string {
	const most = 300
	text := strings.Join(strings.Fields(s.why.Error()), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " ..."
	}
	return text
}

// markdown writes the result for docs/performance.md.
func (r *comparisonResult) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.head)
	b.WriteString(report.Targets(r.targets()))
	fmt.Fprintf(&b, "\nMedians of %d runs:\n\n", len(contest.Of(r.runs, "datasync")))
	b.WriteString(r.medians())
	for _, way := range r.ways {
		fmt.Fprintf(&b, "\n%s ran in this way: %s.\n", way.Name, way.Version)
	}
	for _, s := range r.skipped {
		fmt.Fprintf(&b, "\n**%s was skipped**: %s\n", s.name, s.reason())
	}
	b.WriteString("\nEach run, in the order in which they came:\n\n")
	b.WriteString(r.each())
	return b.String()
}

// targets compares the results with their targets.
func (r *comparisonResult) targets() []report.Target {
	size := thousands(r.events) + " events: "
	var targets []report.Target
	add := func(what, rival string, limit float64, figure func(contest.Run) time.Duration) {
		ratio, missing := found(contest.Ratio(r.runs, "datasync", rival, figure))
		targets = append(targets, report.Target{What: size + what + " of " + rival, Limit: limit, Unit: "%.2f", Figure: ratio, Missing: missing})
	}
	for _, rival := range programs(r.runs) {
		if strings.HasPrefix(rival, "read_json") {
			add("wall time, of that", rival, 0.5, contest.Wall)
			add("onwards: wall time, of that", rival, 0.33, contest.Wall)
			add("CPU time, of that", rival, 0.45, contest.CPU)
		}
	}
	for _, rival := range slowTargets() {
		runs, events := r.slowRuns, r.slowEvents
		if slices.Contains(programs(r.runs), rival.name) {
			runs, events = r.runs, r.events
		}
		faster, missing := found(contest.Ratio(runs, rival.name, "datasync", contest.Wall))
		if slices.ContainsFunc(r.skipped, func(s skipped) bool { return s.name == rival.name }) {
			missing = "skipped"
		}
		targets = append(targets, report.Target{What: thousands(events) + " events: times as fast as " + rival.name,
			Limit: rival.times, AtLeast: true, Unit: "%.1f", Figure: faster, Missing: missing})
	}
	peak := float64(measure.MedianOf(contest.Of(r.runs, "datasync"), peakRSS)) / 1e6
	targets = append(targets, report.Target{What: size + "peak memory", Limit: 350, Unit: "%.0f MB", Figure: peak})
	for _, a := range r.answers {
		limit := 100.0
		if strings.Contains(a.command, "--help") {
			limit = 50
		}
		targets = append(targets, report.Target{What: "`" + a.command + "`", Limit: limit, Unit: "%.0f ms", Figure: a.wall.Seconds() * 1e3})
	}
	return targets
}

// slowTargets are how many times as fast datasync is to be.
func slowTargets() []struct {
	name  string
	times float64
} {
	return []struct {
		name  string
		times float64
	}{{"plain client", 8}, {"dlt", 30}, {"ingestr", 30}}
}

// found returns a ratio, or why there is none.
func found(ratio float64) (float64, string) {
	if ratio == 0 {
		return 0, "not run"
	}
	return ratio, ""
}

func peakRSS(r contest.Run) int64 { return r.PeakRSS }

// medians has a row for each program and number of events.
func (r *comparisonResult) medians() string {
	table := report.NewTable("program", "events:", "wall:", "CPU:", "rate:", "peak memory:", "file:", "datasync takes, of its wall:", "of its CPU:", "steal, median:")
	for _, runs := range [][]contest.Run{r.runs, r.slowRuns} {
		for _, name := range programs(runs) {
			of := contest.Of(runs, name)
			file := "-"
			if bytes := measure.MedianOf(of, func(r contest.Run) int64 { return r.FileSize }); bytes > 0 {
				file = report.MB(bytes)
			}
			table.Add(name, thousands(of[0].Events), report.Seconds(measure.MedianOf(of, contest.Wall)), report.Seconds(measure.MedianOf(of, contest.CPU)),
				report.Rate(measure.MedianOf(of, contest.Run.Rate)), report.MB(measure.MedianOf(of, peakRSS)), file,
				fmt.Sprintf("%.2f", contest.Ratio(runs, "datasync", name, contest.Wall)), fmt.Sprintf("%.2f", contest.Ratio(runs, "datasync", name, contest.CPU)),
				report.Percent(measure.MedianOf(of, func(r contest.Run) float64 { return r.Steal })))
		}
	}
	return table.String()
}

// programs are the names in some runs, in their order.
func programs(runs []contest.Run) []string {
	var names []string
	for _, r := range runs {
		if !slices.Contains(names, r.Program) {
			names = append(names, r.Program)
		}
	}
	return names
}

// each has a row for each run.
func (r *comparisonResult) each() string {
	table := report.NewTable("turn:", "program", "events:", "wall:", "CPU:", "peak memory:", "steal:", "load before:")
	for _, run := range slices.Concat(r.runs, r.slowRuns) {
		table.Add(fmt.Sprint(run.Turn), run.Program, thousands(run.Events), report.Seconds(run.Wall), report.Seconds(run.CPU), report.MB(run.PeakRSS),
			report.Percent(run.Steal), fmt.Sprintf("%.1f", run.Load))
	}
	return table.String()
}
