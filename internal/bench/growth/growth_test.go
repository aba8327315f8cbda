package growth_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"datasync/internal/bench/growth"
)

// series has two runs; the second begins anew in time.
func series() growth.Series {
	commit := func(stored, added int64, at, took time.Duration, rss int64) growth.Commit {
		return growth.Commit{Stored: stored, New: added, At: at * time.Second, Took: took * time.Millisecond, RSS: rss, FileSize: stored * 60}
	}
	return growth.Series{Name: "2 runs", Runs: [][]growth.Commit{
		{commit(50, 50, 1, 10, 300), commit(100, 50, 2, 30, 200), commit(150, 50, 3, 10, 100)},
		{commit(200, 50, 1, 20, 100), commit(210, 10, 2, 20, 150)},
	}}
}

func TestSteps(t *testing.T) {
	steps := series().Steps(100)
	want := []growth.Step{
		{Stored: 100, Rate: 50, RSS: 300, FileSize: 6000, Median: 10 * time.Millisecond, Longest: 30 * time.Millisecond},
		{Stored: 200, Rate: 50, RSS: 100, FileSize: 12000, Median: 10 * time.Millisecond, Longest: 20 * time.Millisecond},
	}
	if len(steps) != len(want) {
		t.Fatalf("%d steps", len(steps))
	}
	for i := range want {
		if steps[i] != want[i] {
			t.Errorf("step %d: %+v, want %+v", i, steps[i], want[i])
		}
	}
}

func TestCSV(t *testing.T) {
	var out bytes.Buffer
	if err := growth.WriteCSV(&out, []string{"2 runs"}, [][]growth.Step{series().Steps(100)}); err != nil {
		t.Fatal(err)
	}
	if want := "2 runs,100,50,300,10.0,30.0,6000\n"; strings.Count(out.String(), "\n") != 3 || !strings.Contains(out.String(), want) {
		t.Errorf("%q lacks %q", out.String(), want)
	}
}

func TestPlotIsXML(t *testing.T) {
	var out bytes.Buffer
	steps := series().Steps(50)
	if err := growth.WritePlot(&out, []string{"one run", "2 runs"}, [][]growth.Step{steps, steps}); err != nil {
		t.Fatal(err)
	}
	texts := ""
	for d := xml.NewDecoder(&out); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok {
			texts += string(text)
		}
	}
	for _, want := range []string{"million events/s", "resident memory, MB", "file with log, MB", "2 runs"} {
		if !strings.Contains(texts, want) {
			t.Errorf("the plot lacks %q", want)
		}
	}
}
