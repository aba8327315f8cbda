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

// The files beside the database have fixed names. Another user who may write to the folder can
// put files of these names there: a link to a file of this user, to which the program would
// write, or a log, a lock or a folder of their own.

// trusted returns the users whose files beside the database at path are trusted: this one, root,
// and the owner of the database, who could write anything into that.
func trusted(path string) []int {
	users := append(owned.Mine(), 0)
	if info, err := os.Stat(path); err == nil {
		if uid, ok := owned.Owner(info); ok {
			users = append(users, uid)
		}
	}
	return users
}

// errBeside is the error for a file that is not trusted.
func errBeside(path, name, why string) error {
	hint := "see who put it there, and move it away"
	if name == path+".wal" {
		hint = "see who put it there, and move it away; if that was you, put a copy of it in its place (cp, then mv): it is a part of the database"
	}
	return &model.FileError{Kind: ErrUntrustedNeighbour, Path: path, Detail: filepath.Base(name) + ": " + why, Hint: hint}
}

// openNeighbour opens a file beside the database. It fails with ErrUntrustedNeighbour if the file is not
// trusted.
func openNeighbour(path, name string, flag int) (*os.File, error) {
	f, err := owned.Open(name, flag, 0o600, trusted(path))
	var wrong *owned.Error
	if errors.As(err, &wrong) {
		// Some file systems give new files of this user to another one.
		if here := owned.Here(filepath.Dir(path)); len(here) > 1 {
			f, err = owned.Open(name, flag, 0o600, append(here, trusted(path)...))
		}
	}
	if errors.As(err, &wrong) {
		return nil, errBeside(path, name, wrong.Why)
	}
	return f, err
}

// CheckNeighbours checks the files that DuckDB opens beside the database at path: its write-ahead
// log, and its spill folder. It fails with ErrUntrustedNeighbour.
func CheckNeighbours(path string) error {
	users := trusted(path)
	for _, file := range []struct {
		name string
		why  func(fs.FileInfo, []int) string
	}{{path + ".wal", owned.File}, {path + ".tmp", spillFolder}} {
		info, err := os.Lstat(file.name)
		if err != nil {
			continue // there is none, or DuckDB cannot open the database either
		}
		why := file.why(info, users)
		if why != "" {
			if here := owned.Here(filepath.Dir(path)); len(here) > 1 {
				why = file.why(info, slices.Concat(users, here))
			}
		}
		if why != "" {
			return errBeside(path, file.name, why)
		}
	}
	return nil
}

// spillFolder returns why the spill folder is not trusted, "" if it is. A file of that name is
// trusted: DuckDB itself reports it.
func spillFolder(info fs.FileInfo, users []int) string {
	if info.Mode().IsRegular() {
		return ""
	}
	return owned.Folder(info, users)
}
