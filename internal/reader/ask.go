package reader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/live"
)

const (
	// beginTimeout is how long a reader waits for a pull that has the lock but does not answer
	// yet, or no longer: it may be replaying or checkpointing the write-ahead log.
	beginTimeout = 10 * time.Second
	// beginPause is the pause between two tries meanwhile.
	beginPause = 20 * time.Millisecond
)

// errUnanswered: a pull has locked the file and does not answer.
var errUnanswered = errors.New("the pull that has locked the file does not answer")

// ask calls request until the pull that has locked the file answers. It fails with
//   - live.ErrNoPull where no pull runs, joined with errUnanswered where one runs but did not
//     answer within beginTimeout;
//   - live.ErrUnresponsive where the pull gave no sign of life, or had not answered a request when the
//     deadline of ctx passed;
//   - the error of ctx, or any other error of request.
func ask(ctx context.Context, path string, request func() error) error {
	for began := time.Now(); ; {
		err := request()
		late := time.Since(began) > beginTimeout
		switch {
		case err == nil:
			return nil
		case errors.Is(err, live.ErrUnresponsive), errors.Is(ctx.Err(), context.DeadlineExceeded):
			return silent(ctx, path)
		case ctx.Err() != nil:
			return err
		case errors.Is(err, live.ErrNoPull):
			if pulling, errLock := dbfile.Pulling(path); errLock != nil || !pulling {
				return err
			}
			if late {
				return errors.Join(err, errUnanswered)
			}
		case !errors.Is(err, live.ErrBusy) || late:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(beginPause):
		}
	}
}

// silent returns live.ErrUnresponsive with the pull's process and what to do about it.
func silent(ctx context.Context, path string) error {
	process, hint := "", "check whether it is suspended"
	if h, err := dbfile.LockHolder(path); err == nil && h != nil {
		process = fmt.Sprintf(" (process %d)", h.PID)
		hint = fmt.Sprintf("if it is suspended, kill -CONT %d resumes it, and kill %d as well ends it", h.PID, h.PID)
	}
	if ctx.Err() != nil {
		hint += "; or allow more time with a longer --timeout"
	}
	return fmt.Errorf("%w%s: %s", live.ErrUnresponsive, process, hint)
}
