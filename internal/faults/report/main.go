// Command report runs the tests that docs/faults.md names, all their cases, and prints its
// rows with what became of them. It ends with 1 where a test failed or is not there.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"datasync/internal/faults/table"
)

func main() {
	root := flag.String("root", "../..", "the `folder` of the project")
	kills := flag.Int("kill-seeds", 200, "how many seeds the tests that kill at random have")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *root, *kills); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string, kills int) error {
	began := time.Now()
	rows, err := table.Read(filepath.Join(root, "docs", "faults.md"))
	if err != nil {
		return err
	}
	where, err := table.Find(root)
	if err != nil {
		return err
	}
	tests := map[string][]string{} // the tests to run in a folder
	for _, r := range rows {
		for _, name := range r.Tests {
			test, ok := where[name]
			if !ok {
				return fmt.Errorf("%s: there is no test %s", r.ID, name)
			}
			if !slices.Contains(tests[test.Folder], test.Name) {
				tests[test.Folder] = append(tests[test.Folder], test.Name)
			}
		}
	}
	results := map[table.Test]result{}
	folders := slices.Sorted(maps.Keys(tests))
	for _, folder := range folders {
		packageBegan := time.Now()
		if err := runTests(ctx, root, folder, tests[folder], arguments(folder, kills), results); err != nil {
			return err
		}
		fmt.Printf("%-28s %3d tests  %s\n", folder, len(tests[folder]), time.Since(packageBegan).Round(time.Second))
	}
	fmt.Println()
	failed := print(os.Stdout, rows, where, results)
	fmt.Printf("\nin %s\n", time.Since(began).Round(time.Second))
	if failed > 0 {
		return fmt.Errorf("%d rows do not hold", failed)
	}
	return nil
}

// arguments are what lets the tests of a folder try all of their cases.
func arguments(folder string, kills int) []string {
	switch folder {
	case filepath.Join("internal", "e2e", "cli"):
		return []string{"-all", "-test.parallel", "8"}
	case filepath.Join("internal", "e2e", "kill"):
		// Pulls that are killed, or limited, wait most of the time.
		return []string{"-all", "-kill-seeds", fmt.Sprint(kills), "-test.parallel", "8"}
	case filepath.Join("internal", "e2e", "model"):
		return []string{"-all", "-rapid.checks", "300"}
	case filepath.Join("ingest", "decode"):
		return []string{"-decoder-events", "3000000"}
	case filepath.Join("internal", "faults"):
		return []string{"-all", "-test.parallel", "10"}
	}
	return nil
}

// result is what became of a test.
type result struct {
	outcome string // pass, fail or skip
	seconds float64
}

// runTests runs tests of a folder and adds their results. What a failed one printed is
// printed.
func runTests(ctx context.Context, root, folder string, names, args []string, results map[table.Test]result) error {
	command := append([]string{"test", "-json", "-count=1", "-timeout", "60m", "-run", "^(" + strings.Join(names, "|") + ")$", "."}, "-args")
	cmd := exec.CommandContext(ctx, "go", append(command, args...)...)
	cmd.Dir = filepath.Join(root, folder)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	errRun := cmd.Run()
	printed := map[string]*bytes.Buffer{}
	for event, err := range table.Events(&out) {
		if err != nil {
			return fmt.Errorf("%s: %w: %s", folder, err, &errs)
		}
		top, _, _ := strings.Cut(event.Test, "/")
		if printed[top] == nil {
			printed[top] = &bytes.Buffer{}
		}
		printed[top].WriteString(event.Output)
		if event.Test == top && top != "" && slices.Contains([]string{"pass", "fail", "skip"}, event.Action) {
			results[table.Test{Folder: folder, Name: top}] = result{event.Action, event.Elapsed}
			if event.Action == "fail" {
				_, _ = io.Copy(os.Stdout, printed[top])
			}
		}
	}
	if errRun != nil && len(printed) <= 1 {
		return fmt.Errorf("%s: %w: %s%s", folder, errRun, &errs, printed[""])
	}
	return ctx.Err()
}

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
