package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestThePowerFails: the power fails at any moment of a pull, and unsynced writes are lost, in
// whole or in part. The file then has whole batches, at least all whose commits were synced, and
// the next pull is complete. A log with a hole is refused.
func TestThePowerFails(t *testing.T) {
	t.Parallel()
	slow := mockserver.Pages{Cap: 400, Latency: 250 * time.Millisecond}
	type workload struct {
		name                       string
		pages                      mockserver.Pages
		events, breaks, reads, few int
	}
	for _, tc := range harness.Some([]workload{
		{"small batches", slow, 6000, 12, 8, 2},                           // into the log
		{"a full batch", mockserver.Pages{Cap: 10_000}, 140_000, 9, 5, 1}, // into the file itself
	}, 1) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := mockserver.Options{Data: mockserver.DataOptions{Events: tc.events, DirtyEvery: 100}, Events: tc.pages, Feed: tc.pages}
			w := newWorld(t, o)
			w.breakAfter(int64(tc.breaks), func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) })
			first, e := w.record(pull("--quiet", "--workers", "1", "--max-retry-time", "1ms"))
			w.endsWith(e, 4)
			w.repair()
			// A reader makes the pull write the log into the file while it runs.
			w.atRequest(int64(tc.reads), func() { w.endsWith(w.run(command{Args: []string{"query", "SELECT count(*) FROM events"}}), 0) })
			second, e := w.record(command{Args: []string{"pull", "--quiet", "--workers", "1"}})
			w.endsWith(e, 0)
			w.repair()
			w.isWhole()
			w.hurry(o)
			random := rand.New(rand.NewPCG(18, 18))
			now, err := os.ReadFile(w.File)
			if all := second.after(len(second.ops), noneLost, false, random); err != nil || len(all) != 1 || !bytes.Equal(now, all["datasync.duckdb"]) {
				t.Fatalf("the recording does not reproduce the file: %d files, %v", len(all), err)
			}
			for run, r := range []recording{first, second} {
				var points []int // at each sync, and where sizes and names change
				for i, o := range r.ops[r.first:] {
					switch o.kind {
					case "sync", "sync folder":
						points = append(points, r.first+i, r.first+i+1)
					case "rename", "unlink", "truncate":
						points = append(points, r.first+i+1)
					}
				}
				w.fails(r, fmt.Sprint("run ", run+1), harness.Some(points, tc.few))
			}
		})
	}
}

// hurry makes an API with these options respond without latency from now on.
func (w *world) hurry(o mockserver.Options) {
	o.Events.Latency, o.Feed.Latency = 0, 0
	w.API = mockserver.New(o)
	w.repair()
}

// fails lets the power fail after each of these operations of a recording.
func (w *world) fails(r recording, where string, points []int) {
	w.Helper()
	var states, refused atomic.Int64
	// try makes a state of the disk after point i. It returns the number of events, and whether
	// the file could be opened.
	try := func(t *testing.T, i, n int, l lost, certain int) (events int, ok bool) {
		point := points[i]
		strict := n == 3 || n == 6
		at := fmt.Sprintf("%s, operation %d (%s), lost %d, strict %v", where, point, r.ops[point-1].kind, l, strict)
		v := w.stateOf(r.after(point, l, strict, rand.New(rand.NewPCG(uint64(point), uint64(n)))))
		v.T = t
		events, ok = v.opens(at, certain > 0 && !strict, l == anyLost)
		if ok && events < certain && !strict {
			t.Errorf("%s: %d events, and %d were certain before", at, events, certain)
		}
		states.Add(1)
		if !ok {
			refused.Add(1)
		}
		if !ok || (i+n)%7 == 0 {
			v.goesOn(at)
		}
		if err := os.RemoveAll(v.Folder); err != nil {
			t.Error(err)
		}
		return events, ok
	}
	// The synced events at a point are certain from there on.
	certain := make([]int, len(points))
	for i := range points {
		before := 0
		if i > 0 {
			before = certain[i-1]
		}
		events, _ := try(w.T, i, 0, allLost, before)
		certain[i] = max(before, events)
	}
	w.Run(where, func(t *testing.T) {
		for i, point := range points {
			t.Run(fmt.Sprint("operation ", point), func(t *testing.T) {
				t.Parallel()
				for n, l := range []lost{noneLost, tailLost, tailLost, anyLost, anyLost, anyLost} {
					try(t, i, n+1, l, certain[i])
				}
			})
		}
	})
	w.Logf("%s: %d operations, %d states, of which %d were refused; %d events were certain at last", where, len(r.ops)-r.first, states.Load(), refused.Load(), certain[len(certain)-1])
}

