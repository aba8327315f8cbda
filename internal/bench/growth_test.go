package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGrowth watches pulls of few events, one of them ended twice, and publishes into a
// folder of its own.
func TestGrowth(t *testing.T) {
	g := &growthRun{place: &place{root: "../..", work: t.TempDir()}, events: 60_000, few: 20_000, step: 10_000}
	if err := g.measure(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(g.result.series[1].Runs); n != 3 {
		t.Errorf("resumed in %d runs", n)
	}
	names, steps := g.result.steps()
	for i, name := range names {
		if n := len(steps[i]); n == 0 || steps[i][n-1].Stored != 60_000 {
			t.Errorf("%s ends with %+v", name, steps[i])
		}
	}
	root := t.TempDir()
	docs := filepath.Join(root, "docs")
	if err := os.Mkdir(docs, 0o755); err != nil {
		t.Fatal(err)
	}
	g.root = root
	document, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(docs, "performance.md"), document, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := g.publish(g.result.markdown()); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(filepath.Join(docs, "performance.md"))
	if err != nil || !strings.Contains(string(written), "| one run | 60,000 |") {
		t.Errorf("%v; the document has\n%s", err, written)
	}
	for _, name := range []string{"growth.csv", "growth.svg"} {
		if info, err := os.Stat(filepath.Join(docs, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
