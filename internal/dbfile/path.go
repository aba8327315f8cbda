package dbfile

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"datasync/internal/model"
)

// longestName leaves space, in the 255 bytes of a name, for the suffixes of FilesOf.
const longestName = 255 - len(".creating.wal")

// Resolve returns the absolute path of the database file of that name, with symbolic links
// followed, and whether it exists. It fails with ErrPath for a name that the driver could read
// as anything but a plain path, as that would create another file. It fails with ErrLog if there
// is a write-ahead log without its file.
func Resolve(name string) (path string, exists bool, err error) {
	if path, err = plainPath(name); err != nil {
		return "", false, err
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, false, checkAbsent(name, path)
	case errors.Is(err, fs.ErrPermission):
		return "", false, Translate(path, err)
	case err != nil:
		return "", false, badPath(name, err.Error(), "name a file with --db")
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return "", false, badPath(name, "it is a broken symbolic link", "repair or remove the link")
		}
		path = target
		if info, err = os.Stat(path); err != nil {
			return "", false, badPath(name, err.Error(), "repair or remove the link")
		}
	}
	switch {
	case info.IsDir():
		return "", false, badPath(name, "it is a folder", "name a file in it, such as "+filepath.Join(name, "datasync.duckdb"))
	case !info.Mode().IsRegular():
		return "", false, badPath(name, "it is not a regular file", "name a file with --db")
	}
	return path, true, nil
}

// plainPath returns the absolute path of that name, which the driver reads as nothing but a path.
func plainPath(name string) (path string, err error) {
	switch name {
	case "":
		return "", badPath(name, "it is empty", "name a file with --db")
	case ":memory:":
		return "", badPath(name, "a database in memory cannot be resumed", "name a file with --db")
	}
	path, err = filepath.Abs(name)
	if err != nil {
		return "", badPath(name, err.Error(), "name a file with --db")
	}
	if n := len(filepath.Base(path)); n > longestName {
		return "", badPath(name[:100]+"...", fmt.Sprintf("its name has %d bytes, more than %d", n, longestName), "give it a shorter name")
	}
	// The driver reads the path as a URL, and the text after a '?' as settings.
	if u, err := url.Parse(path + "?a=b"); err != nil || u.RawQuery != "a=b" || strings.ContainsAny(path, "?#") {
		return "", badPath(name, "it has a character that the database driver cannot read (?, #, %, or a control character)", "rename the file or its folder")
	}
	return path, nil
}

// checkAbsent checks that a database can be created at path, where there is no file.
func checkAbsent(name, path string) error {
	if parent, err := os.Stat(filepath.Dir(path)); err != nil || !parent.IsDir() {
		return badPath(name, "its folder does not exist", "make the folder first")
	}
	if strings.HasSuffix(name, "/") || strings.HasSuffix(name, "/.") {
		return badPath(name, "it names a folder, which does not exist", "name a file")
	}
	if _, err := os.Lstat(path + ".wal"); err == nil {
		return &model.FileError{Kind: ErrLog, Path: name, Detail: "there is a write-ahead log but no file",
			Hint: "restore the file, or move the .wal file away"}
	}
	return nil
}

func badPath(name, detail, hint string) error {
	return &model.FileError{Kind: ErrPath, Path: name, Detail: detail, Hint: hint}
}

// FilesOf returns the names of the database of that name and of all files that a pull may create
// for it.
func FilesOf(name string) []string {
	files := []string{name}
	if target, err := filepath.EvalSymlinks(name); err == nil && target != filepath.Clean(name) {
		files = append(files, target)
	}
	for _, file := range files {
		for _, suffix := range []string{".wal", ".lock", ".creating", ".creating.wal", ".socket"} {
			files = append(files, file+suffix)
		}
	}
	return files
}

// CheckHeader fails with ErrForeign for a file that is not a DuckDB file, before DuckDB opens it. It
// must not run while this process has the file open: closing its descriptor would drop DuckDB's
// POSIX lock.
func CheckHeader(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return Translate(path, err)
	}
	defer func() { _ = f.Close() }()
	var head [12]byte
	n, _ := f.Read(head[:])
	if n == 0 {
		return &model.FileError{Kind: ErrForeign, Path: path, Detail: "the file is empty", Hint: "remove it, or name another file with --db"}
	}
	if string(head[8:]) != "DUCK" {
		return &model.FileError{Kind: ErrForeign, Path: path, Hint: "name another file with --db"}
	}
	return nil
}

// Missing returns the error for a database that does not exist.
func Missing(name string) error {
	return &model.FileError{Kind: ErrMissing, Path: name, Hint: "run datasync pull first, or name another file with --db"}
}
