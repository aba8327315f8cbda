package outfile_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/outfile"
	"datasync/internal/owned"
)

func TestMain(m *testing.M) {
	// The tests start this as a process of its own. It begins a file and a folder, says so, and
	// waits to be killed.
	if folder := os.Getenv("OUTFILE_TEST_BEGIN"); folder != "" {
		begin(folder)
		return
	}
	os.Exit(m.Run())
}

func mustWrite(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// holds checks which names are in a folder. Those of folders have a slash.
func holds(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name()+slash(e))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}

func slash(e fs.DirEntry) string {
	if e.IsDir() {
		return "/"
	}
	return ""
}

func content(t *testing.T, path, want string) {
	t.Helper()
	if b, err := os.ReadFile(path); err != nil || string(b) != want {
		t.Errorf("%s: %q, %v; want %q", path, b, err, want)
	}
}

// put writes text to a file, by Write or by Path.
func put(t *testing.T, f *outfile.File, text string, byPath bool) {
	t.Helper()
	var err error
	if byPath {
		err = os.WriteFile(f.Path(), []byte(text), 0o600)
	} else {
		_, err = io.WriteString(f, text)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ways are the ways to make a file before it has its name.
var ways = map[string]func(string, outfile.Rules) (*outfile.File, error){"without a name": outfile.Create, "with a hidden name": outfile.CreateNamed}

func TestFile(t *testing.T) {
	for way, create := range ways {
		for _, byPath := range []bool{false, true} {
			t.Run(fmt.Sprint(way, ", by its path: ", byPath), func(t *testing.T) { testFile(t, create, byPath) })
		}
	}
}

func testFile(t *testing.T, create func(string, outfile.Rules) (*outfile.File, error), byPath bool) {
	folder := t.TempDir()
	target := filepath.Join(folder, "it's ünï.txt")
	f, err := create(target, outfile.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, f, "new", byPath)
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is there before it is whole: %v", err)
	}
	if size, err := f.Commit(); err != nil || size != 3 {
		t.Errorf("%d, %v", size, err)
	}
	if err := f.Abort(); err != nil {
		t.Error(err)
	}
	content(t, target, "new")
	if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	holds(t, folder, filepath.Base(target))
}

func TestFileReplaces(t *testing.T) {
	for way, create := range ways {
		folder := t.TempDir()
		target := mustWrite(t, filepath.Join(folder, "a"), "old")
		for _, commit := range []bool{false, true} {
			f, err := create(target, outfile.Rules{Force: true})
			if err != nil {
				t.Fatal(err)
			}
			put(t, f, "new", false)
			content(t, target, "old")
			if commit {
				_, err = f.Commit()
			} else {
				err = f.Abort()
			}
			if err != nil {
				t.Error(way, err)
			}
			content(t, target, map[bool]string{false: "old", true: "new"}[commit])
			holds(t, folder, "a")
		}
	}
}

// TestTargetAppearsMeanwhile: a file that appears at the target meanwhile is not replaced.
func TestTargetAppearsMeanwhile(t *testing.T) {
	for _, tc := range []struct {
		name  string
		force bool
		come  func(path string) error
	}{
		{"a file", false, func(path string) error { return os.WriteFile(path, []byte("other"), 0o644) }},
		{"a folder", true, func(path string) error { return os.Mkdir(path, 0o755) }},
		{"a link", true, func(path string) error { return os.Symlink("elsewhere", path) }},
	} {
		for way, create := range ways {
			folder := t.TempDir()
			target := filepath.Join(folder, "a")
			f, err := create(target, outfile.Rules{Force: tc.force})
			if err != nil {
				t.Fatal(err)
			}
			put(t, f, "new", false)
			if err := tc.come(target); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(target)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Commit(); !errors.Is(err, outfile.ErrTarget) {
				t.Errorf("%v, want %v", err, outfile.ErrTarget)
			}
			after, err := os.Lstat(target)
			if err != nil || !os.SameFile(before, after) {
				t.Errorf("replaced: %v", err)
			}
			if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
				t.Errorf("%s, %s: %v, %v", tc.name, way, entries, err)
			}
		}
	}
}

