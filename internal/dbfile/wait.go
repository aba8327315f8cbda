package dbfile

import (
	"context"
	"errors"
	"time"

	"datasync/internal/model"
)

const (
	// ReaderPatience is how long a writer waits for a datasync reader. Such a reader closes the
	// file after a statement, or when a writer asks for it.
	ReaderPatience = 10 * time.Second
	// awaitPause is the pause between two attempts. An attempt keeps the lock file locked, which
	// asks readers for the file. A pause lets readers proceed that wait for the writer.
	awaitPause = 250 * time.Millisecond
)

// Wait says how long a writer waits for a lock.
type Wait struct {
	// For is the longest wait for any process. 0 means ReaderPatience for a datasync reader, and no
	// wait for others.
	For time.Duration
	// Notice, if not nil, is called before the wait for a process, which is nil if it is unknown.
	Notice func(holder *Holder)
}

// AwaitLock calls open until it no longer fails with ErrLocked, or the wait is over. open must leave
// the database at path closed when it fails. The error names the process that has the file open.
func AwaitLock[T any](ctx context.Context, name string, wait Wait, open func() (T, error)) (T, error) {
	said, saidOf := false, 0
	for began := time.Now(); ; {
		v, err := open()
		if err == nil || !errors.Is(err, ErrLocked) {
			return v, err
		}
		holder, _ := LockHolder(name)
		longest := wait.For
		if longest == 0 && holder != nil && holder.reads() {
			longest = ReaderPatience
		}
		if time.Since(began) >= longest {
			return v, lockedBy(err, holder)
		}
		if pid := pidOf(holder); wait.Notice != nil && (!said || pid != saidOf) {
			said, saidOf = true, pid
			wait.Notice(holder)
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(min(awaitPause, longest)):
		}
	}
}

func pidOf(h *Holder) int {
	if h == nil {
		return 0
	}
	return h.PID
}

// lockedBy adds the process to an error that does not name it, and says how to wait for it.
func lockedBy(err error, holder *Holder) error {
	var e *model.FileError
	if !errors.As(err, &e) {
		return err
	}
	named := *e
	if holder != nil && !holder.Writing {
		named.Detail = holder.Name() + " has it open"
	}
	named.Hint = "close it, or use --wait 10m"
	return &named
}
