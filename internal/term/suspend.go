package term

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// suspensions handles Ctrl-Z (SIGTSTP): the bar must be gone before the shell writes to the terminal. Package
// signal cannot give the signal its default action back, so this handles it until the process ends.
var suspensions struct { //nolint:gochecknoglobals // as the handler of a signal is
	once sync.Once
	mu   sync.Mutex
	bar  *bar // nil if none is shown
}

// clearWhenSuspended erases the bar before the process stops, until letGo is called.
func clearWhenSuspended(b *bar) (letGo func()) {
	if signal.Ignored(syscall.SIGTSTP) {
		return func() {}
	}
	suspensions.once.Do(func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTSTP)
		go suspendAt(signals)
	})
	show := func(b *bar) {
		suspensions.mu.Lock()
		defer suspensions.mu.Unlock()
		suspensions.bar = b
	}
	show(b)
	return func() { show(nil) }
}

// suspendAt stops the process at each signal.
func suspendAt(signals <-chan os.Signal) {
	for range signals {
		suspensions.mu.Lock()
		if b := suspensions.bar; b != nil {
			b.suspend()
		} else {
			stopSelf()
		}
		suspensions.mu.Unlock()
	}
}
