package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"datasync/internal/model"
	"datasync/internal/owned"
)

// ErrTarget says that a path cannot be written to.
var ErrTarget = model.NewFailure(model.ExitUsage, "", "unusable target")

// ErrFull says that the disk has no space left.
var ErrFull = model.NewFailure(model.ExitError, "disk-full", "the disk is full")

// Rules say which targets may be replaced.
type Rules struct {
	// Force allows an existing target to be replaced.
	Force bool
	// Keep lists files that are never replaced, whether they exist or not, such as the database
	// that is read.
	Keep []string
}

// refuse returns an ErrTarget with the reason. It keeps owned.ErrUntrusted apart: the user has to look at
// the target, not to name another.
func refuse(target, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if errors.Is(err, owned.ErrUntrusted) {
		return fmt.Errorf("target %q: %w", target, err)
	}
	return fmt.Errorf("%w %q: %w", ErrTarget, target, err)
}

// withoutPath returns the error without the hidden name, which a user does not know.
func withoutPath(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return fmt.Errorf("its folder cannot be written to: %w", of.Err)
	}
	return err
}

// place is the location of a target: a name in a folder that stays open, so that the folder that
// was checked is the one that is written to.
type place struct {
	target string // as the user named it
	path   string // its absolute path
	rules  Rules
	parent *owned.Dir
	name   string // in parent
}

// Check returns the absolute path of a target that may be written as a file. It fails with
// ErrTarget.
func Check(target string, rules Rules) (string, error) {
	p, err := locate(target, rules)
	if err != nil {
		return "", err
	}
	return p.path, errors.Join(p.checkFile(), p.parent.Close())
}

// checkFile fails if the target may not be written as a file.
func (p *place) checkFile() error {
	info, err := p.look()
	switch {
	case err != nil:
		return err
	case info == nil && strings.HasSuffix(p.target, string(filepath.Separator)):
		return refuse(p.target, "it is a folder")
	case info == nil:
		return nil
	case info.IsDir():
		return refuse(p.target, "it is a folder; name a file in it")
	case !info.Mode().IsRegular():
		return refuse(p.target, "it is not a regular file")
	case !p.rules.Force:
		return refuse(p.target, "it exists; give --force to replace it")
	}
	return nil
}

// checkFolder opens the folder at the target, and returns nil if nothing is there. It fails unless
// the folder may be replaced: it is empty, or rules.Force is set and replaceable returns nil. The
// caller closes it.
func (p *place) checkFolder(replaceable func(*owned.Dir) error) (_ *owned.Dir, err error) {
	info, err := p.look()
	if err != nil || info == nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, refuse(p.target, "it is not a folder, which the options ask for")
	}
	d, err := p.parent.Sub(p.name)
	if err != nil {
		return nil, refuse(p.target, "%w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	entries, err := d.Entries()
	switch {
	case err != nil:
		return nil, refuse(p.target, "%w", err)
	case len(entries) == 0:
		return d, nil
	}
	if replaceable != nil {
		err = replaceable(d)
	} else if p.rules.Force {
		err = errors.New("nothing says that it may be replaced")
	}
	switch {
	case err != nil && !p.rules.Force: // --force would be a wrong hint
		return nil, refuse(p.target, "it exists, and no export replaces it: %w; name a new folder", err)
	case err != nil:
		return nil, refuse(p.target, "it is not replaced: %w; name a new folder", err)
	case !p.rules.Force:
		return nil, refuse(p.target, "it exists; give --force to replace it")
	}
	return d, nil
}

// locate opens the folder of a target, and refuses what no target may be. The caller closes the
// folder.
func locate(target string, rules Rules) (p *place, err error) {
	if target == "" || strings.Contains(target, "://") || strings.ContainsRune(target, 0) {
		return nil, refuse(target, "name a file on this machine")
	}
	path, err := filepath.Abs(target)
	if err != nil {
		return nil, refuse(target, "%w", err)
	}
	if IsHidden(filepath.Base(path)) {
		return nil, refuse(target, "names that begin with %s are for files in the making", prefix)
	}
	for _, keep := range rules.Keep {
		if same(path, keep) {
			return nil, refuse(target, "it is the database, or a file that belongs to it")
		}
	}
	if path == filepath.Dir(path) {
		return nil, refuse(target, "it is the root of all folders; name one in it")
	}
	if folder, err := os.Stat(filepath.Dir(path)); err != nil || !folder.IsDir() {
		return nil, refuse(target, "its folder does not exist; make the folder first")
	}
	parent, err := owned.OpenDir(filepath.Dir(path))
	if err != nil {
		return nil, refuse(target, "%w", withoutPath(err))
	}
	return &place{target, path, rules, parent, filepath.Base(path)}, nil
}

// look describes the file or folder of the target's name, nil if there is none.
func (p *place) look() (fs.FileInfo, error) {
	info, err := p.parent.Lstat(p.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, refuse(p.target, "%w", err)
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, refuse(p.target, "it is a symbolic link; name the file itself")
	}
	return info, nil
}

// checkParent fails if the target's path no longer leads to the folder that was opened.
func (p *place) checkParent() error {
	now, err1 := os.Stat(filepath.Dir(p.path))
	opened, err2 := p.parent.File().Stat()
	if err1 != nil || err2 != nil || !os.SameFile(now, opened) {
		return refuse(p.target, "its folder was removed, renamed or replaced meanwhile")
	}
	return nil
}

// same reports whether two paths name the same file, or would if it existed. Names that differ only
// in case count as the same, as on some file systems they are.
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
