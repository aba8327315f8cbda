package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrTarget says that nothing can be written to that path.
var ErrTarget = errors.New("unusable target")

// ErrFull says that there is no space left for what is written.
var ErrFull = errors.New("the disk is full")

// Rules say what a target may be.
type Rules struct {
	// Force says that an existing target is replaced.
	Force bool
	// Keep are files that are never replaced, whether they exist or not, such as the
	// database that is read.
	Keep []string
}

// refuse says of a target why it is refused.
func refuse(target, format string, args ...any) error {
	return fmt.Errorf("%w %q: %w", ErrTarget, target, fmt.Errorf(format, args...))
}

// withoutPath is the error without the hidden name that could not be made, which tells
// nobody anything.
func withoutPath(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return fmt.Errorf("its folder cannot be written to: %w", of.Err)
	}
	return err
}

// Check returns the absolute path of a file that may be written. It fails with
// ErrTarget.
func Check(target string, rules Rules) (string, error) {
	path, info, err := look(target, rules)
	switch {
	case err != nil:
		return "", err
	case info == nil && strings.HasSuffix(target, string(filepath.Separator)):
		return "", refuse(target, "it is a folder")
	case info == nil:
		return path, nil
	case info.IsDir():
		return "", refuse(target, "it is a folder; name a file in it")
	case !info.Mode().IsRegular():
		return "", refuse(target, "it is not a regular file")
	case !rules.Force:
		return "", refuse(target, "it exists; give --force to replace it")
	}
	return path, nil
}

// CheckFolder returns the absolute path of a folder that may be written, or replaced:
// an empty one always, another one if rules.Force is set and replaceable has nothing
// against it. It fails with ErrTarget.
func CheckFolder(target string, rules Rules, replaceable func(path string) error) (string, error) {
	path, info, err := look(target, rules)
	if err != nil || info == nil {
		return path, err
	}
	if !info.IsDir() {
		return "", refuse(target, "it is not a folder, and what is asked for needs one")
	}
	entries, err := os.ReadDir(path)
	switch {
	case err != nil:
		return "", refuse(target, "%w", err)
	case len(entries) == 0:
		return path, nil
	case !rules.Force:
		return "", refuse(target, "it exists; give --force to replace it")
	}
	if err := replaceable(path); err != nil {
		return "", refuse(target, "it is not replaced: %w", err)
	}
	return path, nil
}

// look returns the absolute path of a target and what is there, nil where nothing is.
// What no target may ever be is refused.
func look(target string, rules Rules) (string, fs.FileInfo, error) {
	if target == "" || strings.Contains(target, "://") || strings.ContainsRune(target, 0) {
		return "", nil, refuse(target, "name a file on this machine")
	}
	path, err := filepath.Abs(target)
	if err != nil {
		return "", nil, refuse(target, "%w", err)
	}
	if IsHidden(filepath.Base(path)) {
		return "", nil, refuse(target, "names that begin with %s are for what is being written", prefix)
	}
	if folder, err := os.Stat(filepath.Dir(path)); err != nil || !folder.IsDir() {
		return "", nil, refuse(target, "its folder does not exist; make the folder first")
	}
	for _, keep := range rules.Keep {
		if same(path, keep) {
			return "", nil, refuse(target, "it is the database, or a file that belongs to it")
		}
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil, nil
	case err != nil:
		return "", nil, refuse(target, "%w", err)
	case info.Mode()&fs.ModeSymlink != 0:
		return "", nil, refuse(target, "it is a symbolic link; name the file itself")
	}
	return path, info, nil
}

// same reports whether two paths name the same file, or would if it existed. Names
// that differ in case only are taken for the same, as some file systems do.
func same(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(infoA, infoB)
	}
	if !strings.EqualFold(filepath.Base(a), filepath.Base(b)) {
		return false
	}
	folderA, errA := os.Stat(filepath.Dir(a))
	folderB, errB := os.Stat(filepath.Dir(b))
	return errA == nil && errB == nil && os.SameFile(folderA, folderB)
}
