package dbfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"datasync/internal/model"
)

// A database has a lock file beside it, on which a pull holds a flock. DuckDB locks the database
// itself, but by a POSIX lock. A process loses that as soon as it closes any other descriptor of
// the file.

// A killed process holds its locks until the system has removed it, so a lock is retried.
const (
	lockPatience = time.Second
	lockPause    = 20 * time.Millisecond
)

// WithLockRetry calls open again as long as it fails with ErrLocked, for lockPatience at most.
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

// Lock is the lock of a pull. The lock file also keeps notes of waits that endpoints asked for:
// a note survives a kill at once, and a commit takes milliseconds.
type Lock struct {
	f     *flock.Flock
	left  string
	notes *os.File // the same file
	kept  bool     // Release leaves the lock file
}

// AcquireLock takes the lock of the database at path. It fails with ErrLocked.
func AcquireLock(path string) (*Lock, error) {
	f, notes, err := lockFile(path, os.O_RDWR|os.O_APPEND, (*flock.Flock).TryLock)
	if err != nil {
		return nil, err
	}
	left, err := readNotes(notes)
	if err != nil {
		if info, errStat := notes.Stat(); errStat == nil && info.Size() == 0 {
			_ = os.Remove(f.Path()) // an empty file has no notes to lose
		}
		return nil, errors.Join(Translate(path, err), notes.Close(), f.Close())
	}
	return &Lock{f: f, left: left, notes: notes}, nil
}

// Left returns the notes of a killed pull, a line each, until Forget.
func (l *Lock) Left() string { return l.left }

// Forget removes the notes of a killed pull, once the database has them or they do not apply.
func (l *Lock) Forget() error {
	if l.left == "" {
		return nil
	}
	if err := l.notes.Truncate(0); err != nil {
		return err
	}
	l.left = ""
	return nil
}

// Note adds a line. It may fail, as on a full disk: then only the database has the wait.
func (l *Lock) Note(line string) { _, _ = l.notes.WriteString(line + "\n") }

// Reserve allocates disk space for notes where the file system can, so that Keep succeeds on a
// full disk.
func (l *Lock) Reserve() { _ = reserve(l.notes, reserved) }

// reserved is how many bytes Reserve allocates: one block of most file systems.
const reserved = 4096

// Keep adds a line that the database could not take, and leaves the lock file for the next pull.
// It may fail, as Note may.
func (l *Lock) Keep(line string) {
	if _, err := l.notes.WriteString(line + "\n"); err == nil {
		l.kept = true
	}
}

// Release removes the lock file, unless it has notes that the database lacks, and then unlocks
// it.
func (l *Lock) Release() error {
	if l.left == "" && !l.kept {
		_ = os.Remove(l.f.Path())
	}
	return errors.Join(l.notes.Close(), l.f.Close())
}

// lockFile locks the lock file of the database at path by try. It also opens the file with the
// flag, and makes sure that it reads and writes the file that it has locked.
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
			return nil, nil, errPulling(path)
		}
		// The holder before us removed the name when it ended. A lock on a file without a name
		// keeps no process out.
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

// errPulling is the error if a pull holds the lock.
func errPulling(path string) error {
	detail := "another pull is running"
	if h, err := LockHolder(path); err == nil && h != nil {
		detail += ": " + h.String()
	}
	return &model.FileError{Kind: ErrLocked, Path: path, Detail: detail, Hint: "wait for it to end"}
}

// Pulling reports whether a pull holds the lock of the database at that absolute path.
func Pulling(path string) (bool, error) {
	f, err := openNeighbour(path, path+".lock", os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, Translate(path, err)
	}
	// If no pull holds the lock this takes it for a moment. A pull that begins now retries.
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	held := errors.Is(err, syscall.EWOULDBLOCK)
	if held {
		err = nil
	}
	return held, Translate(path, errors.Join(err, f.Close()))
}
