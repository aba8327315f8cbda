package outfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"datasync/internal/failpoint"
)

// asidePrefix begins the name that a replaced folder has for a moment where two names
// cannot be swapped. It is no leftover: until the new folder stands, it is the only one.
const asidePrefix = ".datasync-replaced-"

// Folder is a folder that gets its name when it is whole. Nobody but its owner may read
// it.
type Folder struct {
	target, path string
	rules        Rules
	replaceable  func(path string) error
	hidden       *hidden
	janitor      *janitor
}

// CreateFolder begins a folder, which may replace what CheckFolder allows. The caller
// ends it with Commit or Abort. It fails with ErrTarget.
func CreateFolder(target string, rules Rules, replaceable func(path string) error) (*Folder, error) {
	path, err := CheckFolder(target, rules, replaceable)
	if err != nil {
		return nil, err
	}
	f := &Folder{target: target, path: path, rules: rules, replaceable: replaceable}
	parent := filepath.Dir(path)
	Sweep(parent)
	if f.hidden, err = hide(parent, newFolder); err != nil {
		return nil, refuse(target, "%w", withoutPath(err))
	}
	f.janitor = watch(f.hidden.path)
	return f, nil
}

// Scratch makes a folder in parent for what is needed for a while only. The caller ends
// it with Abort.
func Scratch(parent string) (*Folder, error) {
	Sweep(parent)
	h, err := hide(parent, newFolder)
	if err != nil {
		return nil, err
	}
	return &Folder{target: parent, hidden: h, janitor: watch(h.path)}, nil
}

// Path is where the folder is until Commit.
func (f *Folder) Path() string { return f.hidden.path }

// Explain names the target in an error that came of writing beneath Path.
func (f *Folder) Explain(err error) error { return Explain(err, f.hidden.path, f.target) }

// Commit makes sure that all that is in the folder has reached the disk and gives the
// folder its name. After an error the target is as it was. It fails with ErrTarget.
func (f *Folder) Commit() error {
	if err := SyncAll(f.hidden.path); err != nil {
		return errors.Join(f.Explain(err), f.Abort())
	}
	failpoint.Hit("f14")
	if _, err := CheckFolder(f.target, f.rules, f.replaceable); err != nil {
		return errors.Join(err, f.Abort())
	}
	if err := f.name(); err != nil {
		return errors.Join(refuse(f.target, "%w", err), f.Abort())
	}
	f.janitor.dismiss()
	return errors.Join(SyncFolder(filepath.Dir(f.path)), f.hidden.f.Close())
}

// name gives the folder its name.
func (f *Folder) name() error {
	old, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		err := renameNew(f.hidden.path, f.path)
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
			// The system, or the file system, cannot; a folder is not renamed over one
			// that has something in it anyway.
			err = os.Rename(f.hidden.path, f.path)
		}
		return err
	}
	if err != nil {
		return err
	}
	defer func() { _ = old.Close() }()
	// Whoever adds to the old folder has its lock.
	if err := lock(old); err != nil {
		return err
	}
	if exchange(f.hidden.path, f.path) == nil {
		failpoint.Hit("f14")
		return os.RemoveAll(f.hidden.path)
	}
	aside := filepath.Join(filepath.Dir(f.path), asidePrefix+filepath.Base(f.path))
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if err := os.Rename(f.path, aside); err != nil {
		return err
	}
	if err := os.Rename(f.hidden.path, f.path); err != nil {
		return errors.Join(err, os.Rename(aside, f.path))
	}
	return os.RemoveAll(aside)
}

// Abort removes the folder. After Commit it does nothing.
func (f *Folder) Abort() error {
	if !stands(f.hidden.f, f.hidden.path) {
		return nil
	}
	err := os.RemoveAll(f.hidden.path)
	f.janitor.dismiss()
	return errors.Join(err, f.hidden.f.Close())
}

// SyncAll makes all that is in a folder last through a power loss.
func SyncAll(folder string) error {
	return filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return SyncFolder(path) // files are synced alike
	})
}
