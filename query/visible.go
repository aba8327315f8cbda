package query

import (
	"fmt"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns text with every character escaped that could move a terminal's
// cursor, turn the direction of writing or break a line, and every byte that is no UTF-8:
// some terminals take those for control characters.
func Visible(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		c := s[i]
		i += size
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, c)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case hidden(r) && r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case hidden(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// pieceSize is how many bytes of a long text are escaped at a time: what they become can be
// several times as long.
const pieceSize = 32 << 10

// pieces yields the parts of a text, none of which ends within a character.
func pieces(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(s) > pieceSize {
			at := boundary(s, pieceSize)
			if !yield(s[:at]) {
				return
			}
			s = s[at:]
		}
		yield(s)
	}
}

// boundary returns where to cut a text that is longer than most bytes, in front of a character.
func boundary(s string, most int) int {
	for at := most; at > most-utf8.UTFMax; at-- {
		if utf8.RuneStart(s[at]) {
			return at
		}
	}
	return most // it is no UTF-8
}

func hidden(r rune) bool {
	switch {
	case r >= ' ' && r < 0x7f:
		return false
	case r == '\u200d': // joins emoji
		return false
	}
	return unicode.Is(unicode.C, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}
