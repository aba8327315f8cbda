package dbfile

import (
	"errors"
	"os"
)

// SyncFolder makes a rename in the folder last through a power loss.
func SyncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
