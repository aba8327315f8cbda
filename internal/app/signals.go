package app

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"datasync/internal/live"
	"datasync/internal/model"
	"datasync/internal/term"

	"golang.org/x/sys/unix"
)

// errTimeout: a query took longer than --timeout.
var errTimeout = errors.New("the query took too long")

// signalled is the error of a command that a signal ended.
type signalled struct{ signal syscall.Signal }

func (s signalled) Error() string { return "stopped by " + unix.SignalName(s.signal) }

// Exit returns the exit code of the signal.
func (s signalled) Exit() model.Exit {
	if s.signal == syscall.SIGINT {
		return model.Exit{Code: 130}
	}
	return model.Exit{Code: 143}
}

// untilSignal returns a context that the first SIGINT, SIGTERM or SIGHUP ends. The second ends
// the process at once, which the database survives. The caller must call stop.
func untilSignal(ctx context.Context) (_ context.Context, stop func()) {
	return until(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
}

// until is untilSignal for these signals.
func until(ctx context.Context, of ...os.Signal) (_ context.Context, stop func()) {
	return untilQuit(ctx, func() {}, of...)
}

// untilQuit is until, and calls quitting before the second signal ends the process.
func untilQuit(ctx context.Context, quitting func(), of ...os.Signal) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2) // the first and the second
	signal.Notify(signals, of...)
	done := make(chan struct{})
	go func() {
		first := firstSignal{typed: term.IO{Stdin: os.Stdin}.Typed}
		for {
			select {
			case <-done:
				return
			case s := <-signals:
				stopped := signalled{s.(syscall.Signal)}
				if first.endsAtOnce(s, time.Now()) {
					quitting()
					os.Exit(stopped.Exit().Code)
				}
				cancel(stopped)
			}
		}
	}()
	return ctx, func() {
		if errors.As(context.Cause(ctx), new(signalled)) {
			// Before the process ends, it must still say how it was stopped. Uncaught, a second
			// signal of the same kind would kill it.
			return
		}
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// sameWithin is the time within which another signal of the same kind counts as the same signal.
const sameWithin = time.Second

// firstSignal distinguishes a second signal from one that is delivered twice. The command timeout sends SIGTERM
// to its command and then to the command's group. systemd may send SIGTERM and SIGHUP. A shell forwards a SIGHUP
// that the terminal sends too. Keys are not delivered twice: a second Ctrl-C is intended.
type firstSignal struct {
	typed  func() bool // a SIGINT may come from a key
	signal os.Signal   // nil before the first
	at     time.Time
}

// endsAtOnce records a signal and reports whether it is a second one.
func (f *firstSignal) endsAtOnce(s os.Signal, at time.Time) bool {
	if f.signal == nil {
		f.signal, f.at = s, at
		return false
	}
	interrupts := s == os.Interrupt
	if interrupts != (f.signal == os.Interrupt) || at.Sub(f.at) > sameWithin {
		return true
	}
	return interrupts && f.typed()
}

// onSignal calls do when a signal ends ctx. The caller must call settle once: afterwards do has returned or is never
// called.
func onSignal(ctx context.Context, do func(signalled)) (settle func()) {
	returned := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(returned)
		var stopped signalled
		if errors.As(context.Cause(ctx), &stopped) {
			do(stopped)
		}
	})
	return func() {
		if !stop() {
			<-returned
		}
	}
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
