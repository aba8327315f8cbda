package outfile

import (
	"fmt"
	"os"

	"datasync/internal/owned"

	"golang.org/x/sys/unix"
)

// nameless makes a file in a folder that has no name, so that nothing is left of it when
// the process is killed. Not every file system can do that.
func nameless(folder *owned.Dir) (*os.File, error) {
	fd, err := unix.Openat(int(folder.File().Fd()), ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: folder.Name(), Err: err}
	}
	f := os.NewFile(uintptr(fd), folder.Name())
	// Without /proc it can be neither opened again nor linked.
	if _, err := os.Stat(DescriptorPath(f)); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// reopens reports whether DescriptorPath opens the file anew, with a place of its own in it.
// Without /proc it does not.
func reopens(f *os.File) bool {
	named, err1 := os.Stat(DescriptorPath(f))
	opened, err2 := f.Stat()
	return err1 == nil && err2 == nil && os.SameFile(named, opened)
}

// DescriptorPath is a name by which this process can open what it has open.
func DescriptorPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// linkNameless gives a file without a name one that is not taken.
func linkNameless(f *os.File, folder *owned.Dir, name string) error {
	err := unix.Linkat(unix.AT_FDCWD, DescriptorPath(f), int(folder.File().Fd()), name, unix.AT_SYMLINK_FOLLOW)
	if err != nil {
		return &os.PathError{Op: "link", Path: folder.Name(name), Err: err}
	}
	return nil
}
