package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"datasync/internal/faults/table"
)

// print prints the rows and returns how many of them do not hold.
func print(out io.Writer, rows []table.Row, where map[string]table.Test, results map[table.Test]result) (failed int) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "row\tfault\ttests\tresult\tseconds")
	counts := map[string]int{}
	for _, r := range rows {
		outcome, seconds := "not tested", 0.0
		if len(r.Tests) > 0 {
			outcome = "pass"
		}
		for _, name := range r.Tests {
			got, ok := results[where[name]]
			seconds += got.seconds
			switch {
			case !ok, got.outcome == "fail":
				outcome = "FAIL"
			case got.outcome == "skip" && outcome != "FAIL":
				outcome = "skipped"
			}
		}
		counts[outcome]++
		fault := []rune(r.Fault)
		if len(fault) > 60 {
			fault = append(fault[:59], '…')
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%.1f\n", r.ID, string(fault), len(r.Tests), outcome, seconds)
	}
	_ = w.Flush()
	_, _ = fmt.Fprintf(out, "\n%d rows: %d pass, %d fail, %d skipped here, %d not tested (docs/faults.md says why)\n",
		len(rows), counts["pass"], counts["FAIL"], counts["skipped"], counts["not tested"])
	return counts["FAIL"]
}
