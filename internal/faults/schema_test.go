package faults

import (
	"datasync/internal/e2e/harness"
	"datasync/internal/inspect"

	"compress/gzip"
	endian "encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"datasync/mockserver"

	_ "github.com/duckdb/duckdb-go/v2" // registers the driver
)

// change runs statements on the database, which datasync never would. It leaves a write-ahead log
// beside the file if there was one.
func (w *world) change(statements ...string) {
	w.Helper()
	if _, err := os.Stat(w.File + ".wal"); err == nil {
		statements = append([]string{"PRAGMA disable_checkpoint_on_shutdown", "SET wal_autocheckpoint = '1TB'"}, statements...)
	}
	harness.Change(w, w.File, statements...)
	w.chmod()
}

// chmod gives the files the mode that the program gives them.
func (w *world) chmod() {
	w.Helper()
	for _, name := range []string{w.File, w.File + ".wal"} {
		if err := os.Chmod(name, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.Fatal(err)
		}
	}
}

// unpack replaces the database with a file of testdata/schema, and with its log if it has one.
func (w *world) unpack(name string) {
	w.Helper()
	for _, end := range []string{"", ".wal"} {
		f, err := os.Open(filepath.Join("testdata", "schema", name+".duckdb"+end+".gz"))
		if errors.Is(err, fs.ErrNotExist) && end != "" {
			continue
		}
		if err != nil {
			w.Fatal(err)
		}
		unpacked, err := gzip.NewReader(f)
		if err != nil {
			w.Fatal(err)
		}
		text, err := io.ReadAll(unpacked)
		if err := errors.Join(err, f.Close(), os.WriteFile(w.File+end, text, 0o600)); err != nil {
			w.Fatal(err)
		}
	}
	w.change(fmt.Sprintf("UPDATE meta SET value = '%s' WHERE key = 'origin'", w.Base))
}

// schemas are the versions of the schema for which there are files. The program's own may be newer.
const schemas = 7

// schemaEvents is the API that the files were pulled from.
func schemaEvents() mockserver.Options {
	return mockserver.Options{Data: mockserver.DataOptions{Events: 400}}
}

// TestFilesOfOlderSchemas: a file of each older schema, complete or left by a kill, can be queried
// and exported unchanged. The next pull migrates and completes it.
func TestFilesOfOlderSchemas(t *testing.T) {
	t.Parallel()
	var files []string
	for version := range schemas {
		files = append(files, fmt.Sprint("v", version+1), fmt.Sprint("v", version+1, "-killed"))
	}
	for _, name := range harness.Some(files, 3) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, schemaEvents())
			w.unpack(name)
			before := w.sums()
			version, killed := int(name[1]-'0'), strings.HasSuffix(name, "-killed")
			want := "400"
			if killed {
				want = "300"
			}
			if got := w.query("SELECT count(*), count(DISTINCT id), (SELECT value FROM meta WHERE key = 'schema_version') FROM events")[1]; strings.Join(got, " ") != want+" "+want+" "+strconv.Itoa(version) {
				t.Errorf("%v, want %s events", got, want)
			}
			e := w.run(command{Args: []string{"export", "--csv", "-"}})
			w.endsWith(e, 0)
			if n := strings.Count(e.Out, "\n"); strconv.Itoa(n-1) != want {
				t.Errorf("%d lines exported, want %s events", n-1, want)
			}
			w.endsWith(w.run(command{Args: []string{"schema"}}), 0)
			for _, args := range [][]string{{"status"}, {"verify"}} {
				e := w.run(command{Args: args})
				if version == inspect.SchemaVersion {
					w.endsWith(e, 0)
					continue
				}
				w.endsWith(e, 6)
				w.says(e, fmt.Sprint("it has schema ", version), "run datasync pull")
			}
			w.unchanged(before)
			if !killed {
				// A refused pull leaves it unchanged, too.
				other := w.start(command{Args: []string{"pull", "--quiet"}, Env: []string{"DATASYNC_BASE_URL=http://127.0.0.1:9"}}).wait()
				w.endsWith(other, 6)
				w.unchanged(before)
			}
			w.endsWith(w.run(command{Args: []string{"pull"}}), 0)
			w.isWhole()
			w.isAsUndisturbed(schemaEvents().Data)
			if got := w.query("SELECT value FROM meta WHERE key = 'schema_version'")[1][0]; got != strconv.Itoa(inspect.SchemaVersion) {
				t.Errorf("schema %s", got)
			}
		})
	}
}

