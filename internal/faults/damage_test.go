package faults

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// in returns the world for a subtest. Only one such subtest runs at a time.
func (w *world) in(t *testing.T) *world {
	outer := w.T
	w.T = t
	t.Cleanup(func() { w.T = outer })
	return w
}

// contents are the bytes of a database and of its write-ahead log, by suffix.
type contents map[string][]byte

// keep reads the database and its log.
func (w *world) keep() contents {
	w.Helper()
	kept := contents{}
	for _, end := range []string{"", ".wal"} {
		text, err := os.ReadFile(w.File + end)
		if err == nil {
			kept[end] = text
		} else if !errors.Is(err, fs.ErrNotExist) {
			w.Fatal(err)
		}
	}
	return kept
}

// put makes a folder that holds only these files.
func (w *world) put(c contents) {
	w.Helper()
	files, err := os.ReadDir(w.Folder)
	if err != nil {
		w.Fatal(err)
	}
	for _, f := range files {
		if err := os.RemoveAll(filepath.Join(w.Folder, f.Name())); err != nil {
			w.Fatal(err)
		}
	}
	for end, text := range c {
		if err := os.WriteFile(w.File+end, text, 0o600); err != nil {
			w.Fatal(err)
		}
	}
}

// sums returns the hashes of all files in the folder, by name.
func (w *world) sums() map[string][sha256.Size]byte {
	w.Helper()
	files, err := os.ReadDir(w.Folder)
	if err != nil {
		w.Fatal(err)
	}
	sums := map[string][sha256.Size]byte{}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(w.Folder, f.Name()))
		if err != nil {
			w.Fatal(err)
		}
		sums[f.Name()] = sha256.Sum256(text)
	}
	return sums
}

// unchanged fails the test where a file changed, is missing or is new.
func (w *world) unchanged(before map[string][sha256.Size]byte) {
	w.Helper()
	after := w.sums()
	for name, sum := range before {
		if after[name] != sum {
			w.Errorf("%s has changed, or is gone", name)
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			w.Errorf("O6: %s is left over", name)
		}
	}
}

// flipped returns a copy with one bit of one byte changed.
func flipped(text []byte, at, bit int) []byte {
	c := slices.Clone(text)
	c[at] ^= 1 << bit
	return c
}

// damagedPages is an API whose events fill several blocks of a file.
func damagedPages() mockserver.Options {
	pages := mockserver.Pages{Cap: 500}
	return mockserver.Options{Data: mockserver.DataOptions{Events: 3000, DirtyEvery: 200}, Events: pages, Feed: pages}
}

// The sizes of a DuckDB file's headers and blocks.
const (
	headers = 3 * 4096
	block   = 256 << 10
)

