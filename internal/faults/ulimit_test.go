package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLimitsOfFiles: with few descriptors, or files that may not grow, a pull ends as it
// should or says why it cannot, keeps what it has committed, and goes on without the limit.
func TestLimitsOfFiles(t *testing.T) {
	t.Parallel()
	for _, limit := range some([]string{"-f 600", "-n 16", "-f 8", "-n 10", "-n 12", "-n 24", "-n 32", "-f 1", "-f 64", "-f 300", "-f 1500", "-f 3000", "-f 5000"}, 3) {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, manyEvents())
			e := w.run(command{Args: []string{"pull", "--quiet"}, Limits: []string{limit}})
			w.endsWith(e, 0, 4, 6)
			if e.Code == 6 && strings.HasPrefix(limit, "-f") {
				w.says(e, "ulimit")
			}
			stored := w.stored()
			w.recovers()
			if w.stored() < stored {
				t.Errorf("%d events, and %d under the limit", w.stored(), stored)
			}
			w.isAsUndisturbed(manyEvents().Data)
			target := filepath.Join(w.home, "a.csv")
			e = w.run(command{Args: []string{"export", "--csv", target}, Limits: []string{limit}})
			w.endsWith(e, 0, 1, 6)
			if e.Code != 0 {
				w.holdsOnly(w.home)
			} else if err := os.Remove(target); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestLimitsOfMemory: with too little address space a pull says so or is ended by its
// runtime, while it writes as well as while it reads a log that a killed one has left; what
// was committed is there when there is more.
func TestLimitsOfMemory(t *testing.T) {
	t.Parallel()
	for i, megabytes := range some([]int{900, 500, 1300, 1500, 700, 1100, 1700, 2000, 2500}, 2) {
		t.Run(fmt.Sprint(megabytes, " MB"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, manyEvents())
			stored := 0
			if i%2 == 0 {
				// It leaves a log behind.
				e := w.run(command{Program: failing, Args: []string{"pull", "--quiet", "--page-size", "500"}, Env: []string{"DATASYNC_FAILPOINT=f10:2"}})
				if e.Signal != syscall.SIGKILL {
					t.Fatal(e)
				}
				if _, err := os.Stat(w.File + ".wal"); err != nil {
					t.Fatal(err)
				}
				if stored = w.stored(); stored == 0 {
					t.Fatal("nothing is stored")
				}
			}
			limits := []string{fmt.Sprint("-v ", megabytes<<10)}
			for _, args := range [][]string{{"pull", "--quiet"}, {"query", "SELECT count(*) FROM events"}, {"status"}, {"verify"}, {"export", "--csv", "-"}} {
				e := w.run(command{Args: args, Limits: limits})
				// Go's runtime, and C++ without an exception, cannot but end the process.
				if e.Signal == 0 && !trace.MatchString(e.Err) {
					w.endsWith(e, 0, 1, 4, 6)
				}
				if now := w.stored(); now < stored {
					t.Errorf("%d events after %v, %d before", now, e, stored)
				} else {
					stored = now
				}
			}
			w.recovers()
			w.isAsUndisturbed(manyEvents().Data)
		})
	}
}
