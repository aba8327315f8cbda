package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// manyEvents take some 12 MB on disk, so a pull commits more than once.
func manyEvents() mockserver.Options {
	pages := mockserver.Pages{Cap: 2000}
	return mockserver.Options{Data: mockserver.DataOptions{Events: 40_000, DirtyEvery: 500}, Events: pages, Feed: pages}
}

// TestDiskIsFull: whatever a pull was writing when its disk became full, it ends with 6 and keeps
// the committed events. It resumes once there is space.
func TestDiskIsFull(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	const kB = 1 << 10
	seeds := []int64{0, 37 * kB, 111 * kB, 190 * kB, 260 * kB}
	for _, offset := range harness.Some(seeds, 1) {
		t.Run(fmt.Sprint("offset ", offset), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, manyEvents())
			// From a disk on which no file can be made to one with enough space for all events.
			size, stored, fullTimes := 64*kB+offset, 0, 0
			w.mount(w.Folder, size)
			for step := int64(260 * kB); ; size += step {
				w.resize(w.Folder, size)
				e := w.run(command{Args: []string{"pull", "--quiet"}})
				if e.Code == 0 {
					break
				}
				if fullTimes++; fullTimes > 200 {
					t.Fatalf("not complete on %d bytes", size)
				}
				w.endsWith(e, 6)
				w.says(e, "disk is full", "free some space")
				// Events that can be read now must be there later, and those from before must still
				// be there.
				now := stored
				if _, err := os.Stat(w.File); err == nil {
					now = w.stored()
				} else if stored > 0 {
					t.Fatalf("%d events were stored, and the file is gone", stored)
				} else {
					w.holdsOnly(w.Folder)
				}
				if now < stored {
					t.Fatalf("%d events on a disk of %d bytes, %d before", now, size, stored)
				}
				stored = now
				if size > 3<<20 && !harness.All() {
					step = 1 << 20
				}
			}
			if fullTimes < 3 {
				t.Errorf("the disk was full %d times", fullTimes)
			}
			w.verifies()
			w.hasAll()
			// There may have been too little space to write the log into the file.
			w.resize(w.Folder, 96<<20)
			w.recovers()
			w.isAsUndisturbed(manyEvents().Data)
		})
	}
}

// TestDiskIsFullOfFullBatches: the same with two full batches at a time, where the file grows by
// more than the free space.
func TestDiskIsFullOfFullBatches(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 400_000}, Events: mockserver.Pages{Cap: 20_000}, Feed: mockserver.Pages{Cap: 20_000}}
	for _, megabytes := range harness.Some([]int64{14, 6, 10, 18, 22, 26, 30, 34}, 1) {
		t.Run(fmt.Sprint(megabytes, " MB"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, o)
			w.mount(w.Folder, megabytes<<20)
			stored := 0
			for range 2 { // the second pull starts from the first one's files
				e := w.run(command{Args: []string{"pull", "--quiet"}})
				w.endsWith(e, 0, 6)
				if e.Code == 6 {
					w.says(e, "disk is full", "what was committed is kept")
				}
				w.sound()
				now := w.stored()
				if now < stored || e.Code == 0 && now != w.API.Dataset().Len() {
					t.Errorf("%d events, %d before: %v", now, stored, e)
				}
				stored = now
			}
			w.resize(w.Folder, 200<<20)
			w.recovers("--quiet")
			w.isAsUndisturbed(o.Data)
		})
	}
}

// TestFoldersBesideAreFull: a pull and its readers need no space in the home folder, in the folder
// for temporary files or in the runtime folder. The socket has a fallback folder.
func TestFoldersBesideAreFull(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	w := newWorld(t, tcpPages())
	for _, folder := range []string{w.home, w.temp, w.runtime} {
		w.mount(folder, 64<<10)
		filler := filepath.Join(folder, "filler")
		fill(t, filler)
		w.Kept = append(w.Kept, filler)
	}
	for _, folder := range []string{w.temp, w.runtime} {
		if err := syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT, "nr_inodes=2"); err != nil { // the folder and the file that fills it
			t.Fatal(err)
		}
	}
	h := w.hold(8, command{Args: []string{"pull", "--workers", "1"}})
	status := w.run(command{Args: []string{"status"}})
	w.endsWith(status, 0)
	if !strings.Contains(status.Out, " pulls: ") {
		t.Error(status)
	}
	h.letGo()
	w.endsWith(h.wait(), 0)
	for _, args := range [][]string{{"query", "SELECT count(*) FROM events"}, {"export", "--csv", "-"}, {"status"}, {"verify"}} {
		w.endsWith(w.run(command{Args: args}), 0)
	}
	w.isWhole()
}

// TestDiskIsFullOfSomethingElse: other programs take the disk's space during a pull and free it
// again. No committed event is lost.
func TestDiskIsFullOfSomethingElse(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	for _, request := range harness.Some([]int64{6, 2, 9, 11, 13, 17}, 2) {
		t.Run(fmt.Sprint("at request ", request), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, manyEvents())
			w.mount(w.Folder, 96<<20)
			filler := filepath.Join(w.Folder, "filler")
			w.atRequest(request, func() { fill(t, filler) })
			e := w.run(command{Args: []string{"pull", "--quiet", "--page-size", "2000"}})
			w.endsWith(e, 6)
			w.says(e, "disk is full")
			w.keepsReason("disk is full")
			before := w.stored()
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			if after := w.stored(); after < before {
				t.Errorf("%d events, %d before there was space", after, before)
			}
			w.recovers()
			w.keepsReason("disk is full")
			w.isAsUndisturbed(manyEvents().Data)
		})
	}
}