// TestDamagedFiles: whatever part of a file is missing or changed, no command crashes. A command
// that succeeds prints the result of the undamaged file. Every other command ends with 6 and
// changes nothing, and a pull writes into no truncated file.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, damagedPages())
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	file := w.keep()[""]
	readers := [][]string{
		{"query", "--format", "csv", "FROM events ORDER BY id"}, {"query", "FROM checkpoint"}, {"query", "FROM rejected_events"},
		{"verify", "--json"}, {"export", "--jsonl", "-"}, {"schema", "--json"}, {"status"},
	}
	want := make([]string, len(readers))
	for i, args := range readers {
		e := w.run(command{Args: args})
		w.endsWith(e, 0)
		if want[i] = e.Out; args[0] == "status" {
			want[i] = "" // ages, such as "3 minutes ago", differ between runs
		}
	}
	type damage struct {
		name string
		text []byte
		cut  bool
	}
	var damages []damage
	for _, size := range []int{
		0, len(file) / 2, len(file) * 3 / 4, len(file) - 1, 1, 8, 11, 12, 100, 4095, 4096, 4097, 8191, 8192, 8193, headers - 1, headers, headers + 1,
		headers + 1000, headers + block - 1, headers + block, headers + 2*block, headers + 2*block + 1, headers + 3*block, len(file) - block,
	} {
		damages = append(damages, damage{fmt.Sprint("cut to ", size), file[:size], true})
	}
	for _, at := range []int{0, 7, 8, 11, 12, 13, 20, 27, 28, 36, 52, 60, 90, 100, 2000, 4095, 4096, 4103, 4104, 4112, 4120, 4128, 4136, 4200, 8191, 8192, 8200, 8208, 8216, 8224, 8232, 8300, headers - 1} {
		damages = append(damages, damage{fmt.Sprint("another byte at ", at), flipped(file, at, at%8), false})
	}
	for at := headers; at < len(file); at += block {
		for i, in := range []int{0, 8, 4096, 131_071, block - 1} {
			damages = append(damages, damage{fmt.Sprint("another byte at ", at+in), flipped(file, at+in, i), false})
		}
		zeroed := slices.Clone(file)
		clear(zeroed[at : at+block])
		damages = append(damages, damage{fmt.Sprint("zeros at ", at), zeroed, false})
	}
	seen := map[string]int{}
	for _, d := range harness.Some(damages, 5) {
		t.Run(d.name, func(t *testing.T) {
			w := w.in(t)
			w.put(contents{"": d.text})
			before := w.sums()
			var failed bool
			for i, args := range readers {
				e := w.run(command{Args: args})
				w.endsWith(e, 0, 6)
				if e.Code != 0 {
					failed = true
					w.says(e, "datasync.duckdb")
				} else if want[i] != "" && e.Out != want[i] {
					t.Errorf("%v says something else: %.300q, want %.300q", args, e.Out, want[i])
				}
				w.unchanged(before)
			}
			e := w.run(command{Args: []string{"pull", "--quiet"}})
			w.endsWith(e, 0, 6)
			switch {
			case e.Code != 0:
				seen["refused"]++
				w.unchanged(before)
			case d.cut:
				t.Errorf("a pull wrote into a file that is cut short: %v", e)
			case !failed:
				seen["harmless"]++
				w.isWhole()
			default:
				// A pull reads only the blocks that it needs. The others stay damaged.
				seen["not met by the pull"]++
				if e := w.run(command{Args: []string{"verify"}}); e.Code == 0 {
					w.isWhole()
				} else {
					w.endsWith(e, 6)
				}
			}
		})
	}
	t.Logf("pulls: %v", seen)
	w.put(contents{"": file})
	w.recovers()
}

// TestForeignFiles: every command refuses a file that is not a database of datasync, and leaves it
// unchanged.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, schemaEvents())
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	for _, args := range [][]string{{"--parquet", "x.parquet"}, {"--csv", "x.csv"}} {
		w.endsWith(w.run(command{Args: append([]string{"export"}, args...)}), 0)
	}
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(w.Folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(read("datasync.duckdb")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(w.temp, "other.duckdb")
	db, err := sql.Open("duckdb", other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE meta AS SELECT 'application' AS key, 'something else' AS value"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	duckdb, err := os.ReadFile(other)
	if err := errors.Join(err, os.Remove(other)); err != nil {
		t.Fatal(err)
	}
	sqlite := make([]byte, 8192)
	copy(sqlite, "SQLite format 3\x00\x10\x00\x01\x01\x00\x40\x20\x20\x00\x00\x00\x01\x00\x00\x00\x02")
	magic := slices.Repeat([]byte("no block "), 40_000)
	copy(magic[8:], "DUCK")
	type file struct {
		name string
		text []byte
	}
	for _, f := range harness.Some([]file{
		{"empty", nil}, {"text", []byte("a text, and nothing else\n")}, {"one byte", []byte{0}}, {"SQLite", sqlite},
		{"Parquet", read("x.parquet")}, {"CSV", read("x.csv")}, {"gzip", packed.Bytes()}, {"DuckDB", duckdb},
		{"zeros", make([]byte, 1<<20)}, {"no more than the magic bytes", magic},
	}, 4) {
		t.Run(f.name, func(t *testing.T) {
			w := w.in(t)
			w.put(contents{"": f.text})
			before := w.sums()
			for _, args := range everyCommand {
				e := w.run(command{Args: args})
				w.endsWith(e, 6)
				if f.name != "no more than the magic bytes" {
					w.says(e, "not a datasync database", "--db")
				}
				w.unchanged(before)
			}
		})
	}
}
