package outfile_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"datasync/internal/outfile"
)

func begin(folder string) {
	for _, make := range []func() error{
		func() error { _, err := outfile.Create(filepath.Join(folder, "file"), outfile.Rules{}); return err },
		func() error {
			_, err := outfile.CreateFolder(filepath.Join(folder, "folder"), outfile.Rules{}, nil)
			return err
		},
		func() error { _, err := outfile.Scratch(folder); return err },
	} {
		if err := make(); err != nil {
			panic(err)
		}
	}
	_, _ = os.Stdout.WriteString("begun\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// until waits for an effect of another process.
func until(t *testing.T, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.After(5 * time.Minute); !happened(); {
		select {
		case <-limit:
			t.Fatal("it does not happen")
		case <-tick.C:
		}
	}
}

// TestLeftovers: janitors, or the next export, remove what a killed process has left, but nothing
// that is in use.
func TestLeftovers(t *testing.T) {
	folder := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "OUTFILE_TEST_BEGIN="+folder)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stdout, make([]byte, len("begun\n"))); err != nil {
		t.Fatal(err)
	}
	hidden := func() int {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	inUse := hidden()
	outfile.Sweep(folder)
	if got := hidden(); got != inUse || got < 2 {
		t.Errorf("%d hidden names, %d before", got, inUse)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()                                 // killed
	until(t, func() bool { return hidden() == 0 }) // by the janitors
	// The same with killed janitors:
	mustWrite(t, filepath.Join(folder, ".datasync-export-file"), "half")
	if err := os.MkdirAll(filepath.Join(folder, ".datasync-export-folder", "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(folder, ".datasync-exported"), "somebody's")
	if err := os.Symlink("/", filepath.Join(folder, ".datasync-export-link")); err != nil {
		t.Fatal(err)
	}
	f, err := outfile.Create(filepath.Join(folder, "a"), outfile.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Commit(); err != nil {
		t.Error(err)
	}
	holds(t, folder, ".datasync-export-link", ".datasync-exported", "a")
}

// TestLeftoversOfOthers: a folder that somebody else renamed to a hidden name is not a leftover.
func TestLeftoversOfOthers(t *testing.T) {
	folder := t.TempDir()
	hidden := filepath.Join(folder, ".datasync-export-a")
	if err := errors.Join(os.Mkdir(hidden, 0o700), os.Chmod(folder, 0o777)); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(hidden, "mine"), "")
	outfile.Sweep(folder)
	content(t, filepath.Join(hidden, "mine"), "")
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(hidden, 65533, 65533); err != nil {
			t.Fatal(err)
		}
		outfile.Sweep(folder)
		content(t, filepath.Join(hidden, "mine"), "")
		if err := os.Chown(hidden, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	outfile.Sweep(folder)
	holds(t, folder)
}

// TestRenamedFolders: writes go to the folder that was made, even if it is renamed, and whatever has
// its hidden name then is kept.
func TestRenamedFolders(t *testing.T) {
	parent := t.TempDir()
	f, err := outfile.CreateFolder(filepath.Join(parent, "a"), outfile.Rules{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	hidden, away := f.Dir().Name(), filepath.Join(parent, "away")
	if err := errors.Join(os.Rename(hidden, away), os.Mkdir(hidden, 0o700)); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(hidden, "mine"), "mine")
	mustWrite(t, filepath.Join(f.Path(), "written"), "written")
	if err := f.Abort(); err != nil {
		t.Error(err)
	}
	content(t, filepath.Join(hidden, "mine"), "mine")
	content(t, filepath.Join(away, "written"), "written")
}

// TestReplacedParents: nothing is written to the target's folder if it was renamed, or replaced by a
// link.
func TestReplacedParents(t *testing.T) {
	for way, create := range ways {
		top := t.TempDir()
		parent, away, elsewhere := filepath.Join(top, "parent"), filepath.Join(top, "away"), filepath.Join(top, "elsewhere")
		if err := errors.Join(os.Mkdir(parent, 0o700), os.Mkdir(elsewhere, 0o700)); err != nil {
			t.Fatal(err)
		}
		file, err := create(filepath.Join(parent, "file"), outfile.Rules{})
		if err != nil {
			t.Fatal(err)
		}
		folder, err := outfile.CreateFolder(filepath.Join(parent, "folder"), outfile.Rules{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		put(t, file, "new", true)
		if err := errors.Join(os.Rename(parent, away), os.Symlink(elsewhere, parent)); err != nil {
			t.Fatal(err)
		}
		if _, err := file.Commit(); !errors.Is(err, outfile.ErrTarget) {
			t.Errorf("%s: %v", way, err)
		}
		if err := folder.Commit(); !errors.Is(err, outfile.ErrTarget) {
			t.Errorf("%s: %v", way, err)
		}
		holds(t, elsewhere)
		holds(t, away)
	}
}

// TestTakenHiddenNames: writes to Path reach the file that was made, even if a link has its hidden
// name.
func TestTakenHiddenNames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has names of open files that open them anew")
	}
	folder, precious := t.TempDir(), mustWrite(t, filepath.Join(t.TempDir(), "precious"), "precious")
	f, err := outfile.CreateNamed(filepath.Join(folder, "a"), outfile.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	name := filepath.Join(folder, entries[0].Name())
	if err := errors.Join(os.Remove(name), os.Symlink(precious, name)); err != nil {
		t.Fatal(err)
	}
	put(t, f, "new", true)
	if err := f.Abort(); err != nil {
		t.Error(err)
	}
	content(t, precious, "precious")
	holds(t, folder, entries[0].Name())
}
