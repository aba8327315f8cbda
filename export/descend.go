package export

import (
	"errors"
	"strings"

	"datasync/internal/owned"
)

// descend opens the folder that a path, with slashes, leads to, and returns the last name. It
// goes step by step, by (*owned.Dir).Sub or Make, so that a link on the way is refused. The
// caller closes the folder by leave.
func descend(from *owned.Dir, path string, step func(*owned.Dir, string) (*owned.Dir, error)) (folder *owned.Dir, name string, err error) {
	folder = from
	names := strings.Split(path, "/")
	for _, name := range names[:len(names)-1] {
		next, err := step(folder, name)
		if err = errors.Join(err, leave(from, folder)); err != nil {
			return nil, "", err
		}
		folder = next
	}
	return folder, names[len(names)-1], nil
}

// leave closes the folders that descend opened.
func leave(from, folder *owned.Dir) error {
	if folder == from {
		return nil
	}
	return folder.Close()
}
