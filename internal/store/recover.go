package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"strings"

	"datasync/internal/dbfile"
	"datasync/internal/duck"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// Recovered says what Recover did.
type Recovered struct {
	// Log is the size in bytes of the write-ahead log that was there, 0 where there was
	// none.
	Log int64
	// Void says that there was nothing in it that could be brought into the file: it stays
	// as it is until the next pull.
	Void bool
}

// Recover brings the write-ahead log that a killed process has left into the file, so
// that the file can be opened to read. A file that is not ours, is newer or cannot be
// recovered stays as it is: where it cannot be opened to read first, that is tried on a
// copy. It fails with an *Error of kind ErrPath, ErrMissing, ErrLocked, ErrForeign,
// ErrNewer, ErrRoom, ErrFull, ErrDamaged or ErrUnsound.
func Recover(ctx context.Context, name string) (done Recovered, err error) {
	path, exists, err := dbfile.Resolve(name)
	if err != nil {
		return done, err
	}
	if !exists {
		return done, dbfile.Missing(name)
	}
	lock, err := dbfile.WithLockRetry(ctx, path, func() (*dbfile.Lock, error) { return dbfile.AcquireLock(path) })
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if err := dbfile.RemoveLeftovers(path); err != nil {
		return done, err
	}
	if done.Log, err = dbfile.SizeOf(path + ".wal"); err != nil {
		return done, dbfile.Translate(path, err)
	}
	_, err = inspect.CheckOurs(ctx, path, "")
	switch {
	case err == nil && done.Log > 0:
		if err := fits(ctx, path); err != nil {
			return done, err
		}
	case err == nil:
	case errors.Is(err, dbfile.ErrUnreplayed):
		if err := mendTorn(ctx, path); err != nil {
			return done, err
		}
	case done.Log > 0:
		return done, blameLog(path, err)
	default:
		return done, err
	}
	if done.Log == 0 {
		return done, nil
	}
	if err := replay(ctx, path); err != nil {
		return done, err
	}
	// DuckDB removes a log that it has brought into the file, and passes over one of which it
	// knows not even the beginning.
	left, err := dbfile.SizeOf(path + ".wal")
	done.Void = left > 0
	return done, dbfile.Translate(path, err)
}

// fits reads the file as it would be with its log, which DuckDB does not compare with the
// file: one of a later state, beside a file that was put back, names blocks that are not there
// or hold something else.
func fits(ctx context.Context, path string) error {
	db, err := inspect.OpenReadOnly(ctx, path, "UTC")
	if err != nil {
		return err
	}
	_, err1 := inspect.Verify(ctx, db, path)
	_, err2 := inspect.ReadFingerprint(ctx, db, path)
	if err := errors.Join(err1, err2, db.Close()); errors.Is(err, dbfile.ErrDamaged) {
		return blameLog(path, err)
	}
	return nil
}

// blameLog says of damage that is met where there is a log that it is the log's.
func blameLog(path string, err error) error {
	var e *model.FileError
	if errors.Is(err, dbfile.ErrDamaged) && errors.As(err, &e) {
		return &model.FileError{Kind: dbfile.ErrLog, Path: path, Detail: e.Detail, Cause: e.Cause, Hint: "move the .wal file away, but keep it, and look at the file without it"}
	}
	return err
}

// replay opens the file for writing, which brings the log into the memory, and from
// there into the file.
func replay(ctx context.Context, path string) error {
	db, err := duck.OpenToWrite(ctx, path)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "CHECKPOINT")
	return dbfile.Translate(path, errors.Join(err, db.Close()))
}

// rehearse replays the log on a copy of the file, and looks whether what comes out is
// ours. It returns the blocks that had to be mended in the copy; what comes out is sound then.
func rehearse(ctx context.Context, path string) (mended []tornBlock, err error) {
	if holder, err := dbfile.LockHolder(path); err != nil || holder != nil {
		if err == nil {
			err = &model.FileError{Kind: dbfile.ErrLocked, Path: path, Detail: holder.String(), Hint: "wait for it to end"}
		}
		return nil, err
	}
	trial := dbfile.NewSnapshot(path)
	defer func() {
		for _, name := range []string{trial, trial + ".wal"} {
			if errRemove := os.Remove(name); !errors.Is(errRemove, fs.ErrNotExist) {
				err = errors.Join(err, errRemove)
			}
		}
	}()
	room := func(bytes int64) error { return dbfile.CheckRoom(path, bytes, dbfile.FreeBytes) }
	if err := dbfile.CopyFile(ctx, path, trial, room); err != nil {
		return nil, err
	}
	if err := dbfile.CopyFile(ctx, path+".wal", trial+".wal", room); err != nil {
		return nil, err
	}
	checkpoint, err := inCheckpoint(trial + ".wal")
	if err != nil {
		return nil, dbfile.Translate(path, err)
	}
	db, err := duck.OpenInstance(ctx, trial, duck.Sandbox())
	for err != nil {
		block, ok := tornIn(err)
		if !ok || !checkpoint || len(mended) == maxTorn {
			return nil, about(path, dbfile.Translate(trial, err))
		}
		if err := block.mend(trial); err != nil {
			return nil, dbfile.Translate(path, err)
		}
		mended = append(mended, block)
		db, err = duck.OpenInstance(ctx, trial, duck.Sandbox())
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	version, err := inspect.CheckMeta(ctx, db, path, "")
	if err == nil {
		err = about(path, inspect.CheckIntegrity(ctx, db, trial, version))
	}
	if err == nil && len(mended) > 0 {
		err = about(path, checkSound(ctx, db, trial))
	}
	return mended, err
}

// checkSound reads all of a file and fails where anything in it does not agree.
func checkSound(ctx context.Context, db *sql.DB, path string) error {
	findings, err := inspect.Verify(ctx, db, path)
	if err == nil {
		_, err = inspect.ReadFingerprint(ctx, db, path)
	}
	if err == nil && len(findings) > 0 {
		err = &model.FileError{Kind: dbfile.ErrDamaged, Path: path, Detail: findings[0].Check + ": " + findings[0].Detail, Hint: dbfile.RestoreHint}
	}
	return err
}

// about says of the file at path what was found out on a copy of it.
func about(path string, err error) error {
	var e *model.FileError
	if errors.As(err, &e) {
		found := *e
		found.Path = path
		if e.Cause != nil {
			found.Cause = errors.New(strings.ReplaceAll(e.Cause.Error(), e.Path, path))
		}
		return &found
	}
	return err
}
