package export

import (
	"errors"
	"fmt"
	"io/fs"

	"datasync/internal/owned"
)

// stagedName is the name of a staged file, by its index in the pending manifest. Patterns for
// data files do not match it.
func stagedName(index int) string { return fmt.Sprintf("%06d.tmp", index) }

// staging is the folder for the new files of a folder.
type staging struct {
	in    *owned.Dir
	named string     // in it
	dir   *owned.Dir // nil if there is none
}

// path is the path of the folder, for messages.
func (s *staging) path() string { return s.in.Name(s.named) }

// open opens the staging folder if there is one.
func (s *staging) open() (err error) {
	s.dir, err = s.in.Sub(s.named)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// create makes the staging folder, which must not exist.
func (s *staging) create() (err error) {
	s.dir, err = s.in.New(s.named)
	return err
}

// has reports whether the file of that index is staged.
func (s *staging) has(index int) bool { return s.dir != nil && s.dir.Has(stagedName(index)) }

// name is the path of a staged file, for messages.
func (s *staging) name(index int) string { return s.dir.Name(stagedName(index)) }

// remove removes the staging folder if there is one.
func (s *staging) remove() error {
	if s.dir == nil {
		return nil
	}
	return errors.Join(s.in.RemoveAll(s.dir, s.named), s.close())
}

// close closes the staging folder.
func (s *staging) close() error {
	if s.dir == nil {
		return nil
	}
	err := s.dir.Close()
	s.dir = nil
	return err
}

// unexpected is the error of something in a folder that no export would have left there.
func unexpected(path, why string) error {
	return &owned.Error{Path: path, Why: why + "; look who wrote to the folder, or give --force to export anew"}
}
