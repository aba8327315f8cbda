//go:build !linux

package outfile

import (
	"errors"
	"fmt"
	"os"

	"datasync/internal/owned"
)

// Only Linux has files without a name.

func nameless(*owned.Dir) (*os.File, error) { return nil, errors.ErrUnsupported }

// DescriptorPath is a name by which this process can open what it has open.
func DescriptorPath(f *os.File) string { return fmt.Sprintf("/dev/fd/%d", f.Fd()) }

// reopens: elsewhere that name may stand for the descriptor itself, with its place in the file.
func reopens(*os.File) bool { return false }

func linkNameless(*os.File, *owned.Dir, string) error { return errors.ErrUnsupported }
