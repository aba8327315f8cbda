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

func TestShortenMiddle(t *testing.T) {
	for _, tc := range []struct {
		text    string
		columns int
		utf8    bool
		want    string
	}{
		{"/home", 5, true, "/home"}, {"/products/espresso", 9, true, "/prod…sso"}, {"/products/espresso", 9, false, "/prod~sso"},
		{"移动设备手机", 7, true, "移动…机"}, {"移动设备手机", 6, true, "移…机"}, {"abcdef", 3, true, "a…f"}, {"abcdef", 2, true, "a…"}, {"abcdef", 0, true, ""},
	} {
		got := term.ShortenMiddle(tc.text, tc.columns, tc.utf8)
		if got != tc.want || term.Width(got) > max(tc.columns, 0) {
			t.Errorf("%q in %d columns: %q", tc.text, tc.columns, got)
		}
	}
}

// TestBlocks: a bar has its share of the columns, to an eighth, and more than nothing is seen.
func TestBlocks(t *testing.T) {
	for _, tc := range []struct {
		share   float64
		columns int
		utf8    bool
		want    string
	}{
		{1, 3, true, "███"}, {0.5, 3, true, "█▌"}, {0, 3, true, ""}, {1e-9, 3, true, "▏"}, {2, 3, true, "███"}, {0.999, 3, true, "███"},
		{1, 3, false, "###"}, {0.5, 4, false, "##"}, {1e-9, 3, false, "#"}, {0, 3, false, ""}, {1, 0, true, ""}, {-1, 3, true, ""},
	} {
		if got := term.Blocks(tc.share, tc.columns, tc.utf8); got != tc.want {
			t.Errorf("%g of %d columns: %q, want %q", tc.share, tc.columns, got, tc.want)
		}
	}
}
