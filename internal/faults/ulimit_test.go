package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestLimitsOfFiles: with few descriptors, or with a limit on file sizes, a pull ends normally or
// says why it cannot. It keeps the committed events and resumes without the limit.
func TestLimitsOfFiles(t *testing.T) {
	t.Parallel()
	for _, limit := range harness.Some([]string{"-f 600", "-n 16", "-f 8", "-n 10", "-n 12", "-n 24", "-n 32", "-f 1", "-f 64", "-f 300", "-f 1500", "-f 3000", "-f 5000"}, 3) {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, manyEvents())
			e := w.run(command{Args: []string{"pull", "--quiet"}, Limits: []string{limit}})
			w.endsWith(e, 0, 1, 4, 6)
			if e.Code == 1 {
				w.says(e, "too few file descriptors")
			}
			if e.Code == 6 && strings.HasPrefix(limit, "-f") {
				w.says(e, "ulimit")
			}
			if limit == "-f 600" { // enough to begin, but not for a batch
				w.keepsReason("a limit of this process is reached")
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

// TestFewDescriptors: the program runs under each limit of descriptors with which it can start.
// Each command ends as without a limit, or says in one line that it has too few and leaves nothing.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	var limits []int
	for n := 4; n <= 44; n++ {
		limits = append(limits, n)
	}
	w := newWorld(t, manyEvents())
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	refused := 0
	for _, n := range harness.Some(limits, 8) {
		for i, args := range [][]string{
			{"pull", "--quiet", "--db", "new.duckdb"}, {"pull", "--quiet", "--demo", "--demo-events", "3000", "--db", "new.duckdb"},
			{"pull", "--dry-run", "--db", "new.duckdb"}, {"query", "SELECT count(*) FROM events"}, {"query", "-o", "OUT/a.csv", "FROM events"},
			{"export", "--quiet", "--csv", "-"}, {"export", "--quiet", "--csv", "OUT/a.csv.gz"}, {"export", "--quiet", "--parquet", "OUT/a.parquet"},
			{"export", "--quiet", "--jsonl", "OUT/a", "--incremental"}, {"export", "--quiet", "--parquet", "OUT/a", "--partition-by", "day"},
			{"export", "--quiet", "--csv", "OUT/a", "--file-size", "1MB"}, {"status"}, {"status", "--recover"}, {"verify"}, {"schema"}, {"mock", "--addr", strings.TrimPrefix(w.Base, "http://")}, {"--help"},
		} {
			home := t.TempDir()
			for j := range args {
				args[j] = strings.Replace(strings.Replace(args[j], "OUT", home, 1), "new.duckdb", filepath.Join(home, "new.duckdb"), 1)
			}
			before := w.sums()
			e := w.run(command{Args: args, Limits: []string{fmt.Sprint("-n ", n)}})
			switch {
			case e.Code == 1 && strings.HasPrefix(e.Err, "datasync: too few file descriptors"):
				refused++
				if strings.Count(e.Err, "\n") != 1 || e.Out != "" {
					t.Errorf("%d: %v", n, e)
				}
				w.holdsOnly(home)
			case args[0] == "mock":
				w.endsWith(e, 1)
			default:
				w.endsWith(e, 0)
			}
			if i > 2 {
				w.unchanged(before)
			}
			for _, left := range []string{"new.duckdb.lock", "new.duckdb.wal", "new.duckdb.socket"} {
				if _, err := os.Lstat(filepath.Join(home, left)); err == nil {
					t.Errorf("%d: %s is left of %v", n, left, e)
				}
			}
		}
	}
	if refused == 0 {
		t.Error("no limit was too low")
	}
}

// TestLimitsOfMemory: with too little address space a pull says so, or its runtime ends it. That
// holds while it writes, and while it replays the log of a killed pull. The committed events are
// there once there is more memory.
func TestLimitsOfMemory(t *testing.T) {
	t.Parallel()
	for i, megabytes := range harness.Some([]int{900, 500, 1300, 1500, 700, 1100, 1700, 2000, 2500}, 2) {
		t.Run(fmt.Sprint(megabytes, " MB"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, manyEvents())
			stored := 0
			if i%2 == 0 {
				// It leaves a log.
				e := w.run(command{Program: harness.FailpointProgram(w), Args: []string{"pull", "--quiet", "--page-size", "500"}, Env: []string{"DATASYNC_FAILPOINT=f10:2"}})
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
				// Go's runtime, and C++ code without an exception, can only end the process.
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

// TestLongValues: a value of 60 MB takes a small multiple of its size in memory in every format,
// and a table shows its beginning.
func TestLongValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{Data: mockserver.DataOptions{Events: 10}})
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	const length = 60_000_000
	for _, value := range harness.Some([]string{"repeat(chr(27), 60000000)", "repeat(chr(8238), 20000000)", "repeat(chr(10), 60000000)", "repeat('漢', 20000000)", "'e' || repeat(chr(769), 30000000)", "repeat('\"', 60000000)", "repeat('x', 60000000)::BLOB"}, 1) {
		for _, format := range harness.Some([]string{"table", "box", "csv", "tsv", "json", "jsonl", "markdown", "line", "html"}, 3) {
			var n size
			e := w.run(command{Args: []string{"query", "--format", format, "SELECT " + value + " AS a"}, Stdout: &n})
			w.endsWith(e, 0)
			if table := format == "table" || format == "box"; table != (n < 1_000_000) || !table && n < length {
				t.Errorf("%s of %s: %d bytes", format, value, n)
			}
			w.peaksBelow(e, 450) // 50 MB of which are the program's
		}
	}
}

// size counts the bytes that are written to it.
type size int64

func (c *size) Write(b []byte) (int, error) {
	*c += size(len(b))
	return len(b), nil
}
