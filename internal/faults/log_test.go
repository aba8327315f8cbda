package faults

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// killedOften makes a log of several commits. It returns the files, and the number of events after
// each commit, starting with the file without its log.
func (w *world) killedOften() (files contents, commits []int) {
	w.Helper()
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	commits = append(commits, w.stored())
	for range 5 {
		w.API.Dataset().Grow(150)
		e := w.run(command{Args: []string{"pull", "--quiet"}, Program: harness.FailpointProgram(w), Env: []string{"DATASYNC_FAILPOINT=f10:1"}})
		if e.Signal != syscall.SIGKILL {
			w.Fatalf("not killed: %v", e)
		}
		if n := w.stored(); n > commits[len(commits)-1] {
			commits = append(commits, n)
		}
	}
	if files = w.keep(); len(files[".wal"]) == 0 || len(commits) < 4 {
		w.Fatalf("a log of %d bytes, commits %v", len(files[".wal"]), commits)
	}
	return files, commits
}

// logged is an API of small pages, so that several commits make a small log.
func logged() mockserver.Options {
	pages := mockserver.Pages{Cap: 100}
	return mockserver.Options{Data: mockserver.DataOptions{Events: 600, DirtyEvery: 100}, Events: pages, Feed: pages}
}

// spread returns n offsets in a text of that size, some of them adjacent.
func spread(size, n int) (offsets []int) {
	for i := range n {
		offsets = append(offsets, min(size-1, size*i/n+i%5))
	}
	return offsets
}

// TestLogCutShort: a truncated write-ahead log yields the events that were committed up to there.
// Readers leave it unchanged, and the next pull gets the rest again.
func TestLogCutShort(t *testing.T) {
	t.Parallel()
	w := newWorld(t, logged())
	files, commits := w.killedOften()
	last := 0
	for _, size := range append(harness.Some(spread(len(files[".wal"]), 55), 3), len(files[".wal"])) {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			w := w.in(t)
			w.put(contents{"": files[""], ".wal": files[".wal"][:size]})
			before := w.sums()
			n := w.stored()
			if !slices.Contains(commits, n) || n < last {
				t.Errorf("%d events, want one of %v, and not less than %d", n, commits, last)
			}
			last = n
			w.endsWith(w.run(command{Args: []string{"status"}}), 0)
			w.sound()
			w.unchanged(before)
			w.recovers()
		})
	}
	if last != commits[len(commits)-1] {
		t.Errorf("the whole log gives %d events of %v", last, commits)
	}
}

// TestLogFlipped: every command refuses a write-ahead log with a changed byte and leaves it
// unchanged. Where the byte is part of a length, the log may also yield the commits before. Without
// the log a pull continues from the file.
func TestLogFlipped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, logged())
	files, commits := w.killedOften()
	log := files[".wal"]
	seen := map[string]int{}
	for i, at := range harness.Some(append(spread(len(log), 55), 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 24, 32), 4) {
		t.Run(strconv.Itoa(at), func(t *testing.T) {
			w := w.in(t)
			w.put(contents{"": files[""], ".wal": flipped(log, at, i%8)})
			before := w.sums()
			e := w.run(command{Args: []string{"query", "--format", "csv", "SELECT count(*) FROM events"}})
			w.endsWith(e, 0, 6)
			if e.Code == 0 {
				seen["cut short"]++
				if n, err := strconv.Atoi(strings.Fields(e.Out)[1]); err != nil || !slices.Contains(commits, n) {
					t.Errorf("%d events, want one of %v: %v", n, commits, err)
				}
				w.sound()
				w.unchanged(before)
				w.recovers()
				return
			}
			seen["refused"]++
			w.says(e, "datasync status --recover")
			for _, args := range [][]string{{"status"}, {"verify"}, {"export", "--csv", "-"}, {"pull", "--quiet"}, {"status", "--recover"}} {
				e = w.run(command{Args: args})
				w.endsWith(e, 6)
				w.unchanged(before)
			}
			w.says(e, "move its .wal file away")
			if err := os.Remove(w.File + ".wal"); err != nil {
				t.Fatal(err)
			}
			if n := w.stored(); n != commits[0] {
				t.Errorf("%d events without the log, want %d", n, commits[0])
			}
			w.recovers()
		})
	}
	t.Logf("logs: %v", seen)
}

// TestLogIsElsewhere: a file without its log has the events of an earlier commit, and the next pull
// gets the rest. A log without its file is left alone. A pull detects another file's log before it
// writes.
func TestLogIsElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, logged())
	files, commits := w.killedOften()

	w.put(contents{"": files[""]}) // the log was deleted, or the file was copied without it
	if n := w.stored(); n != commits[0] {
		t.Errorf("%d events without the log, want %d", n, commits[0])
	}
	w.recovers()
	whole := w.keep()

	w.put(contents{".wal": files[".wal"]})
	before := w.sums()
	for _, args := range everyCommand {
		e := w.run(command{Args: args})
		w.endsWith(e, 6)
		w.says(e, ".wal")
		w.unchanged(before)
	}

	other := newWorld(t, mockserver.Options{Data: mockserver.DataOptions{Seed: 3, Events: 400}})
	e := other.run(command{Args: []string{"pull", "--quiet"}, Program: harness.FailpointProgram(w), Env: []string{"DATASYNC_FAILPOINT=f10:1"}})
	if e.Signal != syscall.SIGKILL {
		t.Fatal(e)
	}
	for name, c := range map[string]contents{
		"its own, of an earlier time": {"": whole[""], ".wal": files[".wal"]},
		"of another API":              {"": whole[""], ".wal": other.keep()[".wal"]},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			w.put(c)
			before := w.sums()
			e := w.run(command{Args: []string{"query", "SELECT count(*) FROM events"}})
			w.endsWith(e, 0, 6)
			for _, args := range [][]string{{"pull", "--quiet"}, {"status", "--recover"}} {
				e := w.run(command{Args: args})
				w.endsWith(e, 5, 6)
				w.says(e, ".wal")
				w.unchanged(before)
			}
			if err := os.Remove(w.File + ".wal"); err != nil {
				t.Fatal(err)
			}
			w.recovers()
		})
	}
}
