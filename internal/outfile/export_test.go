package outfile

import (
	"errors"
	"os"

	"datasync/internal/owned"
)

// CreateNamed is Create on a file system without nameless files.
func CreateNamed(target string, rules Rules) (*File, error) {
	return create(target, rules, func(*owned.Dir) (*os.File, error) { return nil, errors.ErrUnsupported })
}
