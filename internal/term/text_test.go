package term_test

import (
	"testing"
	"time"

	"datasync/internal/term"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 400 * time.Microsecond: "0 s", time.Millisecond: "1 ms", 350 * time.Millisecond: "350 ms", 999_600 * time.Microsecond: "1 s",
		1440 * time.Millisecond: "1.4 s", 8 * time.Second: "8 s", 9960 * time.Millisecond: "10 s", 36400 * time.Millisecond: "36 s",
		59700 * time.Millisecond: "1 min", 311 * time.Second: "5 min 11 s", time.Hour - time.Millisecond: "1 h", 3*time.Hour + 5*time.Minute + 20*time.Second: "3 h 5 min",
		48 * time.Hour: "2 d", 98*time.Hour + 10*time.Minute: "4 d 2 h", -90 * time.Second: "-1 min 30 s",
	} {
		if got := term.Duration(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 22_818_816: "22.8 MB", 999_949_999: "999.9 MB", 999_950_000: "1.0 GB", 1 << 62: "4.6 EB",
	} {
		if got := term.Bytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
