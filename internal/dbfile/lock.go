package dbfile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"datasync/internal/model"
)

// Lock is a lock on a file beside the database. DuckDB locks the database
// itself, but with a POSIX lock, which the process loses as soon as anything in
// it closes another descriptor of the file.
//
// It is also where the waits stand that were asked for since the pull began: a line written
// there outlives a kill at once, a commit takes milliseconds.
type Lock struct {
	f *flock.Flock
	// Left is what a pull that was killed left in it and the database has not yet, and notes
	// is the file, to add to.
	Left  string
	notes *os.File
}

// lockPatience is how long a lock is waited for: a process that was killed holds
// its locks until the system has taken it apart, which takes a moment.
const (
	lockPatience = time.Second
	lockPause    = 20 * time.Millisecond
)

// WithLockRetry calls open until it fails otherwise than with ErrLocked, or for
// lockPatience.
func WithLockRetry[T any](ctx context.Context, path string, open func() (T, error)) (T, error) {
	for began := time.Now(); ; {
		v, err := open()
		err = Translate(path, err)
		if !errors.Is(err, ErrLocked) || time.Since(began) > lockPatience {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

// AcquireLock takes the lock of the database at path, or fails with ErrLocked.
func AcquireLock(path string) (*Lock, error) {
	f, notes, err := lockFile(path, os.O_RDWR|os.O_APPEND, (*flock.Flock).TryLock)
	if err != nil {
		return nil, err
	}
	left, err := readNotes(notes)
	if err != nil {
		// Nothing is lost with one in which nothing stands.
		if info, errStat := notes.Stat(); errStat == nil && info.Size() == 0 {
			_ = os.Remove(f.Path())
		}
		return nil, errors.Join(Translate(path, err), notes.Close(), f.Close())
	}
	return &Lock{f, left, notes}, nil
}

// maxNotes is how many bytes of a lock file are read: a pull notes a line for each wait.
const maxNotes = 64 << 20

func readNotes(f *os.File) (string, error) {
	b, err := io.ReadAll(io.LimitReader(f, maxNotes))
	return string(b), err
}

// Forget empties the file: what was left in it stands in the database now, or is not to be
// kept.
func (l *Lock) Forget() error {
	if l.Left == "" {
		return nil
	}
	if err := l.notes.Truncate(0); err != nil {
		return err
	}
	l.Left = ""
	return nil
}

// Note adds a line. Where that fails, as on a full disk, the database is left to keep it.
func (l *Lock) Note(line string) { _, _ = l.notes.WriteString(line + "\n") }

// lockFile locks the lock file of the database at path by try, and returns it opened with the
// flag, too: what is locked is what is read and written.
func lockFile(path string, flag int, try func(*flock.Flock) (bool, error)) (*flock.Flock, *os.File, error) {
	name := path + ".lock"
	for {
		opened, err := openNeighbour(path, name, flag|os.O_CREATE)
		if err != nil {
			return nil, nil, Translate(path, err)
		}
		f := flock.New(name, flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK))
		ok, err := try(f)
		if err != nil {
			return nil, nil, errors.Join(Translate(path, err), opened.Close())
		}
		if !ok {
			_ = opened.Close()
			detail := "another pull is running"
			if h, err := LockHolder(path); err == nil && h != nil {
				detail += ": " + h.String()
			}
			return nil, nil, &model.FileError{Kind: ErrLocked, Path: path, Detail: detail, Hint: "wait for it to end"}
		}
		// The holder before us removed the name when it ended; a lock on a file
		// that has no name any more keeps nobody out.
		held, err1 := f.Stat()
		named, err2 := os.Lstat(name)
		looked, err3 := opened.Stat()
		if errors.Join(err1, err2, err3) == nil && os.SameFile(held, named) && os.SameFile(held, looked) {
			return f, opened, nil
		}
		_ = f.Close()
		_ = opened.Close()
	}
}

// Pulling reports whether a process holds the lock that a pull holds of the file at
// that absolute path.
func Pulling(path string) (bool, error) {
	f, err := openNeighbour(path, path+".lock", os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, Translate(path, err)
	}
	// Where nobody holds it, it is had for a moment, for which a pull waits.
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	held := errors.Is(err, syscall.EWOULDBLOCK)
	if held {
		err = nil
	}
	return held, Translate(path, errors.Join(err, f.Close()))
}

// Release removes the lock file while it is still held, unless there are waits in it that
// the database has not, then lets go of it.
func (l *Lock) Release() error {
	if l.Left == "" {
		_ = os.Remove(l.f.Path())
	}
	return errors.Join(l.notes.Close(), l.f.Close())
}
