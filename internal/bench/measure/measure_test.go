package measure

import (
	"context"
	"strings"
	"testing"
)

func TestProcess(t *testing.T) {
	cost, stdout, err := Process(context.Background(), "sh", "-c", "echo out; echo err >&2")
	if err != nil || string(stdout) != "out\n" || cost.Wall <= 0 || cost.PeakRSS <= 0 {
		t.Errorf("%+v, %q, %v", cost, stdout, err)
	}
	_, _, err = Process(context.Background(), "sh", "-c", "echo why >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "why") || ExitCode(err) != 3 {
		t.Errorf("a failure: %v", err)
	}
}

func TestSteal(t *testing.T) {
	before := parseCPU("cpu  100 0 50 800 10 0 5 35 7 0\ncpu0 1 2 3\n")
	after := parseCPU("cpu  150 0 60 880 10 0 5 95 9 0\n")
	if got := before.stealUntil(after); got != 0.3 {
		t.Errorf("steal %v, want 60 of 200", got)
	}
	if got := (cpuTimes{}).stealUntil(after); got >= 0 {
		t.Errorf("steal %v where there is no /proc/stat", got)
	}
}

func TestMedian(t *testing.T) {
	if Median([]int{5, 1, 3}) != 3 || Median([]int{4, 1, 3, 2}) != 2 || Median([]int(nil)) != 0 {
		t.Error("wrong median")
	}
}
