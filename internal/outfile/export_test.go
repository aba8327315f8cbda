package outfile

import (
	"errors"
	"os"
)

// CreateNamed is Create where the file system has no files without a name.
func CreateNamed(target string, rules Rules) (*File, error) {
	return create(target, rules, func(string) (*os.File, error) { return nil, errors.ErrUnsupported })
}
