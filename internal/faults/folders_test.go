package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"
)

// mallory is another user of the machine.
const mallory = 65533

// asOthers skips a test that needs files of another user where it cannot make them.
func asOthers(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can make files of another user")
	}
}

// folder is an export that was killed after its pending manifest got its name, and before a file
// was moved.
type folder struct {
	*world
	path string
	// victim is a file of the user outside the folder.
	victim, outside string
}

// The records of an export are beside its folder, as seen from in it.
const (
	manifestName = "../out.manifest.json"
	pendingName  = manifestName + ".pending"
	stagingName  = "../.out.datasync-staging"
)

const precious = "alias ll='ls -l'\n"

func newFolder(t *testing.T) *folder {
	w := newWorld(t, fewPages())
	f := &folder{w, filepath.Join(w.home, "out"), filepath.Join(w.home, "user", ".bashrc"), filepath.Join(w.home, "user")}
	f.must(os.Mkdir(f.outside, 0o700), os.WriteFile(f.victim, []byte(precious), 0o600))
	for _, args := range [][]string{{"pull", "--quiet"}, f.args(), nil, {"pull", "--quiet"}} {
		if args == nil {
			w.API.Dataset().Grow(300)
			continue
		}
		if e := w.run(command{Args: args}); e.Code != 0 {
			t.Fatal(e)
		}
	}
	if e := w.run(command{Args: f.args(), Program: harness.FailpointProgram(w), Env: []string{"DATASYNC_FAILPOINT=f14:3"}}); e.Signal != syscall.SIGKILL {
		t.Fatal(e)
	}
	return f
}

// again returns a copy of the folder in a new world.
func (f *folder) again(t *testing.T) *folder {
	w := newWorld(t, fewPages())
	for from, to := range map[string]string{f.Folder: w.Folder, f.home: w.home} {
		if out, err := exec.Command("cp", "-a", from+"/.", to).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return &folder{w, filepath.Join(w.home, "out"), filepath.Join(w.home, "user", ".bashrc"), filepath.Join(w.home, "user")}
}

func (f *folder) args() []string {
	return []string{"export", "--quiet", "--parquet", f.path, "--partition-by", "type", "--incremental"}
}

func (f *folder) must(errs ...error) {
	f.Helper()
	if err := firstOf(errs...); err != nil {
		f.Fatal(err)
	}
}

func (f *folder) in(name string) string { return filepath.Join(f.path, name) }

func (f *folder) pending() string { return f.in(pendingName) }
func (f *folder) staging() string { return f.in(stagingName) }

// change changes the pending manifest.
func (f *folder) change(how func(m map[string]any)) {
	f.Helper()
	b, err := os.ReadFile(f.pending())
	f.must(err)
	var m map[string]any
	f.must(json.Unmarshal(b, &m))
	how(m)
	b, err = json.Marshal(m)
	f.must(err, os.WriteFile(f.pending(), b, 0o600))
}

// last returns the last file of the pending manifest, and its staged file.
func (f *folder) last() (entry map[string]any, staged string) {
	f.Helper()
	var m struct{ Files []map[string]any }
	b, err := os.ReadFile(f.pending())
	f.must(err, json.Unmarshal(b, &m))
	n := len(m.Files) - 1
	return m.Files[n], filepath.Join(f.staging(), fmt.Sprintf("%06d.tmp", n))
}

// lead sets the path of the last file.
func (f *folder) lead(path string) {
	f.change(func(m map[string]any) {
		files := m["files"].([]any)
		files[len(files)-1].(map[string]any)["path"] = path
	})
}

// elsewhere returns all files outside the folder, with their contents.
func (f *folder) elsewhere() string {
	f.Helper()
	var b strings.Builder
	err := filepath.WalkDir(f.outside, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fmt.Fprintln(&b, path, e.Type())
		if e.Type().IsRegular() {
			content, err := os.ReadFile(path)
			fmt.Fprintf(&b, "%x\n", content)
			return err
		}
		return nil
	})
	f.must(err)
	return b.String()
}

