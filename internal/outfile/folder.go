package outfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"datasync/internal/failpoint"
	"datasync/internal/owned"
)

// asidePrefix begins the name that a replaced folder has for a moment if the file system cannot
// swap two names. Sweep must not remove it: the new folder may not have its name yet.
const asidePrefix = ".datasync-replaced-"

// Folder is a folder that gets its name when it is whole. Its mode is 0700.
type Folder struct {
	place       *place
	replaceable func(*owned.Dir) error
	hidden      *hidden
	janitor     *janitor
	named       func() error
	ended       bool
}

// CreateFolder begins a folder. It may replace an empty one, and, if rules.Force is set, one of this
// user for which replaceable returns nil. The caller ends it with Commit or Abort. It fails with
// ErrTarget, or owned.ErrUntrusted.
func CreateFolder(target string, rules Rules, replaceable func(*owned.Dir) error) (*Folder, error) {
	p, err := locate(target, rules)
	if err != nil {
		return nil, err
	}
	old, err := p.checkFolder(replaceable)
	if err != nil {
		return nil, errors.Join(err, p.parent.Close())
	}
	if old != nil {
		_ = old.Close()
	}
	f := &Folder{place: p, replaceable: replaceable}
	sweep(p.parent)
	if f.hidden, err = hide(p.parent, newFolder(p.parent)); err != nil {
		return nil, errors.Join(refuse(target, "%w", withoutPath(err)), p.parent.Close())
	}
	f.janitor = watch(f.hidden)
	return f, nil
}

// Scratch makes a folder in parent for temporary files. The caller ends it with Abort.
func Scratch(parent string) (*Folder, error) {
	d, err := owned.OpenDir(parent)
	if err != nil {
		return nil, err
	}
	sweep(d)
	h, err := hide(d, newFolder(d))
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &Folder{place: &place{target: parent, parent: d}, hidden: h, janitor: watch(h)}, nil
}

// Dir returns the open folder. Commit and Abort close it.
func (f *Folder) Dir() *owned.Dir { return f.hidden.dir }

// Path returns a path by which this process reaches the folder before Commit or Abort.
func (f *Folder) Path() string { return f.hidden.path() }

// Beside returns the folder in which the target is, which stays open until Commit or Abort, and the
// target's name in it.
func (f *Folder) Beside() (parent *owned.Dir, name string) { return f.place.parent, f.place.name }

// WhenNamed sets a function that Commit calls after it has named the folder, and before it closes and
// unlocks it. If the function fails, Commit fails, and the folder stays.
func (f *Folder) WhenNamed(call func() error) { f.named = call }

// Explain names the target in an error of writing beneath Path.
func (f *Folder) Explain(err error) error {
	return Explain(Explain(err, f.hidden.dir.Name(), f.place.target), f.hidden.path(), f.place.target)
}

// Commit syncs all files of the folder to the disk and gives the folder its name. After an error the
// target is as it was. It fails with ErrTarget, or owned.ErrUntrusted.
func (f *Folder) Commit() error {
	if err := f.hidden.dir.SyncAll(); err != nil {
		return errors.Join(f.Explain(err), f.Abort())
	}
	failpoint.Hit("f14")
	old, err := f.place.checkFolder(f.replaceable)
	if err == nil {
		err = f.place.checkParent()
	}
	if err == nil {
		if err = f.name(old); err != nil {
			err = refuse(f.place.target, "%w", withoutNames(err))
		}
	}
	if old != nil {
		err = errors.Join(err, old.Close())
	}
	if err != nil {
		return errors.Join(err, f.Abort())
	}
	f.ended = true
	f.janitor.dismiss()
	if err = f.place.parent.File().Sync(); err == nil && f.named != nil {
		err = f.named()
	}
	return errors.Join(err, f.hidden.close(), f.place.parent.Close())
}

// name gives the folder the target's name, and removes the old folder that has it, if any.
func (f *Folder) name(old *owned.Dir) error {
	parent, name, hidden := f.place.parent, f.place.name, f.hidden.name
	if old == nil {
		return parent.Move(hidden, parent, name)
	}
	// An export that adds to the old folder holds its lock.
	if err := lock(old.File()); err != nil {
		return err
	}
	if !parent.Holds(old.File(), name) {
		return errLocked // it has just been replaced
	}
	err := parent.Exchange(hidden, name)
	if err == nil {
		failpoint.Hit("f14")
		if parent.Holds(old.File(), hidden) {
			return parent.RemoveAll(old, hidden)
		}
		// Something else has replaced the old folder just now: it gets the name back.
		return errors.Join(errLocked, parent.Exchange(hidden, name))
	}
	// The system or the file system cannot swap names.
	aside := asidePrefix + name
	if left, err := parent.Sub(aside); err == nil {
		if err := errors.Join(parent.RemoveAll(left, aside), left.Close()); err != nil {
			return err
		}
	}
	if err := parent.Move(name, parent, aside); err != nil {
		return err
	}
	if err := parent.Move(hidden, parent, name); err != nil {
		return errors.Join(err, parent.Move(aside, parent, name))
	}
	return parent.RemoveAll(old, aside)
}

// withoutNames returns the error of a rename without the hidden name, which a user does not know.
func withoutNames(err error) error {
	var of *os.LinkError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// Abort removes the folder. After Commit or Abort it does nothing.
func (f *Folder) Abort() error {
	if f.ended {
		return nil
	}
	f.ended = true
	err := f.hidden.remove()
	f.janitor.dismiss()
	return errors.Join(err, f.place.parent.Close())
}

// LockedFolder is an existing folder that this process has locked, to change it in place.
type LockedFolder struct {
	*owned.Dir
	parent *owned.Dir
	name   string // in parent
	target string
}

// OpenFolder locks the folder at target, which must be this user's, to change it in place. It returns
// nil if nothing is there. It fails with ErrTarget, such as for a folder that another process has
// locked, or owned.ErrUntrusted. The caller closes it.
func OpenFolder(target string, rules Rules) (*LockedFolder, error) {
	p, err := locate(target, rules)
	if err != nil {
		return nil, err
	}
	rules.Force = true
	p.rules = rules
	d, err := p.checkFolder(func(*owned.Dir) error { return nil })
	if err != nil || d == nil {
		return nil, errors.Join(err, p.parent.Close())
	}
	s := &LockedFolder{d, p.parent, p.name, target}
	if err = lock(d.File()); err == nil && !p.parent.Holds(d.File(), p.name) {
		err = errLocked // it has just been replaced
	}
	if err != nil {
		return nil, errors.Join(refuse(target, "%w", err), s.Close())
	}
	sweep(p.parent)
	return s, nil
}

// Parent returns the path of the folder's parent.
func (s *LockedFolder) Parent() string { return s.parent.Name() }

// Beside returns the folder's parent, which stays open as long as the folder.
func (s *LockedFolder) Beside() *owned.Dir { return s.parent }

// Base returns the folder's name in its parent.
func (s *LockedFolder) Base() string { return s.name }

// Close closes the folder, which releases its lock.
func (s *LockedFolder) Close() error { return errors.Join(s.Dir.Close(), s.parent.Close()) }

// LockFolder is OpenFolder for a folder that must exist.
func LockFolder(path string) (*LockedFolder, error) {
	s, err := OpenFolder(filepath.Clean(path), Rules{})
	if err == nil && s == nil {
		err = refuse(path, "%w", fs.ErrNotExist)
	}
	return s, err
}
