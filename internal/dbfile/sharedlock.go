package dbfile

import (
	"errors"
	"io"
	"os"

	"github.com/gofrs/flock"
)

// SharedLock is a share of a database's lock: no pull begins as long as it is held, and readers
// do not take its holder for a pull.
type SharedLock struct {
	f     *flock.Flock
	notes *os.File // the same file
}

// ShareLock takes a share of the lock of the database at path. It fails with ErrLocked.
func ShareLock(path string) (*SharedLock, error) {
	f, notes, err := lockFile(path, os.O_RDONLY, (*flock.Flock).TryRLock)
	if err != nil {
		return nil, err
	}
	return &SharedLock{f, notes}, nil
}

// ReadNotes returns the notes of a killed pull.
func (l *SharedLock) ReadNotes() (string, error) { return readNotes(l.notes) }

// Release unlocks the share. The last holder of a share removes the lock file, unless it has
// notes of a killed pull.
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

// NotesOf returns the notes that a killed pull left in the lock file of the database at path. It
// returns "" if there is no lock file, or if it cannot be read.
func NotesOf(path string) string {
	f, err := openNeighbour(path, path+".lock", os.O_RDONLY)
	if err != nil {
		return ""
	}
	notes, _ := readNotes(f)
	_ = f.Close()
	return notes
}

// maxNotes is how many bytes of a lock file are read. A pull adds a line for each wait.
const maxNotes = 64 << 20

func readNotes(f *os.File) (string, error) {
	b, err := io.ReadAll(io.LimitReader(f, maxNotes))
	return string(b), err
}
