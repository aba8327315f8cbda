package table

import (
	"fmt"
	"os"
	"testing"
)

// TestFaults: docs/faults.md has every row once, and each of them names tests that are
// there, or says why there is none.
func TestFaults(t *testing.T) {
	rows, err := Read("../../../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := Find("../../..")
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for letter, n := range map[string]int{"P": 13, "S": 19, "N": 14, "R": 6, "C": 6, "T": 4, "D": 10, "K": 3, "Q": 6} {
		for i := range n {
			missing[fmt.Sprint(letter, i+1)] = true
		}
	}
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.ID] {
			t.Errorf("%s stands twice", r.ID)
		}
		seen[r.ID] = true
		delete(missing, r.ID)
		if len(r.Tests) == 0 && r.Reason == "" {
			t.Errorf("%s has neither a test nor a reason", r.ID)
		}
		if r.Observed == "" && r.Reason == "" {
			t.Errorf("%s does not say what was observed", r.ID)
		}
		for _, name := range r.Tests {
			if _, ok := tests[name]; !ok {
				t.Errorf("%s: there is no test %s", r.ID, name)
			}
		}
	}
	for id := range missing {
		t.Errorf("%s is missing", id)
	}
}

// TestNamedTests: all tests that the project's documents name are there.
func TestNamedTests(t *testing.T) {
	tests, err := Find("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"CHANGELOG.md", "SECURITY.md", "docs/faults.md"} {
		text, err := os.ReadFile("../../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		found := named.FindAllSubmatch(text, -1)
		if len(found) == 0 {
			t.Errorf("%s names no tests", name)
		}
		for _, m := range found {
			if _, ok := tests[string(m[1])]; !ok {
				t.Errorf("%s: there is no test %s", name, m[1])
			}
		}
	}
}
