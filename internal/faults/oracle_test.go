package faults

import (
	"datasync/internal/e2e/harness"
	"maps"

	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"datasync/mockserver"

	"github.com/google/uuid"
)

// endsWith is O1: the program ended with one of the codes, and if that says that something
// went wrong, the last line says what, on one line.
func (w *world) endsWith(e harness.Result, codes ...int) {
	w.Helper()
	if !slices.Contains(codes, e.Code) {
		w.Errorf("O1: want exit %v: %v", codes, e)
	}
	if e.Code > 0 {
		w.isClear(e)
	}
}

// trace finds what only a crash prints.
var trace = regexp.MustCompile(`(?m)^(panic:|fatal error:|goroutine \d+|SIG[A-Z]+:|runtime: |terminate called|unexpected fault address)`)

// isClear says that an error is told as it should be.
func (w *world) isClear(e harness.Result) {
	w.Helper()
	if trace.MatchString(e.Err) || trace.MatchString(e.Out) {
		w.Errorf("O1: a stack trace: %v", e)
	}
	lines := strings.Split(strings.TrimSpace(e.Err), "\n")
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

// says is O1 as well: the error speaks of all that.
func (w *world) says(e harness.Result, texts ...string) {
	w.Helper()
	for _, text := range texts {
		if !strings.Contains(e.Err, text) {
			w.Errorf("O1: nothing of %q in %v", text, e)
		}
	}
}

// sound is O2 and O3, of whatever is in the file; there may be none yet.
func (w *world) sound() {
	w.Helper()
	if _, err := os.Stat(w.File); errors.Is(err, fs.ErrNotExist) {
		return
	}
	if e := w.run(command{Args: []string{"verify", "--json"}}); e.Code != 0 {
		w.Errorf("O2: %v", e)
	}
	const sums = `SELECT count(*), count(DISTINCT id), (SELECT coalesce(sum(stored), 0)::BIGINT FROM page_log) FROM events`
	rows := w.query(sums)
	if len(rows) != 2 || rows[1][0] != rows[1][1] || rows[1][0] != rows[1][2] {
		w.Errorf("O3: events, ids and stored: %v", rows)
	}
}

// query gives the rows of a statement, the names first.
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

// stored is how many events are in the file.
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

// recovers is O2 to O6 and O8: what is there is sound, and a pull from the mended API ends
// with just the API's events.
func (w *world) recovers(options ...string) {
	w.Helper()
	w.sound()
	w.mend()
	if e := w.run(command{Args: append([]string{"pull"}, options...)}); e.Code != 0 {
		w.Errorf("O4: %v", e)
		return
	}
	w.isWhole()
}

// isWhole is O2 to O6 and O8 of a pull that is complete.
func (w *world) isWhole() {
	w.Helper()
	w.sound()
	w.hasAll()
	w.noTraces()
	w.wasPolite()
}

// hasAll is O4: the file has each event of the API, at its instant, and nothing else, and
// its fingerprint is that of a file in which nothing went wrong.
func (w *world) hasAll() {
	w.Helper()
	events, _ := harness.Expected(w.API)
	want := make(map[string]string, len(events))
	for id, at := range events {
		want[uuid.UUID(id).String()] = strconv.FormatInt(at, 10)
	}
	rows := w.query(`SELECT id, epoch_us("timestamp") AS at FROM events`)
	for _, row := range rows[1:] {
		if at, ok := want[row[0]]; !ok || at != row[1] {
			w.Fatalf("O4: event %s at %s, want %q", row[0], row[1], at)
		}
	}
	if got := len(rows) - 1; got != len(want) { // no id stands twice: O3
		w.Fatalf("O4: %d events, want %d", got, len(want))
	}
}

// fingerprint is that of the file, of all columns.
func (w *world) fingerprint() string {
	w.Helper()
	e := w.run(command{Args: []string{"verify", "--json"}})
	var report struct {
		Fingerprint struct {
			Events int64
			Hash   string
		}
	}
	if err := json.Unmarshal([]byte(e.Out), &report); err != nil || e.Code != 0 {
		w.Fatalf("O2: %v: %v", err, e)
	}
	return fmt.Sprint(report.Fingerprint.Events, " ", report.Fingerprint.Hash)
}

var undisturbed sync.Map // of mockserver.DataOptions, as text, to fingerprints

// isAsUndisturbed is O4 for all columns: the file is as one that was pulled from an API of
// these events without a fault.
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

// noTraces is O5 of all files and of all that stands in the database, and O6.
func (w *world) noTraces() {
	w.Helper()
	w.noSecretInFiles()
	all := ""
	for _, row := range w.query("SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'")[1:] {
		all += "SELECT * FROM " + row[0] + ";"
	}
	if e := w.run(command{Args: []string{"query", "--format", "jsonl", all}}); e.Code != 0 { // which looks for them
		w.Errorf("O5: %v", e)
	}
	// The folder of the sockets stays, and is empty.
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

// peaksBelow says that a run kept within so many megabytes of memory.
func (w *world) peaksBelow(e harness.Result, megabytes int64) {
	w.Helper()
	if e.Peak > megabytes<<20 {
		w.Errorf("a peak of %d MB, want at most %d: %v", e.Peak>>20, megabytes, e)
	}
}