func TestRefusedTargets(t *testing.T) {
	folder := t.TempDir()
	existing := mustWrite(t, filepath.Join(folder, "existing"), "old")
	database := mustWrite(t, filepath.Join(folder, "a.duckdb"), "data")
	hard, link, loop, pipe := filepath.Join(folder, "hard"), filepath.Join(folder, "link"), filepath.Join(folder, "loop"), filepath.Join(folder, "pipe")
	full := filepath.Join(folder, "full")
	for _, err := range []error{
		os.Link(database, hard), os.Symlink("existing", link), os.Symlink("loop", loop), syscall.Mkfifo(pipe, 0o600),
		os.Mkdir(full, 0o755), os.WriteFile(filepath.Join(full, "mine"), nil, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	keep := []string{database, database + ".wal"}
	for _, tc := range []struct {
		name, target string
		force        bool
	}{
		{"existing", existing, false},
		{"link", link, true},
		{"link to itself", loop, true},
		{"device", "/dev/full", true},
		{"FIFO", pipe, true},
		{"missing folder", filepath.Join(folder, "no", "a"), false},
		{"a file as its folder", filepath.Join(existing, "a"), false},
		{"elsewhere", "s3://bucket/a.parquet", false},
		{"nothing", "", false},
		{"NUL", "a\x00b", false},
		{"the database", database, true},
		{"the database by another spelling", filepath.Join(folder, "full", "..") + "//./a.duckdb", true},
		{"the database by another link", hard, true},
		{"its log, which is not there", database + ".wal", true},
		{"its log in other letters", filepath.Join(folder, "A.DuckDB.WAL"), true},
		{"a hidden name", filepath.Join(folder, ".datasync-export-a"), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rules := outfile.Rules{Force: tc.force, Keep: keep}
			if _, err := outfile.Check(tc.target, rules); !errors.Is(err, outfile.ErrTarget) {
				t.Errorf("as a file: %v, want %v", err, outfile.ErrTarget)
			}
			if _, err := outfile.Create(tc.target, rules); !errors.Is(err, outfile.ErrTarget) {
				t.Errorf("as a file: %v, want %v", err, outfile.ErrTarget)
			}
			if _, err := outfile.CreateFolder(tc.target, rules, func(*owned.Dir) error { return nil }); !errors.Is(err, outfile.ErrTarget) {
				t.Errorf("as a folder: %v, want %v", err, outfile.ErrTarget)
			}
		})
	}
	for _, target := range []string{full, filepath.Join(folder, "new") + "/"} {
		if _, err := outfile.Create(target, outfile.Rules{Force: true}); !errors.Is(err, outfile.ErrTarget) {
			t.Errorf("%s: %v", target, err)
		}
	}
	if _, err := outfile.CreateFolder(full, outfile.Rules{}, nil); !errors.Is(err, outfile.ErrTarget) {
		t.Error(err)
	}
	no := errors.New("somebody's")
	if _, err := outfile.CreateFolder(full, outfile.Rules{Force: true}, func(*owned.Dir) error { return no }); !errors.Is(err, no) {
		t.Error(err)
	}
	holds(t, folder, "a.duckdb", "existing", "full/", "hard", "link", "loop", "pipe")
}

func TestFolder(t *testing.T) {
	parent := t.TempDir()
	target := filepath.Join(parent, "it's ünï")
	for round, before := range []string{"nothing", "an empty folder", "an older one"} {
		if round == 1 {
			if err := errors.Join(os.RemoveAll(target), os.Mkdir(target, 0o755)); err != nil {
				t.Fatal(err)
			}
		}
		f, err := outfile.CreateFolder(target, outfile.Rules{Force: round == 2}, func(d *owned.Dir) error {
			if d.Name() != target {
				t.Errorf("asked about %s", d.Name())
			}
			return nil
		})
		if err != nil {
			t.Fatal(before, err)
		}
		if err := os.Mkdir(filepath.Join(f.Path(), "sub"), 0o700); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, filepath.Join(f.Path(), "sub", "a"), before)
		if round == 2 {
			content(t, filepath.Join(target, "sub", "a"), "an empty folder")
		}
		if err := f.Commit(); err != nil {
			t.Error(before, err)
		}
		if err := f.Abort(); err != nil {
			t.Error(before, err)
		}
		content(t, filepath.Join(target, "sub", "a"), before)
		holds(t, parent, filepath.Base(target)+"/")
	}
}

func TestFolderIsNotReplaced(t *testing.T) {
	parent := t.TempDir()
	target := filepath.Join(parent, "a")
	begun := func(force bool) *outfile.Folder {
		f, err := outfile.CreateFolder(target, outfile.Rules{Force: force}, func(*owned.Dir) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first, second, aborted := begun(false), begun(false), begun(false)
	mustWrite(t, filepath.Join(first.Path(), "mine"), "")
	if err := errors.Join(first.Commit(), aborted.Abort()); err != nil {
		t.Error(err)
	}
	if err := second.Commit(); !errors.Is(err, outfile.ErrTarget) {
		t.Error(err)
	}
	// Another process adds to it.
	lock, err := outfile.LockFolder(target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := outfile.LockFolder(target); !errors.Is(err, outfile.ErrTarget) {
		t.Error(err)
	}
	if err := begun(true).Commit(); !errors.Is(err, outfile.ErrTarget) {
		t.Error(err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
	if err := begun(true).Commit(); err != nil {
		t.Error(err)
	}
	holds(t, parent, "a/")
	holds(t, target)
}

func TestExplain(t *testing.T) {
	for _, tc := range []struct{ err, want string }{
		{`IO Error: Could not write file "/a/.hidden/b": Input/output error`, `write "out": IO Error: Could not write file "out/b": Input/output error`},
		{`Could not write all bytes: No space left on device`, `write "out": the disk is full; free some space, or write elsewhere`},
		{`Out of Memory Error: failed to offload data block of size 160.0 KiB (160.0 KiB/270.0 KiB used).`, `write "out": the disk is full, of temporary files; free some space, or write elsewhere, or let more memory be used`},
		{`write /a/.hidden: file too large`, `write "out": the file has reached the limit of file sizes; raise it (ulimit -f)`},
		{`something else`, `something else`},
	} {
		if got := outfile.Explain(errors.New(tc.err), "/a/.hidden", "out"); got.Error() != tc.want {
			t.Errorf("%s", got)
		}
	}
	if err := outfile.Explain(nil, "a", "b"); err != nil {
		t.Error(err)
	}
}
