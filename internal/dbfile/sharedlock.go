package dbfile

import (
	"errors"
	"os"

	"github.com/gofrs/flock"
)

// SharedLock is the lock of a database that is shared by those who only look: it keeps pulls
// out, and tells readers of none.
type SharedLock struct {
	f     *flock.Flock
	notes *os.File // the same file, to read
}

// ShareLock takes the lock of the database at path together with others who do so, or fails
// with ErrLocked.
func ShareLock(path string) (*SharedLock, error) {
	f, notes, err := lockFile(path, os.O_RDONLY, (*flock.Flock).TryRLock)
	if err != nil {
		return nil, err
	}
	return &SharedLock{f, notes}, nil
}

// ReadNotes returns the waits that a killed pull left in the lock file.
func (l *SharedLock) ReadNotes() (string, error) { return readNotes(l.notes) }

// Release lets pulls begin. The last one who shares the lock removes its file, unless a killed
// pull left waits in it.
func (l *SharedLock) Release() error {
	defer func() { _ = l.notes.Close() }()
	if noted, err := l.f.Stat(); err != nil || noted.Size() > 0 {
		return errors.Join(err, l.f.Close())
	}
	if last, err := l.f.TryLock(); err == nil && last {
		_ = os.Remove(l.f.Path())
	}
	return l.f.Close()
}

// NotesOf returns the waits that a killed pull left in the lock file of the database at path,
// "" where there is no file or it cannot be read.
func NotesOf(path string) string {
	f, err := openNeighbour(path, path+".lock", os.O_RDONLY)
	if err != nil {
		return ""
	}
	notes, _ := readNotes(f)
	_ = f.Close()
	return notes
}
