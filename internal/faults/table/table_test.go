package table

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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
	for letter, n := range map[string]int{"P": 13, "S": 19, "N": 16, "R": 6, "C": 6, "T": 4, "D": 10, "K": 3, "Q": 9, "X": 34} {
		for i := range n {
			missing[fmt.Sprint(letter, i+1)] = true
		}
	}
	seen := map[string]bool{}
	number := map[byte]int{} // of the last row, by its letter
	for _, r := range rows {
		if seen[r.ID] {
			t.Errorf("%s stands twice", r.ID)
		}
		seen[r.ID] = true
		delete(missing, r.ID)
		number[r.ID[0]]++
		if want := fmt.Sprintf("%c%d", r.ID[0], number[r.ID[0]]); r.ID != want {
			t.Errorf("%s stands where %s should", r.ID, want)
		}
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

// TestNamedTests: every test that a document of the project names exists.
func TestNamedTests(t *testing.T) {
	const root = "../../.."
	tests, err := Find(root)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		for _, m := range named.FindAllSubmatch(text, -1) {
			found[name]++
			if _, ok := tests[string(m[1])]; !ok {
				t.Errorf("%s: there is no test %s", name, m[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// These two are worth as much as the tests that they name.
	for _, name := range []string{"SECURITY.md", "docs/faults.md"} {
		if found[name] == 0 {
			t.Errorf("%s names no tests", name)
		}
	}
}

// TestSecurity: in SECURITY.md each row, and each sentence about a missing guard, names a test or
// says why there is none.
func TestSecurity(t *testing.T) {
	text, err := os.ReadFile("../../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	rows, sentences := guarded(string(text))
	if len(rows) < 40 || len(sentences) < 40 {
		t.Errorf("%d rows and %d sentences were found", len(rows), len(sentences))
	}
	for _, claim := range append(rows, sentences...) {
		if !held.MatchString(lastCell(claim)) {
			t.Errorf("neither a test nor (no test: why): %s", claim)
		}
		if words := len(strings.Fields(aside.ReplaceAllString(claim, ""))); !strings.HasPrefix(claim, "|") && words > 25 {
			t.Errorf("%d words: %s", words, claim)
		}
	}
}

// TestGuarded: the check of SECURITY.md sees a row and a sentence that no test holds.
func TestGuarded(t *testing.T) {
	rows, sentences := guarded("# A\n\nNot looked at.\n\n| what | test |\n|---|---|\n| a | `b.TestC` |\n| `b.TestD` | by hand |\n\n" +
		"**Not guarded.** *E.* It is `f.g`, (`b.TestH`,\n`b.TestI`). Nobody\nlooks. J (no test: it. cannot). K is 0.5 MB.\n\nNot looked at.\n")
	var open []string
	for _, claim := range append(rows, sentences...) {
		if !held.MatchString(lastCell(claim)) {
			open = append(open, claim)
		}
	}
	if want := []string{"| `b.TestD` | by hand |", "Nobody looks.", "K is 0.5 MB."}; !slices.Equal(open, want) {
		t.Errorf("%q, want %q", open, want)
	}
}

var (
	held  = regexp.MustCompile("`[a-z]+\\.(Test|Fuzz)[A-Za-z0-9_]+`|\\(no test: [^)]+\\)")
	aside = regexp.MustCompile(`\([^)]*\)`)
	end   = regexp.MustCompile(`[.?!]\*{0,2} +(\S)`) // of a sentence, and where the next begins
)

// lastCell is the last cell of a row, or a sentence as it is.
func lastCell(claim string) string {
	row, ok := strings.CutSuffix(claim, "|")
	if !ok {
		return claim
	}
	return row[strings.LastIndex(row, "|"):]
}

// guarded returns the rows of a text's tables, and the sentences of the paragraphs about missing
// guards.
func guarded(text string) (rows, sentences []string) {
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if strings.HasPrefix(paragraph, "|") {
			rows = append(rows, strings.Split(strings.TrimSpace(paragraph), "\n")[2:]...)
		}
		rest, ok := strings.CutPrefix(paragraph, "**Not guarded.**")
		if !ok {
			continue
		}
		rest = strings.Join(strings.Fields(rest), " ")
		// A full stop in brackets ends no sentence.
		masked := aside.ReplaceAllStringFunc(rest, func(s string) string { return strings.ReplaceAll(s, ".", ",") })
		from := 0
		for _, m := range append(end.FindAllStringSubmatchIndex(masked, -1), []int{0, 0, len(rest), 0}) {
			// A heading in italics is no sentence.
			if s := strings.TrimSpace(rest[from:m[2]]); !strings.HasSuffix(s, ".*") {
				sentences = append(sentences, s)
			}
			from = m[2]
		}
	}
	return rows, sentences
}