// TestExportFoldersOfOthers: in a folder that another user filled or changed, an export changes no
// file outside it.
func TestExportFoldersOfOthers(t *testing.T) {
	t.Parallel()
	first := newFolder(t)
	link := func(name, target string) func(f *folder) {
		return func(f *folder) {
			f.must(os.RemoveAll(f.in(name)), os.Symlink(strings.ReplaceAll(target, "USER", f.outside), f.in(name)))
		}
	}
	replaceByLink := func(path func(f *folder) string) func(f *folder) {
		return func(f *folder) {
			away := filepath.Join(f.home, "away")
			f.must(os.Rename(path(f), away), os.Symlink(away, path(f)))
		}
	}
	chown := func(path func(f *folder) string) func(f *folder) {
		return func(f *folder) {
			asOthers(f.T)
			f.must(os.Lchown(path(f), mallory, mallory))
		}
	}
	staged := func(f *folder) string { _, staged := f.last(); return staged }
	for _, tc := range []struct {
		name string
		make func(f *folder)
		says string
		code int
	}{
		{"a link, and a file that is led through it", func(f *folder) {
			f.must(os.Symlink(f.outside, f.in("l")))
			f.lead("l/.bashrc")
		}, "no such export would make", 2},
		{"the same without a manifest", func(f *folder) {
			f.must(os.Remove(f.in(manifestName)), os.Symlink(f.outside, f.in("l")))
			f.lead("l/.bashrc")
		}, "no out.manifest.json", 6},
		{"a name above the folder", func(f *folder) { f.lead("../user/.bashrc") }, "no such export would make", 2},
		{"an absolute name", func(f *folder) { f.lead(f.victim) }, "no such export would make", 2},
		{"a name with a folder too many", func(f *folder) { f.lead("type=a/type=b/events-2-2-0000.parquet") }, "no such export would make", 2},
		{"a name of another kind", func(f *folder) { f.lead("type=a/.bashrc") }, "no such export would make", 2},
		{"a name of the program's own", func(f *folder) { f.lead("out.manifest.json") }, "no such export would make", 2},
		{"a partition that is a link", func(f *folder) {
			f.must(os.Symlink(f.outside, f.in("type=a")))
			f.lead("type=a/events-2-2-0000.parquet")
		}, "symbolic link", 6},
		{"a partition that is a link to another", func(f *folder) {
			f.must(os.Symlink("type=click", f.in("type=a")))
			f.lead("type=a/events-2-2-0000.parquet")
		}, "symbolic link", 6},
		{"a partition that is a link to nothing", func(f *folder) {
			f.must(os.Symlink("nothing", f.in("type=a")))
			f.lead("type=a/events-2-2-0000.parquet")
		}, "symbolic link", 6},
		{"a file where a file will be", func(f *folder) {
			f.must(os.Mkdir(f.in("type=a"), 0o700), os.WriteFile(f.in("type=a/events-2-2-0000.parquet"), []byte("mine"), 0o600))
			f.lead("type=a/events-2-2-0000.parquet")
		}, "not trusted", 6},
		{"a link where a file will be", func(f *folder) {
			f.must(os.Mkdir(f.in("type=a"), 0o700), os.Symlink(f.victim, f.in("type=a/events-2-2-0000.parquet")))
			f.lead("type=a/events-2-2-0000.parquet")
		}, "not trusted", 6},
		{"the staging folder is a link", replaceByLink((*folder).staging), "symbolic link", 6},
		{"the staging folder is a link to itself", link(stagingName, ".out.datasync-staging"), "symbolic link", 6},
		{"the staging folder is a file", func(f *folder) {
			f.must(os.RemoveAll(f.staging()), os.WriteFile(f.staging(), nil, 0o600))
		}, "not a folder", 6},
		{"the manifest is a link", replaceByLink(func(f *folder) string { return f.in(manifestName) }), "symbolic link", 6},
		{"the manifest is a FIFO", func(f *folder) {
			f.must(os.Remove(f.in(manifestName)), syscall.Mkfifo(f.in(manifestName), 0o600))
		}, "not a regular file", 6},
		{"a manifest of an earlier version is a link", func(f *folder) { f.must(os.Symlink(f.victim, f.in("_manifest.json"))) }, "symbolic link", 6},
		{"the pending manifest is a link", replaceByLink((*folder).pending), "symbolic link", 6},
		{"the pending manifest is a link to nothing", link(pendingName, "USER/nothing"), "symbolic link", 6},
		{"the pending manifest has another name", func(f *folder) { f.must(os.Link(f.pending(), filepath.Join(f.home, "hard"))) }, "hard link", 6},
		{"a staged file is a link", replaceByLink(staged), "symbolic link", 6},
		{"a staged file has another name", func(f *folder) { f.must(os.Link(staged(f), filepath.Join(f.home, "hard"))) }, "hard link", 6},
		{"a staged file is a FIFO", func(f *folder) {
			path := staged(f)
			f.must(os.Remove(path), syscall.Mkfifo(path, 0o600))
		}, "not a regular file", 6},
		{"a staged file is longer", func(f *folder) { f.must(os.Truncate(staged(f), 1<<20)) }, "describes", 6},
		{"a staged file is another", func(f *folder) {
			b, err := os.ReadFile(staged(f))
			f.must(err, os.WriteFile(staged(f), bytes.ToUpper(b), 0o600))
		}, "describes", 6},
		{"a staged file is gone", func(f *folder) { f.must(os.Remove(staged(f))) }, "gone", 5},
		{"the pending manifest says less", func(f *folder) {
			f.change(func(m map[string]any) { m["files"] = m["files"].([]any)[1:] })
		}, "does not continue", 6},
		{"the pending manifest is of another API", func(f *folder) {
			f.change(func(m map[string]any) { m["origin"] = "http://elsewhere" })
		}, "does not continue", 6},
		{"the pending manifest is of another database", func(f *folder) {
			f.change(func(m map[string]any) { m["run"] = "00000000-0000-0000-0000-000000000000" })
		}, "another database", 5},
		{"the folder is another's", chown(func(f *folder) string { return f.path }), "belongs to", 6},
		{"the manifest is another's", chown(func(f *folder) string { return f.in(manifestName) }), "belongs to", 6},
		{"the pending manifest is another's", chown((*folder).pending), "belongs to", 6},
		{"the staging folder is another's", chown((*folder).staging), "belongs to", 6},
		{"a staged file is another's", chown(staged), "belongs to", 6},
		{"a partition is another's", chown(func(f *folder) string {
			entry, _ := f.last()
			return f.in(filepath.Dir(entry["path"].(string)))
		}), "belongs to", 6},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := first.again(t)
			tc.make(f)
			before := f.elsewhere()
			e := f.run(command{Args: f.args()})
			f.endsWith(e, tc.code)
			f.says(e, tc.says)
			if after := f.elsewhere(); after != before {
				t.Errorf("outside the folder: %s, want %s", after, before)
			}
			if moved, err := filepath.Glob(f.in("type=*/events-2-*")); err != nil || len(moved) > strings.Count(tc.name, "where a file will be") {
				t.Errorf("files were moved: %v, %v", moved, err)
			}
		})
	}
	t.Run("as it was left", func(t *testing.T) {
		t.Parallel()
		f := first.again(t)
		if e := f.run(command{Args: f.args()}); e.Code != 0 {
			t.Error(e)
		}
	})
	t.Run("replaced", func(t *testing.T) {
		t.Parallel()
		asOthers(t)
		f := first.again(t)
		f.must(os.Lchown(f.path, mallory, mallory))
		e := f.run(command{Args: append(f.args(), "--force")})
		f.endsWith(e, 6)
		f.says(e, "belongs to")
	})
	t.Run("empty", func(t *testing.T) {
		t.Parallel()
		asOthers(t)
		f := first.again(t)
		f.must(os.RemoveAll(f.path), os.Mkdir(f.path, 0o777), os.Lchown(f.path, mallory, mallory))
		e := f.run(command{Args: f.args()})
		f.endsWith(e, 6)
		f.says(e, "belongs to")
	})
}

