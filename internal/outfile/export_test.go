package outfile

import (
	"errors"
	"os"

	"datasync/internal/owned"
)

// CreateNamed is Create where the file system has no files without a name.
func CreateNamed(target string, rules Rules) (*File, error) {
	return create(target, rules, func(*owned.Dir) (*os.File, error) { return nil, errors.ErrUnsupported })
}
