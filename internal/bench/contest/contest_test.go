package contest

import (
	"testing"
	"time"

	"datasync/internal/bench/measure"
)

// TestRatioGoesTurnByTurn has a machine that is twice as slow in the second turn.
func TestRatioGoesTurnByTurn(t *testing.T) {
	run := func(program string, turn int, wall time.Duration) Run {
		return Run{Program: program, Turn: turn, Cost: measure.Cost{Wall: wall}}
	}
	runs := []Run{
		run("a", 1, 1*time.Second), run("b", 1, 2*time.Second),
		run("a", 2, 2*time.Second), run("b", 2, 4*time.Second),
		run("a", 3, 1*time.Second), run("b", 3, 4*time.Second),
	}
	if got := Ratio(runs, "a", "b", Wall); got != 0.5 {
		t.Errorf("ratio %v", got)
	}
	if got := Ratio(runs, "a", "c", Wall); got != 0 {
		t.Errorf("ratio %v to one that did not run", got)
	}
}
