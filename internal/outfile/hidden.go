package outfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// prefix begins the hidden names of what is being written.
const prefix = ".datasync-export-"

// hidden is a file or a folder under a hidden name, which this process has locked.
type hidden struct {
	f    *os.File
	path string
}

// hide makes a new file or folder in folder by make, under a name of its own, and locks
// it.
func hide(folder string, make func(path string) (*os.File, error)) (*hidden, error) {
	for {
		path := filepath.Join(folder, prefix+rand.Text())
		f, err := make(path)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		err = lock(f)
		if err == nil && stands(f, path) {
			return &hidden{f, path}, nil
		}
		_ = f.Close()
		if err != nil && !errors.Is(err, errLocked) {
			return nil, errors.Join(err, os.RemoveAll(path))
		}
		// Somebody took it for a leftover before it was locked.
	}
}

func newFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

func newFolder(path string) (*os.File, error) {
	if err := os.Mkdir(path, 0o700); err != nil {
		return nil, err
	}
	return os.Open(path)
}

// IsHidden reports whether a name is one of what is being written, or was.
func IsHidden(name string) bool { return strings.HasPrefix(name, prefix) }

// Sweep removes what processes that are gone have left in a folder. What it may not
// remove stays.
func Sweep(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !IsHidden(e.Name()) || !e.Type().IsRegular() && !e.IsDir() {
			continue
		}
		path := filepath.Join(folder, e.Name())
		f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
		if err != nil {
			continue
		}
		if lock(f) == nil && stands(f, path) {
			_ = os.RemoveAll(path)
		}
		_ = f.Close()
	}
}

// errLocked: another process uses the file or folder.
var errLocked = errors.New("it is being written by another process")

// lock takes the lock of an open file or folder, or fails with errLocked. The lock goes
// with the process.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

// stands reports whether an open file still has that name.
func stands(f *os.File, path string) bool {
	opened, err1 := f.Stat()
	named, err2 := os.Lstat(path)
	return err1 == nil && err2 == nil && os.SameFile(opened, named)
}

// SyncFolder makes what changed in a folder last through a power loss.
func SyncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Lock keeps others of this package from a folder that stands.
type Lock struct{ f *os.File }

// LockFolder locks a folder that stands, to be changed in place. It fails where another
// process has locked it.
func LockFolder(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, refuse(path, "%w", err)
	}
	if err = lock(f); err == nil && !stands(f, path) {
		err = errLocked // it has just been replaced
	}
	if err != nil {
		_ = f.Close()
		return nil, refuse(path, "%w", err)
	}
	return &Lock{f}, nil
}

// Release lets go of the lock.
func (l *Lock) Release() error { return l.f.Close() }
