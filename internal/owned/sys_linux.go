package owned

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// descriptorPath is a name by which this process can open an open file again.
func descriptorPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// exchange swaps two names in a folder in one step.
func exchange(folder int, a, b string) error {
	return unix.Renameat2(folder, a, folder, b, unix.RENAME_EXCHANGE)
}

// renameNew renames unless the new name is taken.
func renameNew(folder int, from string, newFolder int, to string) error {
	return unix.Renameat2(folder, from, newFolder, to, unix.RENAME_NOREPLACE)
}
