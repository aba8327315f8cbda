package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// Recovered says what Recover did.
type Recovered struct {
	// Log is the size in bytes of the write-ahead log that was brought into the file, 0
	// where there was none.
	Log int64
}

// missing is the error where there is no file.
func missing(name string) error {
	return &Error{Kind: ErrMissing, Path: name, Hint: "run datasync pull first, or name another file with --db"}
}

// whyUnreadable says why a file could not be opened to read: err, unless it has gone in
// the meantime, or its write-ahead log is in the way.
func whyUnreadable(path string, err error) error {
	if _, errFile := os.Lstat(path); errors.Is(errFile, fs.ErrNotExist) {
		return missing(path)
	}
	var e *Error
	if !errors.As(err, &e) || errors.Is(err, ErrLocked) || errors.Is(err, ErrForeign) || errors.Is(err, ErrNewer) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	if _, errLog := os.Lstat(path + ".wal"); errLog != nil {
		return err
	}
	return &Error{Kind: ErrUnreplayed, Path: path, Cause: e.Cause, Hint: "run datasync status --recover"}
}

// Recover brings the write-ahead log that a killed process has left into the file, so
// that the file can be opened to read. A file that is not ours, is newer or cannot be
// recovered stays as it is: where it cannot be opened to read first, that is tried on a
// copy. It fails with an *Error of kind ErrPath, ErrMissing, ErrLocked, ErrForeign,
// ErrNewer, ErrRoom, ErrFull or ErrDamaged.
func Recover(ctx context.Context, name string) (done Recovered, err error) {
	path, exists, err := Resolve(name)
	if err != nil {
		return done, err
	}
	if !exists {
		return done, missing(name)
	}
	lock, err := patiently(ctx, path, func() (*fileLock, error) { return acquireLock(path) })
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	if err := removeLeftovers(path); err != nil {
		return done, err
	}
	if done.Log, err = sizeOf(path + ".wal"); err != nil {
		return done, translate(path, err)
	}
	_, err = checkOurs(ctx, path, "")
	switch {
	case err == nil:
	case errors.Is(err, ErrUnreplayed):
		if err := rehearse(ctx, path); err != nil {
			return done, err
		}
	default:
		return done, err
	}
	if done.Log == 0 {
		return done, nil
	}
	return done, replay(ctx, path)
}

// replay opens the file for writing, which brings the log into the memory, and from
// there into the file.
func replay(ctx context.Context, path string) error {
	db, err := openToWrite(ctx, path)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "CHECKPOINT")
	return translate(path, errors.Join(err, db.Close()))
}

// rehearse replays the log on a copy of the file, and looks whether what comes out is
// ours.
func rehearse(ctx context.Context, path string) (err error) {
	if holder, err := LockHolder(path); err != nil || holder != nil {
		if err == nil {
			err = &Error{Kind: ErrLocked, Path: path, Detail: holder.String(), Hint: "wait for it to end"}
		}
		return err
	}
	trial := path + snapshotMark + randomEnd()
	defer func() {
		for _, name := range []string{trial, trial + ".wal"} {
			if errRemove := os.Remove(name); !errors.Is(errRemove, fs.ErrNotExist) {
				err = errors.Join(err, errRemove)
			}
		}
	}()
	room := func(bytes int64) error { return checkRoom(path, bytes, freeBytes) }
	if err := copyFile(ctx, path, trial, room); err != nil {
		return err
	}
	if err := copyFile(ctx, path+".wal", trial+".wal", room); err != nil {
		return err
	}
	db, err := openInstance(ctx, trial, closedWorld)
	if err != nil {
		return about(path, translate(trial, err))
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = checkMeta(ctx, db, path, "")
	return err
}

// about says of the file at path what was found out on a copy of it.
func about(path string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		found := *e
		found.Path = path
		return &found
	}
	return err
}
