package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/bench/report"
)

// TestMain lets the test's own program be started in the roles.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if _, ok := roles()[os.Args[1]]; ok {
			main()
			return
		}
	}
	os.Exit(m.Run())
}

// TestCompare plays all with a few pages, against the real program.
func TestCompare(t *testing.T) {
	c := &comparison{place: &place{root: "../..", work: t.TempDir()}, events: 12_000, slowEvents: 6_000, turns: 2}
	withoutPython(t)
	chosen, err := chooseRivals("download, read_json,plain,dlt")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.play(context.Background(), chosen); err != nil {
		t.Fatal(err)
	}
	text := c.result.markdown()
	for _, want := range []string{"| datasync | 12,000 |", "| download | 12,000 |", "| read_json | 12,000 |", "| datasync | 6,000 |", "| plain client | 12,000 |",
		"| 2 | plain client | 12,000 |", "| `datasync status` | at most 100 ms |", "DuckDB v",
		"| 6,000 events: times as fast as dlt | at least 30.0 | skipped | ? |", "dlt was skipped**: make a virtual environment: exit status 1: no module named venv"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	left, err := os.ReadDir(c.work)
	if err != nil || len(left) != 2 {
		t.Errorf("%d entries are left in the work folder, %v; want two sets of pages", len(left), err)
	}
}

// withoutPython puts a python3 first that can make no virtual environment.
func withoutPython(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	const script = "#!/bin/sh\necho no module named venv >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(folder, "python3"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestUnknownRival(t *testing.T) {
	if _, err := chooseRivals("download,fivetran"); err == nil {
		t.Error("an unknown rival is accepted")
	}
}

// TestDocument keeps the markers where the commands write between them.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir() + "/performance.md"
	if err := os.WriteFile(copied, text, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, block := range []string{"compare", "growth", "api"} {
		if err := report.Replace(copied, block, "x"); err != nil {
			t.Error(err)
		}
	}
}
