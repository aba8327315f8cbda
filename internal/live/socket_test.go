package live_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/live"
)

// TestSocketFolder: the socket is in the first folder that only this user can enter and whose
// path is short enough. The path of the database does not matter.
func TestSocketFolder(t *testing.T) {
	root := runtimeFolder(t)
	make := func(name string, mode os.FileMode) string {
		path := filepath.Join(root, name)
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := filepath.Join(make("datasync-1", 0o700))
	open := make("open", 0o755)
	file := filepath.Join(root, "file")
	link := filepath.Join(root, "link")
	if err := errors.Join(os.WriteFile(file, nil, 0o700), os.Symlink(good, link)); err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(root, strings.Repeat("l", 80))
	missing := filepath.Join(root, "missing", "datasync")
	for name, bad := range map[string]string{"others can enter it": open, "a file": file, "a link": link, "a long path": long, "no folder above it": missing} {
		t.Run(name, func(t *testing.T) {
			db := &fake{path: filepath.Join(t.TempDir(), strings.Repeat("d", 100), strings.Repeat("e", 100), "a.duckdb")}
			if err := os.MkdirAll(filepath.Dir(db.path), 0o700); err != nil {
				t.Fatal(err)
			}
			if s, err := live.Listen(db.path, []string{bad}); err == nil || s != nil || exists(db.path+".socket") {
				t.Errorf("%v; want no socket in %s", err, bad)
			}
			stop := serveAt(t, db, []string{bad, good})
			socket, err := os.ReadFile(db.path + ".socket")
			if err != nil || filepath.Dir(string(socket)) != good {
				t.Errorf("the socket is %s, %v; want one in %s", socket, err, good)
			}
			borrow(t, db).Release()
			stop()
		})
	}
	if os.Getuid() == 0 {
		if err := os.Chown(good, 12345, -1); err != nil {
			t.Fatal(err)
		}
		if _, err := live.Listen(filepath.Join(t.TempDir(), "a.duckdb"), []string{good}); err == nil {
			t.Error("a socket was made in the folder of another user")
		}
	}
}

// TestFolders: relative paths are skipped.
func TestFolders(t *testing.T) {
	for _, tc := range []struct {
		runtime, temporary string
		first              string
		n                  int
	}{
		{"/run/user/7", "/var/tmp", "/run/user/7/datasync", 3}, {"", "/var/tmp", "/var/tmp/datasync-", 2},
		{"run", "tmp", "/tmp/datasync-", 1}, {"", "", "/tmp/datasync-", 1},
	} {
		if got := live.Folders(tc.runtime, tc.temporary); len(got) != tc.n || !strings.HasPrefix(got[0], tc.first) {
			t.Errorf("Folders(%q, %q) = %v", tc.runtime, tc.temporary, got)
		}
	}
}

// TestInvalidNameFiles: a client does not follow them, and a pull removes no file that they
// name.
func TestInvalidNameFiles(t *testing.T) {
	root := runtimeFolder(t)
	folder := filepath.Join(root, "datasync")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(root, "docker.sock")
	l, err := net.Listen("unix", foreign)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	file := filepath.Join(folder, "0123456789abcdef.sock")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"another socket": foreign + "\n", "a file": file + "\n", "no line": file, "nothing": "", "a relative path": "datasync/0123456789abcdef.sock\n",
		"two lines": file + "\n" + file + "\n", "much": strings.Repeat("x", 1<<20) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
			if err := os.WriteFile(db.path+".socket", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrNoPull) {
				t.Errorf("%v, want %v", err, live.ErrNoPull)
			}
			stop := serveAt(t, db, []string{filepath.Join(root, "datasync-2")})
			borrow(t, db).Release()
			stop()
			if !exists(foreign) || !exists(file) {
				t.Error("a file of another kind was removed")
			}
		})
	}
}

// TestNameFilesOfOtherUsers: a file beside the database that another user owns names no socket,
// and a socket of this user that it names is not removed.
func TestNameFilesOfOtherUsers(t *testing.T) {
	root := runtimeFolder(t)
	mine := &fake{path: filepath.Join(t.TempDir(), "mine.duckdb")}
	stop := serveAt(t, mine, []string{filepath.Join(root, "datasync")})
	defer stop()
	socket, err := os.ReadFile(mine.path + ".socket")
	if err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(path string) error{
		"a link":             func(path string) error { return os.Symlink(mine.path+".socket", path) },
		"another name of it": func(path string) error { return os.Link(mine.path+".socket", path) },
		"a FIFO":             func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"of another user": func(path string) error {
			return errors.Join(os.WriteFile(path, socket, 0o644), os.Chown(path, 65533, 65533))
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
			if err := make(db.path + ".socket"); errors.Is(err, os.ErrPermission) {
				t.Skip(err)
			} else if err != nil {
				t.Fatal(err)
			}
			if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrNoPull) {
				t.Errorf("%v, want %v", err, live.ErrNoPull)
			}
			stop := serveAt(t, db, []string{filepath.Join(root, "datasync-2")})
			borrow(t, db).Release()
			stop()
			borrow(t, mine).Release()
		})
	}
}
