//go:build !linux

package dbfile

import (
	"errors"
	"os"
)

// reserve does nothing here.
func reserve(*os.File, int64) error { return errors.ErrUnsupported }
