package app

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// TestSecondSignals says which signals after a first one end the process at once.
func TestSecondSignals(t *testing.T) {
	const terminated, hung = syscall.SIGTERM, syscall.SIGHUP
	for _, tc := range []struct {
		name          string
		first, second os.Signal
		after         time.Duration
		typed         bool
		want          bool
	}{
		{"SIGTERM delivered twice", terminated, terminated, 0, false, false},
		{"SIGTERM delivered twice, in a terminal", terminated, terminated, time.Millisecond, true, false},
		{"SIGTERM within a second", terminated, terminated, time.Second, false, false},
		{"SIGTERM later", terminated, terminated, time.Second + time.Millisecond, false, true},
		{"SIGTERM and SIGHUP", terminated, hung, time.Millisecond, false, false},
		{"SIGHUP and SIGTERM later", hung, terminated, 2 * time.Second, false, true},
		{"SIGINT delivered twice", os.Interrupt, os.Interrupt, time.Millisecond, false, false},
		{"SIGINT later", os.Interrupt, os.Interrupt, 2 * time.Second, false, true},
		{"Ctrl-C twice", os.Interrupt, os.Interrupt, time.Microsecond, true, true},
		{"SIGTERM, then SIGINT", terminated, os.Interrupt, time.Millisecond, false, true},
		{"SIGINT, then SIGTERM", os.Interrupt, terminated, time.Millisecond, false, true},
	} {
		now := time.Now()
		f := firstSignal{typed: func() bool { return tc.typed }}
		if f.endsAtOnce(tc.first, now) {
			t.Errorf("%s: the first one ends it at once", tc.name)
		}
		if got := f.endsAtOnce(tc.second, now.Add(tc.after)); got != tc.want {
			t.Errorf("%s: ends at once %v, want %v", tc.name, got, tc.want)
		}
	}
}