// TestKilledWhileItMigrates: a kill at any step of the migration leaves a file of the old schema or
// of the new one. The next pull is complete.
func TestKilledWhileItMigrates(t *testing.T) {
	t.Parallel()
	type kill struct {
		name  string
		point int
	}
	var kills []kill
	for version := 1; version <= min(schemas, inspect.SchemaVersion-1); version++ {
		for _, kind := range []string{"", "-killed"} {
			for point := 1; point <= inspect.SchemaVersion-version+1; point++ { // after each script, and after the commit
				kills = append(kills, kill{fmt.Sprint("v", version, kind), point})
			}
		}
	}
	for _, k := range harness.Some(kills, 2) {
		t.Run(fmt.Sprint(k.name, " f13:", k.point), func(t *testing.T) {
			w := newWorld(t, schemaEvents())
			w.unpack(k.name)
			version := k.name[1:2]
			e := w.run(command{Args: []string{"pull", "--quiet"}, Program: harness.FailpointProgram(w), Env: []string{fmt.Sprint("DATASYNC_FAILPOINT=f13:", k.point)}})
			if e.Signal != syscall.SIGKILL {
				t.Errorf("not killed: %v", e)
			}
			committed := strconv.Itoa(k.point) == strconv.Itoa(inspect.SchemaVersion-int(version[0]-'0')+1)
			if committed {
				version = strconv.Itoa(inspect.SchemaVersion)
			}
			if got := w.query("SELECT value FROM meta WHERE key = 'schema_version'")[1][0]; got != version {
				t.Errorf("schema %s, want %s", got, version)
			}
			if tables := w.query("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'checkpoints'")[1][0]; (tables == "1") != (version >= "3") {
				t.Errorf("schema %s has %s tables checkpoints", version, tables)
			}
			if committed {
				w.sound()
			}
			w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
			w.isWhole()
			w.isAsUndisturbed(schemaEvents().Data)
		})
	}
}

// everyCommand are the commands that open the database.
var everyCommand = [][]string{
	{"query", "SELECT count(*) FROM events"}, {"status"}, {"status", "--recover"}, {"verify"}, {"schema"},
	{"export", "--csv", "-"}, {"export", "--parquet", "x.parquet"}, {"pull", "--quiet"}, {"pull", "--dry-run"},
}

// TestNewerFiles: every command refuses a file of a newer schema, or of a newer DuckDB. It says
// which version is needed and leaves the file unchanged.
func TestNewerFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, schemaEvents())
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	pulled := w.keep()
	for name, tc := range map[string]struct {
		statement string
		patch     func(file []byte)
		says      []string
	}{
		"schema": {statement: "UPDATE meta SET value = '99' WHERE key = 'schema_version'", says: []string{"it has schema 99", fmt.Sprint("up to ", inspect.SchemaVersion), "update datasync"}},
		"DuckDB": {patch: func(file []byte) { endian.LittleEndian.PutUint64(file[12:], 99); sumUp(file[:4096]) }, says: []string{"version number 99", "update datasync"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			w.put(pulled)
			if tc.statement != "" {
				w.change(tc.statement)
			}
			if tc.patch != nil {
				file := w.keep()
				tc.patch(file[""])
				w.put(file)
			}
			before := w.sums()
			for _, args := range everyCommand {
				e := w.run(command{Args: args})
				w.endsWith(e, 6)
				w.says(e, tc.says...)
				w.unchanged(before)
			}
		})
	}
	w.put(pulled)
	w.recovers()
}

// sumUp writes the checksum of a header in front of it, as DuckDB does.
func sumUp(header []byte) {
	const word = 0xbf58476d1ce4e5b9
	sum := uint64(5381)
	body := header[8:]
	for ; len(body) >= 8; body = body[8:] {
		sum ^= endian.LittleEndian.Uint64(body) * word
	}
	endian.LittleEndian.PutUint64(header, sum)
}

