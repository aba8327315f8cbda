package term_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"datasync/internal/term"
)

func TestVisible(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"visible characters", "Grüße, 世界 👩‍👩‍👧 \\ é", "Grüße, 世界 👩‍👩‍👧 \\ é"},
		{"line ends and tabs", "a\r\nb\tc", `a\r\nb\tc`},
		{"clearing the screen", "\x1b[2J", `\x1b[2J`},
		{"writing the clipboard", "\x1b]52;c;ZQ==\a", `\x1b]52;c;ZQ==\x07`},
		{"backspaces", "good\b\b\b\bevil\x7f", `good\x08\x08\x08\x08evil\x7f`},
		{"a control sequence in one character", "\u009b31m", `\x9b31m`},
		{"a control sequence in one byte", "\x9b31m", `\x9b31m`},
		{"an incomplete character", "a\xe4\xb8", `a\xe4\xb8`},
		{"an overlong escape", "\xc0\x9b", `\xc0\x9b`},
		{"the replacement character", "\ufffd", "\ufffd"},
		{"writing from right to left", "\u202egpj.exe", `\u{202e}gpj.exe`},
		{"tags", "a\U000e0041", `a\u{e0041}`},
	} {
		if got := term.Visible(tc.text); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// moves reports whether a character could control a terminal. It lists code points, because the
// program uses Unicode's tables.
func moves(r rune) bool {
	for _, span := range [][2]rune{
		{0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c}, {0x180e, 0x180e}, {0x200b, 0x200c}, {0x200e, 0x200f}, {0x2028, 0x202e},
		{0x2060, 0x2064}, {0x2066, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
	} {
		if r >= span[0] && r <= span[1] {
			return true
		}
	}
	return false
}

// FuzzVisible: a terminal shows any text on one line, and visible characters stay as they are
// and in their order.
func FuzzVisible(f *testing.F) {
	f.Add("a\nb")
	f.Fuzz(func(t *testing.T, text string) {
		got := term.Visible(text)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, moves) {
			t.Fatalf("%q became %q", text, got)
		}
		if again := term.Visible(got); again != got {
			t.Errorf("%q became %q and then %q", text, got, again)
		}
		rest, plain := got, true
		for at, r := range text {
			if moves(r) || r == utf8.RuneError && !strings.HasPrefix(text[at:], "\ufffd") {
				plain = false
				continue
			}
			if r > 0x7e { // the program may escape it
				continue
			}
			next := strings.IndexRune(rest, r)
			if next < 0 {
				t.Fatalf("%q lost its %q: %q", text, r, got)
			}
			rest = rest[next+1:]
		}
		if ascii := !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7e }); plain && ascii && got != text {
			t.Errorf("%q became %q without need", text, got)
		}
	})
}