// stateOf returns a world with the same API and these files.
func (w *world) stateOf(files map[string][]byte) *world {
	w.Helper()
	top := w.TempDir()
	v := &world{T: w.T, API: w.API, Base: w.Base, Folder: filepath.Join(top, "data"), home: top, temp: w.temp, runtime: w.runtime}
	v.File = filepath.Join(v.Folder, "datasync.duckdb")
	if err := os.Mkdir(v.Folder, 0o700); err != nil {
		w.Fatal(err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(v.Folder, name), data, 0o600); err != nil {
			w.Fatal(err)
		}
	}
	return v
}

// opens tests that the file opens and verify finds nothing, if necessary after its log was
// replayed, and returns the number of events. A log that may have holes may be refused, and is then
// moved away.
func (w *world) opens(at string, must, holes bool) (events int, ok bool) {
	w.Helper()
	if _, err := os.Stat(w.File); errors.Is(err, fs.ErrNotExist) {
		if must {
			w.Errorf("%s: there is no file", at)
		}
		return 0, true
	}
	e := w.run(command{Args: []string{"verify", "--json"}})
	if e.Code == 6 {
		w.isClear(e)
		w.says(e, "status --recover")
		recovered := w.run(command{Args: []string{"status", "--recover"}})
		if recovered.Code == 6 && holes {
			w.isClear(recovered)
			if err := os.Rename(w.File+".wal", filepath.Join(w.home, "away.wal")); err != nil {
				w.Errorf("%s: %v: %v", at, err, recovered)
			}
			return 0, false
		}
		if recovered.Code != 0 {
			w.Errorf("%s: %v", at, recovered)
		}
		e = w.run(command{Args: []string{"verify", "--json"}})
	}
	var report struct{ Fingerprint struct{ Events int } }
	if err := json.Unmarshal([]byte(e.Out), &report); err != nil || e.Code != 0 {
		w.Errorf("%s: %v", at, e)
	}
	return report.Fingerprint.Events, true
}

// goesOn is O4 of a state.
func (w *world) goesOn(at string) {
	w.Helper()
	if e := w.run(command{Args: []string{"pull", "--quiet"}}); e.Code != 0 {
		w.Errorf("%s: %v", at, e)
		return
	}
	w.verifies()
	w.hasAll()
	w.holdsOnly(w.Folder, filepath.Base(w.File))
}

