// Package table reads docs/faults.md, and finds the tests that it names.
package table

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Row is a fault.
type Row struct {
	ID, Fault string
	// Tests are the tests of the fault, as package.TestName. Reason says why there are none.
	Tests    []string
	Reason   string
	Observed string
}

// Test is a test function in a folder, whose path is relative to the project's root.
type Test struct{ Folder, Name string }

var (
	line    = regexp.MustCompile(`^\| ([A-Z]+[0-9]+|[0-9]+\.[0-9]+) \|`)
	cell    = regexp.MustCompile(`(?:[^|\\]|\\.)*\|`)
	named   = regexp.MustCompile("`([a-z]+\\.(?:Test|Fuzz)[A-Za-z0-9_]+)`")
	defined = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
)

// Read returns the rows, in their order.
func Read(path string) ([]Row, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for l := range strings.Lines(string(text)) {
		if !line.MatchString(l) {
			continue
		}
		cells := cell.FindAllString(strings.TrimPrefix(l, "|"), -1)
		if len(cells) != 4 {
			return nil, fmt.Errorf("%s: %d cells, want 4: %s", path, len(cells), l)
		}
		for i, c := range cells {
			cells[i] = strings.TrimSpace(strings.ReplaceAll(strings.TrimSuffix(c, "|"), `\|`, "|"))
		}
		r := Row{ID: cells[0], Fault: cells[1], Observed: cells[3]}
		for _, m := range named.FindAllStringSubmatch(cells[2], -1) {
			r.Tests = append(r.Tests, m[1])
		}
		if reason, ok := strings.CutPrefix(cells[2], "not tested: "); ok {
			r.Reason = reason
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// Find finds all tests below the project's root, by the names that rows give them: the last part
// of the package's path, and the function.
func Find(root string) (map[string]Test, error) {
	tests := map[string]Test{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, m := range defined.FindAllSubmatch(text, -1) {
			name := filepath.Base(folder) + "." + string(m[1])
			if other, ok := tests[name]; ok && other.Folder != folder {
				return fmt.Errorf("%s is in both %s and %s: rename one, as documents name tests by the last part of the path", name, other.Folder, folder)
			}
			tests[name] = Test{Folder: folder, Name: string(m[1])}
		}
		return nil
	})
	return tests, err
}

// Event is a line of go test -json.
type Event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

// Events returns the lines of go test -json.
func Events(r io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for d := json.NewDecoder(r); ; {
			var e Event
			err := d.Decode(&e)
			if errors.Is(err, io.EOF) || !yield(e, err) || err != nil {
				return
			}
		}
	}
}
