package outfile

import (
	"fmt"
	"os"

	"datasync/internal/owned"

	"golang.org/x/sys/unix"
)

// nameless makes a file without a name (O_TMPFILE), of which a kill leaves nothing. Not all file
// systems support that.
func nameless(folder *owned.Dir) (*os.File, error) {
	fd, err := unix.Openat(int(folder.File().Fd()), ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: folder.Name(), Err: err}
	}
	f := os.NewFile(uintptr(fd), folder.Name())
	// Without /proc it could be neither reopened nor linked.
	if _, err := os.Stat(DescriptorPath(f)); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// reopens reports whether DescriptorPath opens the file anew, with an offset of its own. Without
// /proc it does not.
func reopens(f *os.File) bool {
	named, err1 := os.Stat(DescriptorPath(f))
	opened, err2 := f.Stat()
	return err1 == nil && err2 == nil && os.SameFile(named, opened)
}

// DescriptorPath returns a path by which this process can reopen an open file.
func DescriptorPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// linkNameless gives a file without a name one that must not be taken.
func linkNameless(f *os.File, folder *owned.Dir, name string) error {
	err := unix.Linkat(unix.AT_FDCWD, DescriptorPath(f), int(folder.File().Fd()), name, unix.AT_SYMLINK_FOLLOW)
	if err != nil {
		return &os.PathError{Op: "link", Path: folder.Name(name), Err: err}
	}
	return nil
}
