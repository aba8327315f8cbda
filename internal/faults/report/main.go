// Command report runs the tests that docs/faults.md names, all their cases, and prints its rows
// with the results. With -whole it runs all other tests of the program's module as well, each
// package once. It exits with 1 where a test failed or is missing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"datasync/internal/faults/table"
)

// options are the command line's.
type options struct {
	root  string // the project's folder
	kills int    // seeds of the tests that kill at random
	whole bool   // all tests, not only the named ones
	jobs  int    // runs of go test at a time
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", "../..", "the `folder` of the project")
	flag.IntVar(&o.kills, "kill-seeds", 200, "how many seeds the tests that kill at random try")
	flag.BoolVar(&o.whole, "whole", false, "run all tests of the program, not only those that docs/faults.md names")
	flag.IntVar(&o.jobs, "jobs", 2, "how many packages are tested at a time; tests that wait leave the processors to others")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	began := time.Now()
	rows, err := table.Read(filepath.Join(o.root, "docs", "faults.md"))
	if err != nil {
		return err
	}
	where, err := table.Find(o.root)
	if err != nil {
		return err
	}
	named, err := namedTests(rows, where)
	if err != nil {
		return err
	}
	jobs := namedJobs(named, o)
	if o.whole {
		if jobs, err = wholeJobs(ctx, o); err != nil {
			return err
		}
	}
	results, errs := runJobs(ctx, jobs, o)
	fmt.Println()
	failed := print(os.Stdout, rows, where, results)
	fmt.Printf("\nin %s\n", time.Since(began).Round(time.Second))
	for _, err := range errs {
		fmt.Fprintln(os.Stderr, err)
	}
	switch {
	case failed > 0:
		return fmt.Errorf("%d rows do not hold", failed)
	case len(errs) > 0:
		return fmt.Errorf("%d packages failed", len(errs))
	}
	return ctx.Err()
}

// namedTests returns the tests that the rows name, by folder.
func namedTests(rows []table.Row, where map[string]table.Test) (map[string][]string, error) {
	tests := map[string][]string{}
	for _, r := range rows {
		for _, name := range r.Tests {
			test, ok := where[name]
			if !ok {
				return nil, fmt.Errorf("%s: there is no test %s", r.ID, name)
			}
			if !slices.Contains(tests[test.Folder], test.Name) {
				tests[test.Folder] = append(tests[test.Folder], test.Name)
			}
		}
	}
	return tests, nil
}

// runJobs runs the jobs, o.jobs at a time and in their order, and returns the results of all
// tests. The errors are those of packages that failed.
func runJobs(ctx context.Context, jobs []job, o options) (map[table.Test]result, []error) {
	var mu sync.Mutex // guards results, errs and stdout
	results := map[table.Test]result{}
	var errs []error
	queue := make(chan job, len(jobs))
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	var workers sync.WaitGroup
	for range max(1, o.jobs) {
		workers.Go(func() {
			for j := range queue {
				jobBegan := time.Now()
				got, failures, err := j.run(ctx, o.root)
				mu.Lock()
				for test, r := range got {
					results[test] = r
				}
				if err != nil {
					errs = append(errs, err)
				}
				fmt.Printf("%-28s %4d tests  %6s\n%s", j.name, len(got), time.Since(jobBegan).Round(time.Second), failures)
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return results, errs
}
