package owned_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/owned"
)

// another is a user who owns no file here.
const another = 65533

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// odd makes files in a folder that are not regular files of this user, by the reason.
func odd(t *testing.T, folder string) map[string]string {
	t.Helper()
	in := func(name string) string { return filepath.Join(folder, name) }
	must(t, os.WriteFile(in("file"), nil, 0o600), os.Mkdir(in("folder"), 0o700), os.Symlink("file", in("link")), os.Symlink("folder", in("link to a folder")),
		os.Symlink("loop", in("loop")), os.Symlink("nothing", in("dangling")), syscall.Mkfifo(in("fifo"), 0o600), os.WriteFile(in("one"), nil, 0o600), os.Link(in("one"), in("two")))
	names := map[string]string{"folder": "not a regular file", "link": "symbolic link", "link to a folder": "symbolic link", "loop": "symbolic link", "dangling": "symbolic link",
		"fifo": "not a regular file", "one": "hard link", "two": "hard link"}
	if os.Getuid() == 0 {
		must(t, os.WriteFile(in("theirs"), nil, 0o666), os.Chown(in("theirs"), another, another))
		names["theirs"] = "id 65533"
	}
	return names
}

// TestRefusedFiles: only a regular file of this user with a single name is opened.
func TestRefusedFiles(t *testing.T) {
	folder := t.TempDir()
	names := odd(t, folder)
	d, err := owned.OpenDir(folder)
	must(t, err)
	defer func() { _ = d.Close() }()
	for name, want := range names {
		for _, flag := range []int{os.O_RDONLY, os.O_RDWR | os.O_CREATE} {
			if _, err := owned.Open(filepath.Join(folder, name), flag, 0o600, owned.Mine()); !errors.Is(err, owned.ErrUntrusted) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
		if _, err := d.Open(name, owned.File); !errors.Is(err, owned.ErrUntrusted) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s in a folder: %v, want %s", name, err, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(folder, "nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made through a link: %v", err)
	}
	for _, open := range []func() (*os.File, error){
		func() (*os.File, error) {
			return owned.Open(filepath.Join(folder, "file"), os.O_RDWR, 0, owned.Mine())
		},
		func() (*os.File, error) { return d.Open("file", owned.File) },
		func() (*os.File, error) { return d.Open("one", owned.ReadFile) },
	} {
		f, err := open()
		must(t, err, f.Close())
	}
}

// TestRefusedFolders: only a folder of this user is opened, by a name without slashes.
func TestRefusedFolders(t *testing.T) {
	folder := t.TempDir()
	odd(t, folder)
	d, err := owned.OpenDir(folder)
	must(t, err)
	defer func() { _ = d.Close() }()
	names := []string{"file", "link", "link to a folder", "loop", "dangling", "fifo"}
	if os.Getuid() == 0 {
		must(t, os.Mkdir(filepath.Join(folder, "their folder"), 0o777), os.Chown(filepath.Join(folder, "their folder"), another, another))
		names = append(names, "their folder")
	}
	for _, name := range names {
		_, err1 := d.Sub(name)
		_, err2 := d.Make(name)
		_, err3 := owned.OpenOwn(filepath.Join(folder, name), owned.Mine())
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, owned.ErrUntrusted) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, name := range []string{"", ".", "..", "folder/..", "/", "../" + filepath.Base(folder)} {
		_, err1 := d.Sub(name)
		_, err2 := d.Make(name)
		_, err3 := d.Create(name)
		_, err4 := d.Open(name, owned.File)
		for _, err := range []error{err1, err2, err3, err4, d.Remove(name), d.Rename("file", name), d.Move("file", d, name)} {
			if err == nil {
				t.Errorf("%q is a name", name)
			}
		}
	}
}

// TestMovesAndRemovals: a move replaces nothing. A removal follows no link and only removes the
// folder that was opened.
func TestMovesAndRemovals(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	precious := filepath.Join(elsewhere, "precious")
	must(t, os.WriteFile(precious, nil, 0o600))
	d, err := owned.OpenDir(folder)
	must(t, err)
	defer func() { _ = d.Close() }()
	sub, err := d.New("sub")
	must(t, err)
	defer func() { _ = sub.Close() }()
	in := func(name string) string { return filepath.Join(folder, name) }
	must(t, os.WriteFile(in("a"), []byte("a"), 0o600), os.WriteFile(in("sub/a"), []byte("other"), 0o600), os.Symlink(precious, in("sub/link")))
	for _, name := range []string{"a", "link"} {
		if err := d.Move("a", sub, name); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, d.Move("a", sub, "b"), os.Symlink(elsewhere, in("sub/folder")))
	// Another folder has the name now.
	must(t, os.Rename(in("sub"), in("moved")), os.Mkdir(in("sub"), 0o700), os.WriteFile(in("sub/mine"), nil, 0o600))
	must(t, d.RemoveAll(sub, "sub"))
	if _, err := os.Lstat(in("sub/mine")); err != nil {
		t.Error(err)
	}
	must(t, d.RemoveAll(sub, "moved"))
	if _, err := os.Lstat(in("moved")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := os.Lstat(precious); err != nil {
		t.Error(err)
	}
}

// TestShared: the owner and the mode of a folder tell whether other users may rename files in it.
func TestShared(t *testing.T) {
	for mode, want := range map[fs.FileMode]bool{0o700: false, 0o755: false, 0o775: true, 0o777: true, 0o777 | fs.ModeSticky: false} {
		folder := t.TempDir()
		must(t, os.Chmod(folder, mode))
		d, err := owned.OpenDir(folder)
		must(t, err)
		if got := d.Shared(); got != want {
			t.Errorf("%v: %v", mode, got)
		}
		must(t, d.Close())
	}
}