// TestExportFoldersThatChange: another user swaps files of the folder for links while exports run.
// Nothing outside the folder changes.
func TestExportFoldersThatChange(t *testing.T) {
	t.Parallel()
	for _, name := range []string{stagingName, "type=click", manifestName, pendingName, ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFolder(t)
			// the paths that an export by path would follow
			trap := filepath.Join(f.home, "trap")
			f.must(os.Mkdir(trap, 0o700))
			for n := range 60 {
				for _, folder := range []string{f.outside, trap} {
					f.must(os.Symlink(f.victim, filepath.Join(folder, fmt.Sprintf("%06d.tmp", n))), os.Symlink(f.victim, filepath.Join(folder, fmt.Sprintf("events-%d-%d-0000.parquet", n, n))))
				}
			}
			before := f.elsewhere()
			done := make(chan struct{})
			var swapping sync.WaitGroup
			swapping.Go(func() {
				path, away, trap := f.in(name), filepath.Join(f.home, "away"), filepath.Join(f.home, "trap")
				for n := 0; ; n++ {
					select {
					case <-done:
						return
					default:
					}
					if os.Rename(path, away) != nil {
						continue
					}
					if n%2 == 0 {
						_ = os.Symlink(f.outside, path)
						_ = os.Remove(path)
					} else {
						_ = os.Rename(trap, path) // a folder full of links
						_ = os.Rename(path, trap)
					}
					_ = os.Rename(away, path)
				}
			})
			for range harness.Some(make([]int, 50), 5) {
				f.API.Dataset().Grow(50)
				f.run(pull("--quiet"))
				if e := f.run(command{Args: f.args()}); e.Code != 0 && e.Code != 2 && e.Code != 5 && e.Code != 6 && e.Code != 1 {
					t.Error(e)
				}
			}
			close(done)
			swapping.Wait()
			if after := f.elsewhere(); after != before {
				t.Errorf("outside the folder: %s, want %s", after, before)
			}
		})
	}
}