// keepsReason checks that the newest failed run has this reason.
func (w *world) keepsReason(reason string) {
	w.Helper()
	e := w.run(command{Args: []string{"status", "--json"}})
	var status struct {
		Runs []struct{ Outcome, Reason string }
	}
	if err := json.Unmarshal([]byte(e.Out), &status); err != nil {
		w.Fatal(err, e)
	}
	for _, r := range status.Runs {
		if r.Outcome == "failed" {
			if !strings.Contains(r.Reason, reason) {
				w.Errorf("the reason of the run is %q, want %q", r.Reason, reason)
			}
			return
		}
	}
	w.Errorf("no run failed: %s", e.Out)
}

// fill takes all the space of a disk, to the last byte.
func fill(t *testing.T, path string) {
	f, err := os.Create(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = f.Close() }()
	for chunk := make([]byte, 1<<16); len(chunk) > 0; {
		if _, err := f.Write(chunk); err != nil {
			chunk = chunk[:len(chunk)/2]
		}
	}
}

// TestExportToAFullDisk: an export without enough space leaves no file, keeps an older one
// unchanged, and leaves nothing else. The same holds where only its temporary files find no space.
func TestExportToAFullDisk(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	w := newWorld(t, manyEvents())
	if e := w.run(command{Args: []string{"pull", "--quiet"}}); e.Code != 0 {
		t.Fatal(e)
	}
	target := filepath.Join(w.home, "out")
	if err := os.Mkdir(target, 0o700); err != nil {
		t.Fatal(err)
	}
	w.mount(target, 300<<10)
	for _, tc := range [][]string{
		{"--parquet", filepath.Join(target, "a.parquet")}, {"--csv", filepath.Join(target, "a.csv")}, {"--jsonl", filepath.Join(target, "a.jsonl")},
		{"--parquet", filepath.Join(target, "folder"), "--partition-by", "type"},
		{"--parquet", filepath.Join(target, "more"), "--incremental"},
		// The temporary files of a sort are beside the target.
		{"--jsonl", filepath.Join(target, "b.jsonl"), "--memory-limit", "64MB", "--query", "SELECT a.id, b.id AS other FROM events a, range(60) b(id) ORDER BY hash(a.id, b.id) LIMIT 3000000"},
		{"--csv", filepath.Join(target, "folder"), "--memory-limit", "64MB", "--partition-by", "part", "--query", "SELECT b.id % 3 AS part, a.id FROM events a, range(60) b(id) ORDER BY hash(a.id, b.id) LIMIT 3000000"},
	} {
		e := w.run(command{Args: append([]string{"export"}, tc...)})
		w.endsWith(e, 1)
		w.says(e, "disk is full")
		w.holdsOnly(target)
	}
	old := filepath.Join(target, "old.csv")
	if err := os.WriteFile(old, []byte("what was there\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := w.run(command{Args: []string{"export", "--force", "--csv", old}})
	w.endsWith(e, 1)
	w.holdsOnly(target, "old.csv")
	if text, err := os.ReadFile(old); err != nil || string(text) != "what was there\n" {
		t.Errorf("%q, %v", text, err)
	}
	e = w.run(command{Args: []string{"query", "--output", filepath.Join(target, "q.csv"), "FROM events"}})
	w.endsWith(e, 1)
	w.holdsOnly(target, "old.csv")
	w.resize(target, 64<<20)
	if e := w.run(command{Args: []string{"export", "--force", "--csv", old}}); e.Code != 0 {
		t.Error(e)
	}
	if text, err := os.ReadFile(old); err != nil || strings.Count(string(text), "\n") != w.stored()+1 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if err := syscall.Unmount(target, syscall.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(target); err != nil {
		t.Fatal(err)
	}
	w.isWhole()
}

// holdsOnly is O6 of one folder.
func (w *world) holdsOnly(folder string, names ...string) {
	w.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for _, f := range entries {
		got = append(got, f.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		w.Errorf("O6: left are %q, want %q", got, names)
	}
}

// TestQueryWithoutSpace: a query needs no disk space. One that needs more memory than it may use
// says so.
func TestQueryWithoutSpace(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	w := newWorld(t, manyEvents())
	if e := w.run(command{Args: []string{"pull", "--quiet"}}); e.Code != 0 {
		t.Fatal(e)
	}
	w.mount(w.temp, 16<<10)
	fill(t, filepath.Join(w.temp, "filler"))
	if e := w.run(command{Args: []string{"query", "--format", "csv", "SELECT count(*) AS n FROM (SELECT a.id FROM events a ORDER BY hash(a.id))"}}); e.Code != 0 {
		t.Error(e)
	}
	before := w.fingerprint()
	e := w.run(command{Args: []string{"query", "--format", "csv", "SELECT count(*) FROM (SELECT a.id, b.id, row_number() OVER (ORDER BY hash(a.id, b.id)) AS n FROM events a, range(20000) b(id)) WHERE n > 10"}, Limits: []string{"-v 4000000"}})
	w.endsWith(e, 1, 6)
	if after := w.fingerprint(); after != before {
		t.Errorf("fingerprint %s, before %s", after, before)
	}
	w.holdsOnly(w.temp, "filler")
	if err := os.Remove(filepath.Join(w.temp, "filler")); err != nil {
		t.Fatal(err)
	}
	w.isWhole()
}
