package outfile

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// nameless makes a file in a folder that has no name, so that nothing is left of it when
// the process is killed. Not every file system can do that.
func nameless(folder string) (*os.File, error) {
	fd, err := unix.Open(folder, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: folder, Err: err}
	}
	f := os.NewFile(uintptr(fd), folder)
	// Without /proc it can be neither opened again nor linked.
	if _, err := os.Stat(DescriptorPath(f)); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// DescriptorPath is a name by which this process can open what it has open.
func DescriptorPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// linkNameless gives a file without a name one that is not taken.
func linkNameless(f *os.File, path string) error {
	err := unix.Linkat(unix.AT_FDCWD, DescriptorPath(f), unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW)
	if err != nil {
		return &os.PathError{Op: "link", Path: path, Err: err}
	}
	return nil
}

// exchange swaps two names in one step.
func exchange(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}

// renameNew renames unless the new name is taken.
func renameNew(from, to string) error {
	return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
}
