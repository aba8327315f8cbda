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

// requests returns how many requests the API had.
func (w *world) requests() int {
	stats := w.API.Stats()
	return stats.Events.Requests + stats.Feed.Requests + stats.StreamAccess.Requests
}

// fewPages is an API that takes a few requests.
func fewPages() mockserver.Options {
	pages := mockserver.Pages{Cap: 200}
	return mockserver.Options{Data: mockserver.DataOptions{Events: 3000}, Events: pages, Feed: pages}
}

// unwritable are ways to keep the program from writing. Each returns its undo.
var unwritable = []struct {
	name     string
	withFile bool
	forbid   func(w *world) error
}{
	{"a read-only file system", true, func(w *world) error {
		if err := syscall.Mount(w.Folder, w.Folder, "", syscall.MS_BIND, ""); err != nil {
			return err
		}
		w.Cleanup(func() { _ = syscall.Unmount(w.Folder, syscall.MNT_DETACH) })
		return syscall.Mount("", w.Folder, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, "")
	}},
	{"a read-only folder without a file", false, func(w *world) error { return os.Chmod(w.Folder, 0o500) }},
	{"a read-only folder", true, func(w *world) error { return os.Chmod(w.Folder, 0o500) }},
	{"a read-only file in a read-only folder", true, func(w *world) error {
		return firstOf(os.Chmod(w.File, 0o400), os.Chmod(w.Folder, 0o500))
	}},
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestReadOnly: a pull that may not write says so before its first request. Readers work, with and
// without a log.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	for _, tc := range unwritable {
		for _, log := range []bool{false, true} {
			if log && !tc.withFile {
				continue
			}
			t.Run(fmt.Sprint(tc.name, ", log: ", log), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, fewPages())
				stored := 0
				if tc.withFile {
					if e := w.run(command{Args: []string{"pull", "--quiet"}}); e.Code != 0 {
						t.Fatal(e)
					}
					if log {
						w.API.Dataset().Grow(500)
						if e := w.run(command{Program: harness.FailpointProgram(w), Args: []string{"pull", "--quiet"}, Env: []string{"DATASYNC_FAILPOINT=f10:1"}}); e.Signal != syscall.SIGKILL {
							t.Fatal(e)
						}
					}
					stored = w.stored()
				}
				w.giveAway()
				if err := tc.forbid(w); err != nil {
					t.Fatal(err)
				}
				asked := w.requests()
				e := w.run(command{Args: []string{"pull", "--quiet"}})
				if tc.name == "a read-only folder" && log {
					// All files that a pull writes exist and are writable.
					w.endsWith(e, 0)
				} else if w.endsWith(e, 6); w.requests() != asked {
					t.Errorf("the API was asked %d times", w.requests()-asked)
				}
				if tc.withFile {
					for _, args := range [][]string{{"query", "SELECT count(*) FROM events"}, {"export", "--csv", "-"}, {"status"}, {"verify"}, {"schema"}} {
						if e := w.run(command{Args: args}); e.Code != 0 {
							t.Error(e)
						}
					}
					if got := w.stored(); got != stored {
						t.Errorf("%d events, want %d", got, stored)
					}
				}
				_ = syscall.Unmount(w.Folder, syscall.MNT_DETACH)
				if err := os.Chmod(w.Folder, 0o700); err != nil {
					t.Fatal(err)
				}
				_ = os.Chmod(w.File, 0o600)
				w.recovers()
			})
		}
	}
}

// giveAway runs the program as an unprivileged user where the test runs as root.
func (w *world) giveAway() {
	w.Helper()
	if os.Getuid() != 0 {
		return
	}
	w.user = 65534
	err := filepath.WalkDir(filepath.Dir(w.Folder), func(path string, _ os.DirEntry, err error) error {
		return firstOf(err, os.Chown(path, w.user, w.user))
	})
	if err := firstOf(err, os.Chmod(harness.ProgramsFolder(w), 0o755)); err != nil {
		w.Fatal(err)
	}
}

// TestOddNames: a database of any valid file name is created under exactly that name, or refused
// without creating any other file.
func TestOddNames(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]int{
		"with space.duckdb": 0, "it's.duckdb": 0, `"quoted".duckdb`: 0, "ünïcödé-文.duckdb": 0, "-dash.duckdb": 0, "a;b|c&d.duckdb": 0, "$HOME.duckdb": 0,
		strings.Repeat("n", 200): 0, strings.Repeat("n", 242): 0, "no-ending": 0, ".hidden": 0, "a.duckdb.wal.duckdb": 0, "back\\slash": 0,
		"a?access_mode=read_only": 2, "a#b": 2, "100%25": 0, "new\nline": 2, "tab\tname": 2, "esc\x1b[31m": 2, strings.Repeat("n", 243): 2, strings.Repeat("n", 255): 2, strings.Repeat("n", 4200): 2,
		"missing/a.duckdb": 2, ".": 2, "..": 2, ":memory:": 2, "md:cloud": 0, "s3:bucket": 0,
	} {
		t.Run(strings.ToValidUTF8(name[:min(len(name), 20)], "")+fmt.Sprint(len(name)), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fewPages())
			e := w.run(command{Args: []string{"--db=" + name, "pull", "--quiet"}})
			w.endsWith(e, code)
			if code != 0 {
				w.holdsOnly(w.Folder)
				if w.requests() != 0 {
					t.Errorf("the API was asked %d times", w.requests())
				}
				return
			}
			w.holdsOnly(w.Folder, name)
			w.File = filepath.Join(w.Folder, name)
			w.Env = append(w.Env, "DATASYNC_DB="+name)
			w.isWhole()
		})
	}
}