// TestAWriteIsTorn: a pull is killed within a write, so a part of the block is in the file. No
// event is lost, even where DuckDB cannot open the file: the next pull, or status --recover,
// repairs it.
func TestAWriteIsTorn(t *testing.T) {
	t.Parallel()
	pages := mockserver.Pages{Cap: 400, Latency: 250 * time.Millisecond}
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 6000, DirtyEvery: 100}, Events: pages, Feed: pages}
	w := newWorld(t, o)
	w.breakAfter(8, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) })
	w.endsWith(w.run(pull("--quiet", "--workers", "1", "--max-retry-time", "1ms")), 4)
	w.repair()
	w.atRequest(8, func() { w.endsWith(w.run(command{Args: []string{"query", "SELECT count(*) FROM events"}}), 0) })
	r, e := w.record(command{Args: []string{"pull", "--quiet", "--workers", "1"}})
	w.endsWith(e, 0)
	w.hurry(o)
	certain, torn, writes := 0, 0, 0
	for i, o := range r.ops {
		if i < r.first || o.kind != "write" || len(o.data) != 256<<10 || o.offset != 3*4096 { // the first block, which each checkpoint writes again
			continue
		}
		writes++
		for part, size := range harness.Some([]int{4096, 8192, 16384, 20480, 40960, 131072, len(o.data) - 4096}, 2) {
			if size > len(o.data) {
				continue
			}
			cut := recording{first: r.first, ops: slices.Clone(r.ops[:i+1])}
			cut.ops[i].data = o.data[:size]
			at := fmt.Sprintf("%d of %d bytes at %d", size, len(o.data), o.offset)
			files := cut.after(i+1, noneLost, false, nil)
			v := w.stateOf(files)
			if e := v.run(command{Args: []string{"query", "SELECT 1"}}); e.Code == 6 {
				torn++
				w.says(e, "status --recover")
				w.isNotMended(at, files)
			}
			if part%2 == 0 {
				events, _ := v.opens(at, true, false)
				if events < certain {
					t.Errorf("%s: %d events, %d before", at, events, certain)
				}
				certain = max(certain, events)
			}
			v.goesOn(at)
		}
	}
	if torn == 0 {
		t.Errorf("none of %d writes left a file that could not be opened", writes)
	}
	t.Logf("%d writes, %d files that could not be opened", writes, torn)
}

// isNotMended removes the log's record that a checkpoint began. A changed block is then damage, and
// must be reported as such.
func (w *world) isNotMended(at string, files map[string][]byte) {
	w.Helper()
	const said = 2*16 + 5 + 12 // two entries
	files = maps.Clone(files)
	log := files["datasync.duckdb.wal"]
	files["datasync.duckdb.wal"] = log[:len(log)-said]
	v := w.stateOf(files)
	before := v.bytes()
	for _, args := range [][]string{{"status", "--recover"}, {"pull", "--quiet"}} {
		w.endsWith(v.run(command{Args: args}), 6)
	}
	if after := v.bytes(); after != before {
		w.Errorf("%s: files changed from\n%s to\n%s", at, before, after)
	}
}

// TestExportsAreSynced: an export syncs its file before it gets its name, and the folder after
// that.
func TestExportsAreSynced(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is missing, which shows the syncs")
	}
	for options, written := range map[string]string{
		"":                    `out/(#[0-9]+|\.datasync-export-[A-Z0-9]+)>`, // without a name, or with a hidden one
		"--partition-by=type": `events-[^/]+\.parquet>`,
		"--incremental":       `events-[^/]+\.parquet>`,
	} {
		content := regexp.MustCompile(written)
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fewPages())
			w.endsWith(w.run(pull("--quiet")), 0)
			log, folder := filepath.Join(filepath.Dir(w.Folder), "strace.log"), filepath.Join(w.home, "out")
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			args := []string{"-f", "-qq", "-y", "-o", log, "-e", "trace=fsync,fdatasync,linkat,rename,renameat,renameat2", harness.Program(t), "export", "--quiet", "--parquet", filepath.Join(folder, "target")}
			if e := w.run(command{Program: strace, Args: append(args, strings.Fields(options)...)}); e.Code != 0 {
				t.Fatal(e)
			}
			text, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			var order []string
			for line := range strings.Lines(string(text)) {
				switch syncs := strings.Contains(line, "sync("); {
				case syncs && strings.Contains(line, "<"+folder+">"):
					order = append(order, "folder")
				case syncs && content.MatchString(line):
					order = append(order, "content")
				case !syncs && strings.Contains(line, `"target"`):
					order = append(order, "name")
				}
			}
			said := strings.Join(slices.Compact(order), ", ")
			if !strings.HasPrefix(said, "content, name, folder") {
				t.Errorf("%s:\n%s", said, text)
			}
		})
	}
}
