package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// removeLeftovers removes what a killed pull has left beside the database: copies, and
// what DuckDB had put on disk for want of memory. The caller holds the lock and has the
// database not open.
func removeLeftovers(path string) error {
	return translate(path, errors.Join(removeSnapshots(path), removeSpilled(path)))
}

func removeSnapshots(path string) error {
	folder := filepath.Dir(path)
	return removeFiles(folder, func(name string) bool {
		return IsSnapshot(path, strings.TrimSuffix(filepath.Join(folder, name), ".wal"))
	})
}

// removeSpilled removes DuckDB's files from the folder that it uses by default, and that
// unless it holds something else.
func removeSpilled(path string) error {
	folder := path + ".tmp"
	err := removeFiles(folder, func(name string) bool { return strings.HasPrefix(name, "duckdb_temp_") })
	if err != nil {
		return err
	}
	err = syscall.Rmdir(folder)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

// removeFiles removes the regular files of a folder that are old by their names. There
// need be no folder.
func removeFiles(folder string, old func(name string) bool) error {
	files, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	errs := []error{err}
	for _, f := range files {
		if !f.Type().IsRegular() || !old(f.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(folder, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove what a killed pull has left: %w", err))
		}
	}
	return errors.Join(errs...)
}
