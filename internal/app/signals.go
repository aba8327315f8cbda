package app

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"datasync/internal/live"
	"datasync/internal/model"
)

// errTimeout: a query took longer than --timeout.
var errTimeout = errors.New("the query took too long")

// signalled is the error of a command that a signal ended.
type signalled struct{ code int }

func (s signalled) Error() string { return "stopped by a signal" }

// Exit returns the exit code of the signal.
func (s signalled) Exit() model.Exit { return model.Exit{Code: s.code} }

// untilSignal returns a context that the first SIGINT, SIGTERM or SIGHUP ends. The second ends
// the process at once, which the database survives. The caller must call stop.
func untilSignal(ctx context.Context) (_ context.Context, stop func()) {
	return until(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
}

// until is untilSignal for these signals.
func until(ctx context.Context, of ...os.Signal) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2) // the first and the second
	signal.Notify(signals, of...)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case s := <-signals:
				code := 143
				if s == os.Interrupt {
					code = 130
				}
				if n > 0 {
					os.Exit(code)
				}
				cancel(signalled{code})
			}
		}
	}()
	return ctx, func() { signal.Stop(signals); close(done); cancel(nil) }
}

// orStopped returns the signal or the --timeout that caused err, or err, which may be nil.
func orStopped(ctx context.Context, err error) error {
	var stopped signalled
	cause := context.Cause(ctx)
	switch {
	case err == nil:
		return nil
	case errors.As(cause, &stopped):
		return stopped
	case errors.Is(cause, errTimeout) && !errors.Is(err, live.ErrUnresponsive):
		return cause
	}
	return err
}
