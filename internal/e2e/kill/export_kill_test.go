package kill_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// exporting is a folder with a database to export.
type exporting struct {
	t                    *testing.T
	binary, folder, base string
	api                  *mockserver.Server
}

func newExporting(t *testing.T, binary string, events int) *exporting {
	e := &exporting{t: t, binary: binary, folder: t.TempDir()}
	e.api, e.base = harness.Serve(t, mockserver.Options{Data: mockserver.DataOptions{Events: events}})
	e.run("pull --quiet")
	return e
}

// run runs the program, which must succeed.
func (e *exporting) run(args string) {
	e.t.Helper()
	if cmd, output := harness.Command(e.t.Context(), e.binary, e.folder, e.base, strings.Fields(args)...); cmd.Run() != nil {
		e.t.Fatalf("%s: %s", args, output)
	}
}

func (e *exporting) killedAt(point, args string) bool {
	e.t.Helper()
	return harness.KilledAt(e.t, point, e.folder, e.base, strings.Fields(args)...)
}

func (e *exporting) path(name string) string { return filepath.Join(e.folder, name) }

// rows counts the rows of a pattern of Parquet files, and their distinct ids.
func (e *exporting) rows(pattern string) string {
	e.t.Helper()
	if files, err := filepath.Glob(e.path(pattern)); err != nil || len(files) == 0 {
		return "0 0"
	}
	return harness.One(e.t, e.path("datasync.duckdb"), "SELECT (SELECT count(*) FROM events) || ''") + " " + idsOf(e.t, e.path(pattern))
}

// onlyWhole fails the test where a folder holds other files than its manifest lists, or the
// database's folder holds other names than these.
func (e *exporting) onlyWhole(folder string, names ...string) {
	e.t.Helper()
	b, err := os.ReadFile(e.path(folder + ".manifest.json"))
	if err != nil {
		e.t.Fatal(err)
	}
	var m struct {
		Files []struct {
			Path  string
			Bytes int64
		}
	}
	if err := json.Unmarshal(b, &m); err != nil {
		e.t.Fatal(err)
	}
	var want []string
	for _, f := range m.Files {
		want = append(want, f.Path)
		if info, err := os.Stat(e.path(folder + "/" + f.Path)); err != nil || info.Size() != f.Bytes {
			e.t.Errorf("%s: %v, %v", f.Path, info, err)
		}
	}
	var got []string
	err = fs.WalkDir(os.DirFS(e.path(folder)), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got = append(got, path)
		}
		return err
	})
	slices.Sort(want)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		e.t.Errorf("%v stand in %s, want %v; %v", got, folder, want, err)
	}
	e.holds(append(names, folder, folder+".manifest.json")...)
}

// holds fails the test where the database's folder holds other names than these and the database's.
func (e *exporting) holds(names ...string) {
	e.t.Helper()
	entries, err := os.ReadDir(e.folder)
	if err != nil {
		e.t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		if entry.Name() != "datasync.duckdb" {
			got = append(got, entry.Name())
		}
	}
	slices.Sort(names)
	if !slices.Equal(got, names) {
		e.t.Errorf("the folder holds %q, want %q", got, names)
	}
}

// TestFailpointInExport kills an export before its file gets its name. The old file stays, no other
// file is left, and the next export succeeds.
func TestFailpointInExport(t *testing.T) {
	t.Parallel()
	e := newExporting(t, harness.FailpointProgram(t), 1000)
	e.run("export --parquet a")
	before, err := os.ReadFile(e.path("a"))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"export --parquet a --force", "export --csv a --force"} {
		if !e.killedAt("f14", args) {
			t.Error("the program did not come to f14")
		}
		if after, err := os.ReadFile(e.path("a")); err != nil || !slices.Equal(before, after) {
			t.Errorf("the old file has changed: %v", err)
		}
		e.run(args)
		e.holds("a")
	}
}

