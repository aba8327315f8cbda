package api

import (
	"errors"
	"io"
	"time"

	"datasync/internal/failpoint"
)

// watchdog bites when an answer does not begin, stops, or comes too slowly.
type watchdog struct {
	io.Reader
	timer *time.Timer
	// began is when the request was sent, and then when the body began.
	began   time.Time
	reading bool
	bytes   int64
	// broken says that the body did not come to its end.
	broken bool
}

func newWatchdog(bite func(after time.Duration)) *watchdog {
	w := &watchdog{began: time.Now()}
	w.timer = time.AfterFunc(headerLimit, func() { bite(time.Since(w.began).Round(time.Second)) })
	return w
}

func (w *watchdog) stop() { w.timer.Stop() }

func (w *watchdog) Read(p []byte) (int, error) {
	if !w.reading {
		w.reading, w.began = true, time.Now()
		w.timer.Reset(idleLimit)
	}
	n, err := w.Reader.Read(p)
	failpoint.Hit("f3")
	if n > 0 {
		w.bytes += int64(n)
		due := time.Minute + time.Duration(w.bytes/slowest)*time.Second
		w.timer.Reset(min(idleLimit, due-time.Since(w.began)))
	}
	w.broken = err != nil && !errors.Is(err, io.EOF)
	return n, err
}
