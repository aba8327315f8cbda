package api

import (
	"errors"
	"io"
	"time"

	"datasync/internal/failpoint"
)

const (
	// headerLimit bounds the time until the headers of an answer, idleLimit the time without a
	// byte of its body. After the first minute, a body must bring minBytesPerSecond.
	headerLimit       = 90 * time.Second
	idleLimit         = 30 * time.Second
	minBytesPerSecond = 1 << 10
)

// watchdog reads the body of an answer. It expires if the answer does not begin, pauses for too
// long, or arrives too slowly.
type watchdog struct {
	io.Reader
	timer *time.Timer
	// heard is called whenever bytes arrive.
	heard func()
	// began is when the request was sent, and later when the body began.
	began   time.Time
	reading bool
	bytes   int64
	// failed says that the last read ended with an error other than io.EOF.
	failed bool
}

// newWatchdog starts a watchdog that calls expired with the time since the request or the body
// began, and heard whenever bytes arrive.
func newWatchdog(heard func(), expired func(after time.Duration)) *watchdog {
	w := &watchdog{began: time.Now(), heard: heard}
	w.timer = time.AfterFunc(headerLimit, func() { expired(time.Since(w.began).Round(time.Second)) })
	return w
}

func (w *watchdog) stop() { w.timer.Stop() }

// Read reads from the body and resets the timer.
func (w *watchdog) Read(p []byte) (int, error) {
	if !w.reading {
		w.reading, w.began = true, time.Now()
		w.timer.Reset(idleLimit)
	}
	n, err := w.Reader.Read(p)
	failpoint.Hit("f3")
	if n > 0 {
		w.heard()
		w.bytes += int64(n)
		due := time.Minute + time.Duration(w.bytes/minBytesPerSecond)*time.Second
		w.timer.Reset(min(idleLimit, due-time.Since(w.began)))
	}
	w.failed = err != nil && !errors.Is(err, io.EOF)
	return n, err
}