// TestFailpointsInFolders kills an export to a folder at each step. The folder then has either its
// old files or all of the new ones, and the next export succeeds.
func TestFailpointsInFolders(t *testing.T) {
	t.Parallel()
	binary := harness.FailpointProgram(t)
	for name, tc := range map[string]struct{ before, args string }{
		"new":       {"", "export --parquet a --partition-by day"},
		"replaced":  {"export --parquet a --partition-by day", "export --parquet a --partition-by day --force"},
		"increment": {"export --parquet a --partition-by day --incremental", "export --parquet a --partition-by day --incremental"},
	} {
		if !harness.All() && name != "increment" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			steps := 0
			for ; ; steps++ {
				e := newExporting(t, binary, 1000)
				if tc.before != "" {
					e.run(tc.before)
				}
				e.api.Dataset().Grow(100)
				e.run("pull --quiet")
				if !e.killedAt(fmt.Sprint("f14:", steps+1), tc.args) {
					break
				}
				const pattern = "a/*/*.parquet"
				if rows := e.rows(pattern); rows != "0 0" && !once(rows) {
					t.Errorf("killed at step %d: rows stand twice: %s", steps+1, rows)
				}
				e.run("export --parquet a --partition-by day --incremental")
				if rows := e.rows(pattern); rows != "1100 1100 1100" {
					t.Errorf("killed at step %d: %s rows", steps+1, rows)
				}
				e.onlyWhole("a")
			}
			if want := map[string]int{"new": 3, "replaced": 4, "increment": 5}[name]; steps < want {
				t.Errorf("%d steps at which it was killed, want at least %d", steps, want)
			}
		})
	}
}

// once reports whether there are as many distinct ids as rows.
func once(rows string) bool {
	fields := strings.Fields(rows)
	return fields[1] == fields[2]
}

// TestExportKilledAtRandom kills exports at random moments, one after another.
func TestExportKilledAtRandom(t *testing.T) {
	t.Parallel()
	binary := harness.Program(t)
	random := rand.New(rand.NewPCG(14, 1))
	e := newExporting(t, binary, 20_000)
	whole := map[string]string{"a.parquet": "export --parquet a.parquet --force", "a": "export --parquet a --partition-by day,type --incremental", "b": "export --parquet b --file-size 1MB --force"}
	for range max(2, harness.KillSeeds()/4) {
		for name, args := range whole {
			began := time.Now()
			cmd, _ := harness.Command(t.Context(), e.binary, e.folder, e.base, strings.Fields(args)...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(time.Duration(random.IntN(250))*time.Millisecond, func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait() // it was killed, or not
			timer.Stop()
			if pattern := map[string]string{"a.parquet": "a.parquet", "a": "a/*/*/*.parquet", "b": "b/*.parquet"}[name]; true {
				if rows := e.rows(pattern); rows != "0 0" && !once(rows) {
					t.Errorf("%s killed after %s: rows stand twice: %s", args, time.Since(began), rows)
				}
			}
		}
		e.api.Dataset().Grow(random.IntN(1000))
		e.run("pull --quiet")
	}
	for _, args := range whole {
		e.run(args)
	}
	n := e.api.Dataset().Len()
	for _, pattern := range []string{"a.parquet", "a/*/*/*.parquet", "b/*.parquet"} {
		if rows, want := e.rows(pattern), fmt.Sprint(n, " ", n, " ", n); rows != want {
			t.Errorf("%s: %s rows, want %s", pattern, rows, want)
		}
	}
	e.onlyWhole("a", "a.parquet", "b", "b.manifest.json")
	if _, err := os.Lstat(e.path("a.manifest.json.pending")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// idsOf counts the rows of Parquet files, and their distinct ids.
func idsOf(t *testing.T, pattern string) string {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var rows, ids int
	if err := db.QueryRow("SELECT count(*), count(DISTINCT id) FROM read_parquet(?)", pattern).Scan(&rows, &ids); err != nil {
		t.Fatal(pattern, err)
	}
	return fmt.Sprint(rows, " ", ids)
}

// TestExportSignals ends exports by signals while their reader takes no more.
func TestExportSignals(t *testing.T) {
	t.Parallel()
	e := newExporting(t, harness.Program(t), 100)
	for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		cmd, _ := harness.Command(t.Context(), e.binary, e.folder, e.base, "export", "--csv", "-", "--query", "SELECT * FROM range(1000000000000)")
		cmd.Stdout = nil
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if state, err := cmd.Process.Wait(); err != nil || state.ExitCode() != code {
			t.Errorf("%v: %v, %v, want %d", signal, state, err, code)
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
		e.holds()
	}
	// A reader that has gone is not an error, and the program says nothing.
	cmd, output := harness.Command(t.Context(), e.binary, e.folder, e.base, "export", "--jsonl", "-", "--query", "SELECT * FROM range(1000000000000)")
	cmd.Stdout = nil
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadFull(out, make([]byte, 1000))
	if err := errors.Join(err, out.Close(), cmd.Wait()); err != nil || output.Len() > 0 {
		t.Errorf("%v: %s", err, output)
	}
	e.holds()
}
