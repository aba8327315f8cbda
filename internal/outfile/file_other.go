//go:build !linux

package outfile

import (
	"errors"
	"fmt"
	"os"
)

// Only Linux has files without a name, and swaps names in one step.

func nameless(string) (*os.File, error) { return nil, errors.ErrUnsupported }

// DescriptorPath is a name by which this process can open what it has open.
func DescriptorPath(f *os.File) string { return fmt.Sprintf("/dev/fd/%d", f.Fd()) }

func linkNameless(*os.File, string) error { return errors.ErrUnsupported }

func exchange(string, string) error { return errors.ErrUnsupported }

func renameNew(string, string) error { return errors.ErrUnsupported }
