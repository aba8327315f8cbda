package main

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"datasync/internal/faults/table"
)

const root = "../../.."

// TestJob runs a package of this module, and one that does not compile.
func TestJob(t *testing.T) {
	folder := filepath.Join("internal", "faults", "table")
	results, failures, err := job{name: folder, folder: folder, packages: []string{"."}, tests: []string{"TestGuarded"}}.run(t.Context(), root)
	test := table.Test{Folder: folder, Name: "TestGuarded"}
	if err != nil || failures != "" || len(results) != 1 || results[test].outcome != "pass" {
		t.Errorf("%v, %v, %s", results, err, failures)
	}
	if _, _, err := (job{name: "none", folder: folder, packages: []string{"./missing"}}).run(t.Context(), root); err == nil {
		t.Error("a package that is missing is no error")
	}
}

// TestRunJobs runs two jobs at a time, of which one fails.
func TestRunJobs(t *testing.T) {
	folder := filepath.Join("internal", "faults", "table")
	jobs := []job{
		{name: "good", folder: folder, packages: []string{"."}, tests: []string{"TestGuarded"}},
		{name: "bad", folder: folder, packages: []string{"./missing"}},
	}
	results, errs := runJobs(t.Context(), jobs, options{root: root, jobs: 2})
	if len(results) != 1 || len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "bad: ") {
		t.Errorf("%v, %v", results, errs)
	}
}

// TestWholeJobs: each package is in one job, and so is each test that docs/faults.md names.
func TestWholeJobs(t *testing.T) {
	jobs, err := wholeJobs(t.Context(), options{root: root, kills: 1})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, j := range jobs {
		for _, path := range j.packages {
			if path == "." {
				path = module + j.folder
			}
			seen[strings.TrimPrefix(path, module)]++
		}
	}
	for folder, n := range seen {
		if n != 1 {
			t.Errorf("%s is tested %d times", folder, n)
		}
	}
	rows, err := table.Read(filepath.Join(root, "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	where, err := table.Find(root)
	if err != nil {
		t.Fatal(err)
	}
	named, err := namedTests(rows, where)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range slices.Sorted(maps.Keys(named)) {
		if seen[folder] == 0 {
			t.Errorf("%s is not tested", folder)
		}
	}
}
