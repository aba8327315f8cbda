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

// DescriptorPath returns a path by which this process can reopen an open file.
func DescriptorPath(f *os.File) string { return fmt.Sprintf("/dev/fd/%d", f.Fd()) }

// reopens returns false: on other systems that path may be the descriptor itself, with its offset.
func reopens(*os.File) bool { return false }

func linkNameless(*os.File, *owned.Dir, string) error { return errors.ErrUnsupported }
