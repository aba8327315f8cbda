package dbfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"datasync/internal/owned"
)

// RemoveLeftovers removes the files that a killed pull has left beside the database: snapshots,
// rewritten files and DuckDB's spill files. The caller holds the lock and does not have the database open. It
// fails with ErrUntrustedNeighbour if the log or the spill folder is not trusted.
func RemoveLeftovers(path string) error {
	if err := CheckNeighbours(path); err != nil {
		return err
	}
	return Translate(path, errors.Join(removeCopies(path), removeSpilled(path)))
}

func removeCopies(path string) error {
	folder, err := owned.OpenDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	err = removeFiles(folder, func(name string) bool {
		copied := strings.TrimSuffix(folder.Name(name), ".wal")
		return IsSnapshot(path, copied) || isRewrite(path, copied)
	})
	return errors.Join(err, folder.Close())
}

// removeSpilled removes DuckDB's files from its spill folder, and the folder if it is empty then.
// It removes by the folder's descriptor: the name may lead elsewhere by now.
func removeSpilled(path string) error {
	name := path + ".tmp"
	if info, err := os.Lstat(name); err != nil || !info.IsDir() {
		return nil
	}
	folder, err := owned.OpenOwn(name, append(owned.Here(filepath.Dir(path)), trusted(path)...))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = removeFiles(folder, func(name string) bool { return strings.HasPrefix(name, "duckdb_temp_") })
	if err = errors.Join(err, folder.Close()); err != nil {
		return err
	}
	err = syscall.Rmdir(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

// removeFiles removes the regular files of a folder whose names are old.
func removeFiles(folder *owned.Dir, old func(name string) bool) error {
	files, err := folder.Entries()
	errs := []error{err}
	for _, f := range files {
		if !f.Type().IsRegular() || !old(f.Name()) {
			continue
		}
		if err := folder.Remove(f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove a leftover of a killed pull: %w", err))
		}
	}
	return errors.Join(errs...)
}
