package faults

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestACommitThatReturnedIsSafe: a pull is killed after a commit, and the power fails just then. No
// committed event is lost, even on a disk that keeps a file's name only once its folder was synced.
// That name is the log's, if the commit began the log.
func TestACommitThatReturnedIsSafe(t *testing.T) {
	t.Parallel()
	pages := mockserver.Pages{Cap: 400, Latency: 250 * time.Millisecond}
	for n := range 2 {
		w := newWorld(t, mockserver.Options{Data: mockserver.DataOptions{Events: 6000}, Events: pages, Feed: pages})
		c := pull("--quiet", "--workers", "1")
		c.Program, c.Env = harness.FailpointProgram(t), []string{fmt.Sprint("DATASYNC_FAILPOINT=f10:", n+1)}
		r, e := w.record(c)
		w.endsWith(e, -1)
		random := rand.New(rand.NewPCG(1, 2))
		kept := w.stateOf(r.after(len(r.ops), allLost, true, random)).stored()
		if killed := w.stateOf(r.after(len(r.ops), noneLost, true, random)).stored(); kept != killed || kept == 0 {
			t.Errorf("%d events behind commit %d, %d without the loss of power", kept, n+1, killed)
		}
		w.recovers("--quiet")
	}
}

// TestDiskFails: whichever write or sync of the database or its log fails, once or from then on,
// the pull ends with 6 or is complete. Committed events stay, and the next pull ends with exactly
// the API's events.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("there is no strace here, and nothing else to let a call fail")
	}
	for _, call := range harness.Some([]string{"fsync", "pwrite64", "write", "renameat", "unlink"}, 2) {
		for _, forever := range harness.Some([]string{"", "+"}, 1) {
			t.Run(call+forever, func(t *testing.T) {
				t.Parallel()
				for n := 1; failNth(t, strace, call, n, forever); n++ {
					if !harness.All() {
						return
					}
				}
			})
		}
	}
}

// failNth lets the nth call of each thread of a pull fail, alone or with all later ones. It reports
// whether there was such a call.
func failNth(t *testing.T, strace, call string, n int, forever string) (met bool) {
	data := mockserver.DataOptions{Events: 2000, DirtyEvery: 200}
	pages := mockserver.Pages{Cap: 500}
	w := newWorld(t, mockserver.Options{Data: data, Events: pages, Feed: pages})
	log := filepath.Join(filepath.Dir(w.Folder), "trace")
	args := []string{"-f", "-qq", "-o", log, "-e", fmt.Sprintf("inject=%s:error=EIO:when=%d%s", call, n, forever)}
	for _, path := range []string{w.File, w.File + ".wal", w.File + ".creating", w.File + ".creating.wal"} {
		args = append(args, "-P", path)
	}
	args = append(args, harness.Program(t))
	e := w.run(command{Program: strace, Args: append(args, pull("--quiet", "--workers", "1").Args...)})
	calls, err := os.ReadFile(log)
	if err != nil || os.Remove(log) != nil {
		t.Fatal(err)
	}
	met = bytes.Contains(calls, []byte("(INJECTED)"))
	w.endsWith(e, 0, 6)
	if e.Code == 0 {
		w.hasAll()
	} else if !met {
		t.Errorf("nothing failed: %v", e)
	} else {
		w.says(e, "; ")
	}
	w.recovers("--quiet")
	w.isAsUndisturbed(data)
	return met
}