// TestFilesBesideOfOthers: another user's files beside the database are neither written to nor read
// as the database's own.
func TestFilesBesideOfOthers(t *testing.T) {
	t.Parallel()
	link := func(suffix, target string) func(f *folder) {
		return func(f *folder) {
			f.must(os.Symlink(strings.ReplaceAll(target, "USER", f.outside), f.File+suffix))
		}
	}
	hard := func(suffix string) func(f *folder) {
		return func(f *folder) { f.must(os.Link(f.victim, f.File+suffix)) }
	}
	theirs := func(suffix string) func(f *folder) {
		return func(f *folder) {
			asOthers(f.T)
			f.must(os.WriteFile(f.File+suffix, []byte("not_before.events 2100-01-01T00:00:00Z 1h\n"), 0o666), os.Lchown(f.File+suffix, mallory, mallory))
		}
	}
	all := []string{"pull", "dry-run", "recover", "status", "query", "export"}
	pulls := all[:3]
	for _, tc := range []struct {
		name    string
		make    func(f *folder)
		refused []string // commands that end with 6; the others end with 0
	}{
		{"a lock that is a link", link(".lock", "USER/.bashrc"), pulls},
		{"a lock that is a link to nothing", link(".lock", "USER/nothing"), pulls},
		{"a lock that is a link to itself", link(".lock", "datasync.duckdb.lock"), pulls},
		{"a lock with another name", hard(".lock"), pulls},
		{"a lock of somebody else", theirs(".lock"), pulls},
		{"a log that is a link", link(".wal", "USER/.bashrc"), all},
		{"a log that is a link to nothing", link(".wal", "USER/nothing"), all},
		{"a log with another name", hard(".wal"), all},
		{"a log of somebody else", theirs(".wal"), all},
		{"a folder for what does not fit into memory that is a link", link(".tmp", "USER"), all},
		{"a socket's name that is a link", link(".socket", "USER/.bashrc"), nil},
		{"a socket's name that is a link to nothing", link(".socket", "USER/nothing"), nil},
		{"a socket's name of somebody else", theirs(".socket"), nil},
		{"a new socket's name that is a link", link(".socket.new", "USER/.bashrc"), nil},
		{"a copy that is a link", link(".snapshot-0123456789abcdef", "USER/.bashrc"), nil},
		{"a new database that is a link", link(".creating", "USER/.bashrc"), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fewPages())
			f := &folder{w, filepath.Join(w.home, "out"), filepath.Join(w.home, "user", ".bashrc"), filepath.Join(w.home, "user")}
			f.must(os.Mkdir(f.outside, 0o700), os.WriteFile(f.victim, []byte(precious), 0o600), os.WriteFile(filepath.Join(f.outside, "duckdb_temp_a"), nil, 0o600))
			if e := w.run(command{Args: []string{"pull", "--quiet"}}); e.Code != 0 {
				t.Fatal(e)
			}
			tc.make(f)
			before := f.elsewhere()
			for name, args := range map[string][]string{
				"pull": {"pull", "--quiet"}, "dry-run": {"pull", "--dry-run"}, "recover": {"status", "--recover"}, "status": {"status"},
				"query": {"query", "SELECT count(*) FROM events"}, "export": {"export", "--quiet", "--csv", filepath.Join(w.home, "a.csv"), "--force"},
			} {
				code := 0
				for _, refused := range tc.refused {
					if refused == name {
						code = 6
					}
				}
				e := w.run(command{Args: args})
				w.endsWith(e, code)
				if code != 0 {
					w.says(e, "not trusted")
				}
			}
			if after := f.elsewhere(); after != before {
				t.Errorf("elsewhere: %s, want %s", after, before)
			}
		})
	}
}

// TestFilesOfTheOwner: a user can read another user's database together with the owner's files
// beside it.
func TestFilesOfTheOwner(t *testing.T) {
	t.Parallel()
	asOthers(t)
	w := newWorld(t, fewPages())
	w.giveAway()
	e := w.run(command{Args: []string{"pull", "--quiet"}, Program: harness.FailpointProgram(w), Env: []string{"DATASYNC_FAILPOINT=f10"}})
	if e.Signal != syscall.SIGKILL {
		t.Fatal(e)
	}
	if info, err := os.Lstat(w.File + ".wal"); err != nil || info.Sys().(*syscall.Stat_t).Uid != uint32(w.user) {
		t.Fatal(info, err)
	}
	w.user = 0 // root reads it together with the owner's log
	if e := w.run(command{Args: []string{"query", "SELECT count(*) FROM events"}}); e.Code != 0 {
		t.Error(e)
	}
}
