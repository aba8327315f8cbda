package outfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"datasync/internal/owned"
)

// prefix begins the hidden names of files and folders in the making.
const prefix = ".datasync-export-"

// hidden is a file or a folder under a hidden name, which this process has locked.
type hidden struct {
	f      *os.File
	dir    *owned.Dir // nil for a file
	parent *owned.Dir
	name   string // in parent
}

// path returns a path by which this process reaches it.
func (h *hidden) path() string {
	if h.dir != nil {
		return h.dir.Path()
	}
	return filepath.Join(h.parent.Path(), h.name)
}

// hide makes a new file or folder in parent, by make, under a random name, and locks it.
func hide(parent *owned.Dir, make func(name string) (*os.File, *owned.Dir, error)) (*hidden, error) {
	for {
		name := prefix + rand.Text()
		f, dir, err := make(name)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		err = lock(f)
		h := &hidden{f, dir, parent, name}
		if err == nil && parent.Holds(f, name) {
			return h, nil
		}
		if err != nil && !errors.Is(err, errLocked) {
			return nil, errors.Join(err, h.remove())
		}
		// A sweep took it for a leftover before it was locked.
		_ = h.close()
	}
}

// remove removes it, and closes it.
func (h *hidden) remove() error {
	var err error
	if h.dir != nil {
		err = h.parent.RemoveAll(h.dir, h.name)
	} else if h.parent.Holds(h.f, h.name) {
		err = h.parent.Remove(h.name)
	}
	return errors.Join(err, h.close())
}

func (h *hidden) close() error {
	if h.dir != nil {
		return h.dir.Close()
	}
	return h.f.Close()
}

func newFile(parent *owned.Dir) func(string) (*os.File, *owned.Dir, error) {
	return func(name string) (*os.File, *owned.Dir, error) {
		f, err := parent.Create(name)
		return f, nil, err
	}
}

func newFolder(parent *owned.Dir) func(string) (*os.File, *owned.Dir, error) {
	return func(name string) (*os.File, *owned.Dir, error) {
		d, err := parent.New(name)
		if err != nil {
			return nil, nil, err
		}
		return d.File(), d, nil
	}
}

// IsHidden reports whether a name is that of a file or folder in the making, or of a leftover.
func IsHidden(name string) bool { return strings.HasPrefix(name, prefix) }

// Sweep removes what killed processes of this user have left in a folder. It ignores errors.
func Sweep(folder string) {
	if d, err := owned.OpenDir(folder); err == nil {
		sweep(d)
		_ = d.Close()
	}
}

func sweep(folder *owned.Dir) {
	entries, _ := folder.Entries()
	for _, e := range entries {
		switch {
		case !IsHidden(e.Name()):
		case e.Type().IsRegular():
			if f, err := folder.Open(e.Name(), owned.File); err == nil {
				if lock(f) == nil && folder.Holds(f, e.Name()) {
					_ = folder.Remove(e.Name())
				}
				_ = f.Close()
			}
		// If others may rename folders here, they can give such a name to any folder of this
		// user.
		case e.IsDir() && !folder.Shared():
			if d, err := folder.Sub(e.Name()); err == nil {
				if lock(d.File()) == nil {
					_ = folder.RemoveAll(d, e.Name())
				}
				_ = d.Close()
			}
		}
	}
}

var errLocked = errors.New("it is being written by another process")

// lock locks an open file or folder, or fails with errLocked. The end of the process releases the
// lock.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}