// TestLinks: a link to a database works like the database. A dangling link is refused.
func TestLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fewPages())
	links := filepath.Join(w.home, "links")
	if err := firstOf(os.Mkdir(links, 0o700), os.Symlink(w.File, filepath.Join(links, "dangling")), os.Symlink("loop", filepath.Join(links, "loop")), os.Symlink(w.Folder, filepath.Join(links, "folder"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dangling", "loop", "folder"} {
		for _, args := range [][]string{{"pull"}, {"query", "SELECT 1"}} {
			e := w.run(command{Args: append([]string{"--db", filepath.Join(links, name)}, args...)})
			w.endsWith(e, 2)
		}
	}
	w.holdsOnly(w.Folder)
	if e := w.run(command{Args: []string{"--db", filepath.Join(links, "folder", "datasync.duckdb"), "pull", "--quiet"}}); e.Code != 0 {
		t.Fatal(e)
	}
	w.API.Dataset().Grow(300)
	// Now the link's target exists.
	if e := w.run(command{Args: []string{"--db", filepath.Join(links, "dangling"), "pull", "--quiet"}}); e.Code != 0 {
		t.Fatal(e)
	}
	w.holdsOnly(w.Folder, "datasync.duckdb")
	w.holdsOnly(links, "dangling", "folder", "loop")
	if err := os.RemoveAll(links); err != nil {
		t.Fatal(err)
	}
	w.isWhole()
}

// TestFileGoesAway: a pull whose file is removed, renamed or replaced does not report complete. The
// next one makes a complete file, or continues with the one that is there.
func TestFileGoesAway(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(w *world) error{
		"removed":              func(w *world) error { return os.Remove(w.File) },
		"removed with its log": func(w *world) error { _ = os.Remove(w.File + ".wal"); return os.Remove(w.File) },
		"renamed":              func(w *world) error { return os.Rename(w.File, filepath.Join(w.home, "elsewhere")) },
		"replaced":             func(w *world) error { return os.Rename(filepath.Join(w.home, "other"), w.File) },
		"its folder renamed":   func(w *world) error { return os.Rename(w.Folder, w.Folder+"-old") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fewPages())
			// Another file of the same API.
			if e := w.run(command{Args: []string{"--db", filepath.Join(w.home, "other"), "pull", "--quiet"}}); e.Code != 0 {
				t.Fatal(e)
			}
			if e := w.run(command{Args: []string{"pull", "--quiet"}}); e.Code != 0 {
				t.Fatal(e)
			}
			w.API.Dataset().Grow(2000)
			w.atRequest(4, func() {
				if err := happens(w); err != nil {
					t.Error(err)
				}
			})
			e := w.run(command{Args: []string{"pull", "--quiet", "--workers", "1", "--page-size", "100"}})
			w.endsWith(e, 6)
			if name == "its folder renamed" {
				if err := os.Rename(w.Folder+"-old", w.Folder); err != nil {
					t.Fatal(err)
				}
			}
			_ = os.Remove(filepath.Join(w.home, "elsewhere"))
			_ = os.Remove(filepath.Join(w.home, "other"))
			_ = os.Remove(w.File + ".wal")
			w.recovers()
		})
	}
}

// TestLockFiles: a FIFO, folder or link in place of the lock file is neither waited for nor written
// to.
func TestLockFiles(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(path string) error{
		"a FIFO":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"a device": func(path string) error { return os.Symlink("/dev/null", path) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fewPages())
			lock := w.File + ".lock"
			if err := make(lock); err != nil {
				t.Fatal(err)
			}
			e := w.run(command{Args: []string{"pull", "--quiet"}})
			w.endsWith(e, 6)
			w.says(e, "move it away")
			if w.requests() != 0 {
				t.Errorf("the API was asked %d times", w.requests())
			}
			if err := os.Remove(lock); err != nil {
				t.Fatal(err)
			}
			w.recovers()
		})
	}
	// A regular file with other contents does no harm.
	w := newWorld(t, fewPages())
	if err := os.WriteFile(w.File+".lock", []byte("not_before.events x\x00\xff\nrubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.recovers()
}
