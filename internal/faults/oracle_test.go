package faults

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"

	"github.com/google/uuid"
)

// endsWith is O1: the program ended with one of the codes. If the code is an error's, the last line
// says what failed.
func (w *world) endsWith(e harness.Result, codes ...int) {
	w.Helper()
	if !slices.Contains(codes, e.Code) {
		w.Errorf("O1: want exit %v: %v", codes, e)
	}
	if e.Code > 0 {
		w.isClear(e)
	}
}

// trace matches the output of a crash.
var trace = regexp.MustCompile(`(?m)^(panic:|fatal error:|goroutine \d+|SIG[A-Z]+:|runtime: |terminate called|unexpected fault address)`)

// excerpt matches the line of wrong SQL and the caret, which follow the error.
var excerpt = regexp.MustCompile(`(?m)^LINE [0-9]+: .*\n *\^\n\z`)

// isClear fails the test where an error is more than one clear line.
func (w *world) isClear(e harness.Result) {
	w.Helper()
	if trace.MatchString(e.Err) || trace.MatchString(e.Out) {
		w.Errorf("O1: a stack trace: %v", e)
	}
	lines := strings.Split(strings.TrimSpace(excerpt.ReplaceAllString(e.Err, "")), "\n")
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "datasync: ") {
		w.Errorf("O1: the last line is not the error: %q", last)
	}
	for _, r := range e.Err {
		if r != '\n' && r != '\t' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0) {
			w.Errorf("O1: a control character in %q", e.Err)
			break
		}
	}
	if len(last) > 1500 {
		w.Errorf("O1: an error of %d characters: %.200s", len(last), last)
	}
}

// says is O1 as well: the error contains these texts.
func (w *world) says(e harness.Result, texts ...string) {
	w.Helper()
	for _, text := range texts {
		if !strings.Contains(e.Err, text) {
			w.Errorf("O1: the error does not contain %q: %v", text, e)
		}
	}
}

// sound is O2 and O3 of the file, if there is one yet.
func (w *world) sound() {
	w.Helper()
	if _, err := os.Stat(w.File); errors.Is(err, fs.ErrNotExist) {
		return
	}
	w.verifies()
	w.counts()
}

// verifies is O2: verify finds nothing. It keeps the fingerprint.
func (w *world) verifies() {
	w.Helper()
	e := w.run(command{Args: []string{"verify", "--json"}})
	if e.Code != 0 {
		w.Errorf("O2: %v", e)
		return
	}
	w.verified, w.verifiedState = e.Out, w.state()
}

// state changes with the database and its log.
func (w *world) state() (state string) {
	for _, path := range []string{w.File, w.File + ".wal"} {
		var s syscall.Stat_t
		if err := syscall.Stat(path, &s); err != nil {
			state += err.Error()
			continue
		}
		state += fmt.Sprint(s.Ino, s.Size, s.Mtim, s.Ctim, " ")
	}
	return state
}

// counts is O3: each id is stored once, and as often as the page log says.
func (w *world) counts() {
	w.Helper()
	const sums = `SELECT count(*), count(DISTINCT id), (SELECT coalesce(sum(stored), 0)::BIGINT FROM page_log) FROM events`
	rows := w.query(sums)
	if len(rows) != 2 || rows[1][0] != rows[1][1] || rows[1][0] != rows[1][2] {
		w.Errorf("O3: events, ids and stored: %v", rows)
	}
}

// query returns the rows of a statement, the column names first.
func (w *world) query(sql string) [][]string {
	w.Helper()
	e := w.run(command{Args: []string{"query", "--format", "csv", sql}})
	if e.Code != 0 {
		w.Fatalf("O2: %v", e)
	}
	rows, err := csv.NewReader(strings.NewReader(e.Out)).ReadAll()
	if err != nil {
		w.Fatal(err)
	}
	return rows
}