// TestRecordsThatContradict: a pull refuses a file whose tables contradict each other, says how,
// and leaves it unchanged. verify finds the contradiction, too.
func TestRecordsThatContradict(t *testing.T) {
	t.Parallel()
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 1000, DirtyEvery: 50}, Events: mockserver.Pages{Cap: 100}, Feed: mockserver.Pages{Cap: 100}}
	w := newWorld(t, o)
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	w.API.Dataset().Grow(100)
	pulled := w.keep()
	type change struct{ name, statement, says string }
	for _, tc := range harness.Some([]change{
		{"no checkpoint", "DELETE FROM checkpoints", "has pages, but no checkpoint"},
		{"two checkpoints", "INSERT INTO checkpoints SELECT * FROM checkpoints", "2 checkpoints of one writer"},
		{"an event less", "DELETE FROM events WHERE rowid = 7", "events stored, the table has"},
		{"an event more", "INSERT INTO events SELECT * REPLACE (uuid() AS id) FROM events WHERE rowid = 7", "events stored, the table has"},
		{"an event of a later batch", "INSERT INTO events SELECT * REPLACE (uuid() AS id, batch + 100 AS batch) FROM events WHERE rowid = 7", "events stored, the table has"},
		{"no events", "DELETE FROM events", "events stored, the table has 0"},
		{"no page log", "DELETE FROM page_log", "the page log has 0 events stored"},
		{"a batch of two runs", "INSERT INTO page_log SELECT * REPLACE (uuid() AS run, 0 AS stored) FROM page_log WHERE rowid = 0", "is of 2 runs"},
		{"no table of checkpoints", "DROP VIEW checkpoint; DROP TABLE checkpoints", "checkpoints"},
		{"no column of checkpoints", "DROP VIEW checkpoint; ALTER TABLE checkpoints DROP COLUMN window_id", "window_id"},
	}, 3) {
		t.Run(tc.name, func(t *testing.T) {
			w := w.in(t)
			w.put(pulled)
			w.change(strings.Split(tc.statement, "; ")...)
			before := w.sums()
			code := 5
			if strings.HasPrefix(tc.name, "no table") || strings.HasPrefix(tc.name, "no column") {
				code = 6
			}
			for _, args := range [][]string{{"pull", "--quiet"}, {"pull", "--restart", "--quiet"}, {"status", "--recover"}} {
				e := w.run(command{Args: args})
				w.endsWith(e, code)
				w.says(e, tc.says)
				w.unchanged(before)
			}
			w.endsWith(w.run(command{Args: []string{"verify"}}), code)
			w.unchanged(before)
		})
	}
	// A commit whose end is not in the log is no contradiction.
	w.put(pulled)
	w.change("INSERT INTO events SELECT * REPLACE (uuid() AS id, (SELECT max(batch) + 1 FROM page_log) AS batch) FROM events WHERE rowid < 3")
	w.endsWith(w.run(command{Args: []string{"verify"}}), 0)
	e := w.run(command{Args: []string{"pull"}})
	w.endsWith(e, 0)
	w.says(e, "removed 3 events of a batch that was not written completely: they are pulled again")
	w.isWhole()
}

// TestAnotherSource: a pull from another origin is refused. Events of another key at the same
// origin cannot be told from this key's, and are counted.
func TestAnotherSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, schemaEvents())
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	other := newWorld(t, mockserver.Options{Data: mockserver.DataOptions{Seed: 7, Events: 500}})
	before := w.sums()
	for _, options := range [][]string{nil, {"--restart"}, {"--dry-run"}} {
		e := w.run(command{Args: append([]string{"pull", "--quiet"}, options...), Env: []string{"DATASYNC_BASE_URL=" + other.Base}})
		w.endsWith(e, 6)
		w.says(e, "it holds the events of "+w.Base, "not of "+other.Base, "--db")
		w.unchanged(before)
	}
	if n := other.connections.Load(); n > 0 {
		t.Errorf("%d connections to the other API", n)
	}
	w.answer(other.API)
	e := w.run(command{Args: []string{"pull"}})
	w.endsWith(e, 0)
	w.says(e, "at least 400 events here are no longer at the API", "whether others are missing cannot be told")
}
