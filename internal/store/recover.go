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
	// Log is the size in bytes of the write-ahead log that was found, 0 if there was none.
	Log int64
	// Void says that the log has nothing to replay. It stays until the next pull.
	Void bool
}

// Recover replays the write-ahead log that a killed process has left, so that the file can be opened
// for reading. A file that is not ours, is newer or cannot be recovered stays as it was: if it
// cannot be opened for reading first, Recover tries on a copy. It fails with a *model.FileError of
// dbfile's kinds ErrPath, ErrMissing, ErrLocked, ErrForeign, ErrNewer, ErrNoRoomForCopy, ErrFull, ErrUntrustedNeighbour,
// ErrDamaged or ErrUnsound.
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
		if err := checkLog(ctx, path); err != nil {
			return done, err
		}
	case err == nil:
	case errors.Is(err, dbfile.ErrUnreplayed):
		if err := repairTorn(ctx, path); err != nil {
			return done, err
		}
	case done.Log > 0:
		return done, asLogError(path, err)
	default:
		return done, err
	}
	if done.Log == 0 {
		return done, nil
	}
	if err := replay(ctx, path); err != nil {
		return done, err
	}
	// DuckDB removes a log that it has replayed, and ignores one whose beginning it cannot read.
	left, err := dbfile.SizeOf(path + ".wal")
	done.Void = left > 0
	return done, dbfile.Translate(path, err)
}

// checkLog reads the file as it would be after the replay of its log. DuckDB does not check that the two
// belong together: after the file was restored from a copy, its log names blocks that the file lacks
// or that hold other data.
func checkLog(ctx context.Context, path string) error {
	db, err := inspect.OpenReadOnly(ctx, path, "UTC")
	if err != nil {
		return err
	}
	_, err1 := inspect.Verify(ctx, db, path)
	_, err2 := inspect.ReadFingerprint(ctx, db, path)
	if err := errors.Join(err1, err2, db.Close()); errors.Is(err, dbfile.ErrDamaged) {
		return asLogError(path, err)
	}
	return nil
}

// asLogError turns ErrDamaged into ErrLog: the caller has met it in a file with a log.
func asLogError(path string, err error) error {
	var e *model.FileError
	if errors.Is(err, dbfile.ErrDamaged) && errors.As(err, &e) {
		return &model.FileError{Kind: dbfile.ErrLog, Path: path, Detail: e.Detail, Cause: e.Cause, Hint: "move the .wal file away, but keep it, and look at the file without it"}
	}
	return err
}

// replay opens the file for writing, which reads the log into memory, and writes it into the file.
func replay(ctx context.Context, path string) error {
	db, err := duck.OpenToWrite(ctx, path)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "CHECKPOINT")
	return dbfile.Translate(path, errors.Join(err, db.Close()))
}

// tryRecovery replays the log on a copy of the file, and checks that the result is ours. It returns the
// blocks that it had to repair in the copy. If there are any, it has verified all of the copy.
func tryRecovery(ctx context.Context, path string) (repaired []tornBlock, err error) {
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
	db, repaired, err := openTorn(ctx, path, trial)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	version, err := inspect.CheckMeta(ctx, db, path, "")
	if err == nil {
		err = about(path, inspect.CheckIntegrity(ctx, db, trial, version))
	}
	if err == nil && len(repaired) > 0 {
		err = about(path, checkSound(ctx, db, trial))
	}
	return repaired, err
}

// openTorn opens a copy of the file at path. If the log shows that a checkpoint was interrupted, it
// repairs torn blocks of the copy, which it returns.
func openTorn(ctx context.Context, path, trial string) (db *sql.DB, repaired []tornBlock, err error) {
	checkpoint, err := inCheckpoint(trial + ".wal")
	if err != nil {
		return nil, nil, dbfile.Translate(path, err)
	}
	for {
		db, err := duck.OpenInstance(ctx, trial, duck.Sandbox())
		if err == nil {
			return db, repaired, nil
		}
		block, ok := tornIn(err)
		if !ok || !checkpoint || len(repaired) == maxRepairs {
			return nil, nil, about(path, dbfile.Translate(trial, err))
		}
		if err := block.repair(trial); err != nil {
			return nil, nil, dbfile.Translate(path, err)
		}
		repaired = append(repaired, block)
	}
}

// checkSound reads all of a file and fails if anything in it contradicts anything else.
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

// about turns an error about a copy of the file at path into one about the file.
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