// stored returns how many events are in the file.
func (w *world) stored() int {
	w.Helper()
	if _, err := os.Stat(w.File); errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	n, err := strconv.Atoi(w.query("SELECT count(*) AS n FROM events")[1][0])
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// recovers is O2 to O6 and O8: the file is sound, and a pull from an API without faults ends with
// exactly its events.
func (w *world) recovers(options ...string) {
	w.Helper()
	w.sound()
	w.repair()
	if e := w.run(command{Args: append([]string{"pull"}, options...)}); e.Code != 0 {
		w.Errorf("O4: %v", e)
		return
	}
	w.isWhole()
}

// isWhole is O2 to O6 and O8 of a complete pull.
func (w *world) isWhole() {
	w.Helper()
	w.verifies()
	w.hasAll()
	w.noTraces()
	w.wasPolite()
}

// hasAll is O3 and O4: the file has each event of the API once, at its instant, and no other.
func (w *world) hasAll() {
	w.Helper()
	want, _ := harness.Expected(w.API)
	rows := w.query(`SELECT id, epoch_us("timestamp") AS at, (SELECT coalesce(sum(stored), 0)::BIGINT FROM page_log) AS stored FROM events`)[1:]
	if len(rows) == 0 {
		w.counts()
	}
	for _, row := range rows {
		id, err := uuid.Parse(row[0])
		if err != nil {
			w.Fatal(err)
		}
		at, ok := want[id]
		if !ok || row[1] != strconv.FormatInt(at, 10) {
			w.Fatalf("O4: event %s at %s is stored twice or not the API's: want %d (%v)", row[0], row[1], at, ok)
		}
		delete(want, id)
		if row[2] != strconv.Itoa(len(rows)) {
			w.Fatalf("O3: %d events, the page log has %s", len(rows), row[2])
		}
	}
	if len(want) > 0 {
		w.Fatalf("O4: %d events of the API are missing", len(want))
	}
}

// fingerprint is verify's, over all columns. It does not run again for a file that did not
// change since.
func (w *world) fingerprint() string {
	w.Helper()
	if w.verified == "" || w.verifiedState != w.state() {
		w.verifies()
	}
	var report struct {
		Fingerprint struct {
			Events int64
			Hash   string
		}
	}
	if err := json.Unmarshal([]byte(w.verified), &report); err != nil {
		w.Fatalf("O2: %v: %s", err, w.verified)
	}
	return fmt.Sprint(report.Fingerprint.Events, " ", report.Fingerprint.Hash)
}

var undisturbed sync.Map // fingerprints by mockserver.DataOptions, as text

// isAsUndisturbed is O4 for all columns: the file equals one that was pulled from an API with these
// events and without a fault.
func (w *world) isAsUndisturbed(data mockserver.DataOptions) {
	w.Helper()
	want, ok := undisturbed.Load(fmt.Sprint(data))
	if !ok {
		other := newWorld(w.T, mockserver.Options{Data: data})
		if e := other.run(command{Args: []string{"pull", "--quiet"}}); e.Code != 0 {
			w.Fatal(e)
		}
		want = other.fingerprint()
		undisturbed.Store(fmt.Sprint(data), want)
	}
	if got := w.fingerprint(); got != want {
		w.Errorf("O4: fingerprint %s, want %s", got, want)
	}
}

// wasPolite is O8. It also fails where a scripted fault did not happen.
func (w *world) wasPolite() {
	w.Helper()
	if err := w.API.Verify(); err != nil {
		w.Errorf("O8: %v", err)
	}
}

// secrets are the key and the tokens.
func (w *world) secrets() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append(slices.Collect(maps.Keys(w.tokens)), key)
}

// noSecret is O5 of one text.
func (w *world) noSecret(where string, text []byte) {
	w.Helper()
	if spelling, around, found := harness.FindSecret(text, w.secrets()...); found {
		w.Errorf("O5: the secret %q is in %s: %q", spelling, where, around)
	}
}

// noTraces is O5 of all files and of the database's contents, and O6.
func (w *world) noTraces() {
	w.Helper()
	w.noSecretInFiles()
	// run looks for the secrets in the output.
	w.dump()
	// The sockets' folder stays, and is empty.
	_ = os.Remove(filepath.Join(w.runtime, "datasync"))
	kept := append([]string{w.File}, w.Kept...)
	for _, folder := range []string{w.Folder, w.home, w.temp, w.runtime} {
		files, err := os.ReadDir(folder)
		if err != nil {
			w.Fatal(err)
		}
		for _, f := range files {
			if path := filepath.Join(folder, f.Name()); !slices.Contains(kept, path) {
				w.Errorf("O6: %s is left over", path)
			}
		}
	}
	if info, err := os.Stat(w.File); err != nil || info.Mode().Perm() != 0o600 {
		w.Errorf("O5: the database can be read by others: %v, %v", info.Mode(), err)
	}
}

// tables has the names of a database's tables, as they were last seen: they are the same in all
// files of a version.
var tables atomic.Pointer[[]string]

// dump prints all tables, in one run where their names are known.
func (w *world) dump() {
	w.Helper()
	if names := tables.Load(); names != nil && w.dumpTables(*names).Code == 0 {
		return
	}
	var names []string
	for _, row := range w.query("SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'")[1:] {
		names = append(names, row[0])
	}
	tables.Store(&names)
	if e := w.dumpTables(names); e.Code != 0 {
		w.Errorf("O5: %v", e)
	}
}

// dumpTables prints these tables. It fails where there are others.
func (w *world) dumpTables(names []string) harness.Result {
	w.Helper()
	statements := fmt.Sprintf("SELECT CASE WHEN count(*) <> %d THEN error('other tables') END AS same FROM information_schema.tables WHERE table_type = 'BASE TABLE'", len(names))
	for _, name := range names {
		statements += "; SELECT * FROM " + name
	}
	return w.run(command{Args: []string{"query", "--format", "jsonl", statements}})
}

// noSecretInFiles is O5 of all files.
func (w *world) noSecretInFiles() {
	w.Helper()
	err := filepath.WalkDir(filepath.Dir(w.Folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		w.noSecret(path, text)
		return err
	})
	if err != nil {
		w.Error(err)
	}
}

// peaksBelow fails the test where a run took more than this much memory.
func (w *world) peaksBelow(e harness.Result, megabytes int64) {
	w.Helper()
	if e.Peak > megabytes<<20 {
		w.Errorf("a peak of %d MB, want at most %d: %v", e.Peak>>20, megabytes, e)
	}
}
