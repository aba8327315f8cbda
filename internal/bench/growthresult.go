package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"datasync/internal/bench/growth"
	"datasync/internal/bench/measure"
	"datasync/internal/bench/report"
)

// growthResult is all that growth has measured.
type growthResult struct {
	head          head
	events, few   int
	cost, fewCost measure.Cost // of the program itself
	fileSize      int64
	series        []growth.Series
	step          int64
}

// mockURL finds the address in the first line of "datasync mock".
func mockURL(line string) (string, error) {
	if url := regexp.MustCompile(`http://[0-9.:]+[0-9]`).FindString(line); url != "" {
		return url, nil
	}
	return "", fmt.Errorf("it says %q", line)
}

func (r *growthResult) steps() (names []string, steps [][]growth.Step) {
	for _, s := range r.series {
		names, steps = append(names, s.Name), append(steps, s.Steps(r.step))
	}
	return names, steps
}

// markdown writes the result for docs/performance.md.
func (r *growthResult) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.head)
	b.WriteString(report.Targets(r.targets()))
	fmt.Fprintf(&b, "\n%s events by `datasync pull`: %s, peak memory %s, file %s. %s events: %s, %s.\n\n",
		thousands(r.events), report.Seconds(r.cost.Wall), report.MB(r.cost.PeakRSS), report.MB(r.fileSize),
		thousands(r.few), report.Seconds(r.fewCost.Wall), report.MB(r.fewCost.PeakRSS))
	table := report.NewTable("pull", "stored:", "rate:", "memory:", "commit, median:", "longest:", "file:")
	names, steps := r.steps()
	for i, name := range names {
		for _, n := range shown(len(steps[i])) {
			s := steps[i][n]
			table.Add(name, thousands(s.Stored), report.Rate(s.Rate), report.MB(s.RSS), report.Milliseconds(s.Median), report.Milliseconds(s.Longest), report.MB(s.FileSize))
		}
	}
	b.WriteString(table.String())
	return b.String()
}

// shown are the steps that the table shows of n: the first, the last, and some between.
func shown(n int) []int {
	most := min(n, 7)
	places := make([]int, most)
	for i := range places {
		places[i] = i * (n - 1) / max(1, most-1)
	}
	return places
}

func (r *growthResult) targets() []report.Target {
	peak := func(c measure.Cost) float64 { return float64(c.PeakRSS) / 1e6 }
	targets := []report.Target{
		{What: thousands(r.few) + " events: peak memory", Limit: 350, Unit: "%.0f MB", Figure: peak(r.fewCost)},
		{What: thousands(r.events) + " events: peak memory", Limit: 350, Unit: "%.0f MB", Figure: peak(r.cost)},
		{What: "the second, of the first", Limit: 1.1, Unit: "%.2f", Figure: peak(r.cost) / peak(r.fewCost)},
	}
	names, steps := r.steps()
	for i, name := range names {
		t := report.Target{What: name + ": rate over the last " + thousands(r.step) + ", of that over the first", Limit: 0.9, AtLeast: true, Unit: "%.2f"}
		if n := len(steps[i]); n < 2 {
			t.Missing = "too few steps"
		} else {
			t.Figure = steps[i][n-1].Rate / steps[i][0].Rate
		}
		targets = append(targets, t)
	}
	return targets
}

// publish puts the result, its figures and its plot into docs.
func (g *growthRun) publish(text string) error {
	names, steps := g.result.steps()
	var csv, svg bytes.Buffer
	if err := growth.WriteCSV(&csv, names, steps); err != nil {
		return err
	}
	if err := growth.WritePlot(&svg, names, steps); err != nil {
		return err
	}
	docs := filepath.Join(g.root, "docs")
	if err := os.WriteFile(filepath.Join(docs, "growth.csv"), csv.Bytes(), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(docs, "growth.svg"), svg.Bytes(), 0o644); err != nil {
		return err
	}
	const picture = "\nAll steps: [growth.csv](growth.csv).\n\n![Rate, memory, time of a commit and size of the file against the events stored](growth.svg)\n"
	return report.Replace(filepath.Join(docs, "performance.md"), "growth", text+picture)
}
