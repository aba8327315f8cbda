package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"datasync/internal/faults/table"
)

// module is the program's. A package's folder is its path without that.
const module = "datasync/"

// job is a run of go test.
type job struct {
	name     string
	folder   string   // from the project's root
	packages []string // as go test takes them
	tests    []string // nil for all
	args     []string // of the test binary
}

// result is a test's.
type result struct {
	outcome string // pass, fail or skip
	seconds float64
}

// fullForms returns the arguments with which the tests of a folder try all of their cases, by
// folder. The folder that takes longest is the first to run.
func fullForms(kills int) (folders []string, arguments map[string][]string) {
	faults := filepath.Join("internal", "faults")
	kill := filepath.Join("internal", "e2e", "kill")
	model := filepath.Join("internal", "e2e", "model")
	cli := filepath.Join("internal", "e2e", "cli")
	decode := filepath.Join("ingest", "decode")
	store := filepath.Join("internal", "store")
	return []string{faults, kill, model, cli, store, decode}, map[string][]string{
		// Programs that are killed, limited or cut off wait most of the time.
		faults: {"-all", "-test.parallel", "10"},
		kill:   {"-all", "-kill-seeds", fmt.Sprint(kills), "-test.parallel", "8"},
		cli:    {"-all", "-test.parallel", "8"},
		model:  {"-all", "-rapid.checks", "300"},
		decode: {"-all", "-decoder-events", "3000000"},
		store:  {"-all"},
	}
}

// namedJobs returns the jobs that run the named tests, by folder.
func namedJobs(named map[string][]string, o options) (jobs []job) {
	first, arguments := fullForms(o.kills)
	folders := append(first, slices.Sorted(maps.Keys(named))...)
	for i, folder := range folders {
		if tests := named[folder]; len(tests) > 0 && !slices.Contains(folders[:i], folder) {
			jobs = append(jobs, job{name: folder, folder: folder, packages: []string{"."}, tests: tests, args: arguments[folder]})
		}
	}
	return jobs
}

// wholeJobs returns the jobs that run all tests of the modules that docs/faults.md names tests of.
func wholeJobs(ctx context.Context, o options) (jobs []job, err error) {
	first, arguments := fullForms(o.kills)
	for _, folder := range first {
		jobs = append(jobs, job{name: folder, folder: folder, packages: []string{"."}, args: arguments[folder]})
	}
	cmd := exec.CommandContext(ctx, "go", "list", "./...")
	cmd.Dir = o.root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	others := job{name: "all other packages"}
	for path := range strings.FieldsSeq(string(out)) {
		if !slices.Contains(first, strings.TrimPrefix(path, module)) {
			others.packages = append(others.packages, path)
		}
	}
	jobs = append(jobs, others)
	for _, folder := range []string{filepath.Join("internal", "faults", "table"), filepath.Join("internal", "faults", "report"), filepath.Join("tools", "supply")} {
		jobs = append(jobs, job{name: folder, folder: folder, packages: []string{"."}})
	}
	return jobs, nil
}

// run runs the job. It returns the tests' results, the output of those that failed, and an error
// where a package failed.
func (j job) run(ctx context.Context, root string) (results map[table.Test]result, failures string, err error) {
	args := []string{"test", "-json", "-count=1", "-timeout", "60m"}
	if j.tests != nil {
		args = append(args, "-run", "^("+strings.Join(j.tests, "|")+")$")
	}
	args = append(append(append(args, j.packages...), "-args"), j.args...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(root, j.folder)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	errRun := cmd.Run()
	results = map[table.Test]result{}
	printed := map[table.Test]*bytes.Buffer{} // a package's own output has no name
	for event, err := range table.Events(&out) {
		if err != nil {
			return results, failures, fmt.Errorf("%s: %w: %s", j.name, err, &errs)
		}
		if event.Action == "build-output" {
			failures += event.Output
			continue
		}
		top, _, _ := strings.Cut(event.Test, "/")
		test := table.Test{Folder: strings.TrimPrefix(event.Package, module), Name: top}
		if printed[test] == nil {
			printed[test] = &bytes.Buffer{}
		}
		printed[test].WriteString(event.Output)
		if event.Test != top || !slices.Contains([]string{"pass", "fail", "skip"}, event.Action) {
			continue
		}
		if event.Action == "fail" {
			failures += printed[test].String()
		}
		if top != "" {
			results[test] = result{event.Action, event.Elapsed}
		}
	}
	if errRun != nil {
		return results, failures, fmt.Errorf("%s: go test: %w: %s", j.name, errRun, &errs)
	}
	return results, failures, nil
}
