package dbfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"datasync/internal/model"
	"datasync/internal/owned"
)

// What lies beside the database is found by its name, and whoever may write to the folder can
// put something there: a link to a file of this user, which would be written to, or a log, a
// lock or a folder of his own.

// trusted are the users whose files beside the database at path are taken: this one, root, and
// whoever owns the database, as he could put anything into that.
func trusted(path string) []int {
	users := append(owned.Mine(), 0)
	if info, err := os.Stat(path); err == nil {
		if uid, ok := owned.Owner(info); ok {
			users = append(users, uid)
		}
	}
	return users
}

// beside says of the database at path what is wrong with something beside it.
func beside(path, name, why string) error {
	hint := "see who put it there, and move it away"
	if name == path+".wal" {
		hint = "see who put it there, and move it away; if that was you, put a copy of it in its place (cp, then mv): it is a part of the database"
	}
	return &model.FileError{Kind: ErrBeside, Path: path, Detail: filepath.Base(name) + ": " + why, Hint: hint}
}

// openNeighbour opens a file beside the database, which may be made. It fails with an *Error of
// kind ErrBeside where that is none of its own.
func openNeighbour(path, name string, flag int) (*os.File, error) {
	f, err := owned.Open(name, flag, 0o600, trusted(path))
	var wrong *owned.Error
	if errors.As(err, &wrong) {
		// Some file systems give what this user makes to another one.
		if here := owned.Here(filepath.Dir(path)); len(here) > 1 {
			f, err = owned.Open(name, flag, 0o600, append(here, trusted(path)...))
		}
	}
	if errors.As(err, &wrong) {
		return nil, beside(path, name, wrong.Why)
	}
	return f, err
}

// CheckNeighbours looks at what DuckDB opens by itself beside the database at path: its log, and,
// where it writes, the folder for what does not fit into memory. It fails with an *Error of
// kind ErrBeside.
func CheckNeighbours(path string) error {
	users := trusted(path)
	for _, file := range []struct {
		name string
		why  func(fs.FileInfo, []int) string
	}{{path + ".wal", owned.File}, {path + ".tmp", spillFolder}} {
		info, err := os.Lstat(file.name)
		if err != nil {
			continue // it is not there, or the database cannot be opened either
		}
		why := file.why(info, users)
		if why != "" {
			if here := owned.Here(filepath.Dir(path)); len(here) > 1 {
				why = file.why(info, slices.Concat(users, here))
			}
		}
		if why != "" {
			return beside(path, file.name, why)
		}
	}
	return nil
}

// spillFolder says what is wrong with the folder for what does not fit into memory. DuckDB
// says itself where a file is in the way.
func spillFolder(info fs.FileInfo, users []int) string {
	if info.Mode().IsRegular() {
		return ""
	}
	return owned.Folder(info, users)
}
