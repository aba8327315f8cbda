package chart

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// labelCells is the length of a label in a drawing. The table has the whole text.
const labelCells = 33

// Label is text from an event as a drawing shows it: visible, and cut in the middle to 33 characters (wide
// ones count two). Its end stays, because paths and names differ there.
func Label(s string) string {
	if s == "" {
		return "(empty text)"
	}
	return cut(Visible(s), labelCells, func(s string) float64 { return float64(cellsOf(s)) })
}

// Fit is a label that also takes at most the given units.
func Fit(s string, units float64) string { return cut(Label(s), units, Width) }

// FitBold is [Fit] for bold text.
func FitBold(s string, units float64) string { return cut(Label(s), units, BoldWidth) }

// cut keeps two thirds of the room for the start and the rest for the end, with an ellipsis between them. It
// never cuts an escape of [Visible], and leaves a mark with its character.
func cut(s string, room float64, size func(string) float64) string {
	if size(s) <= room {
		return s
	}
	parts := pieces(s)
	rest := room - size("…")
	var head, tail string
	i, j := 0, len(parts)
	for i < j && size(head+parts[i]) <= rest*2/3 {
		head += parts[i]
		i++
	}
	for j > i && size(head+parts[j-1]+tail) <= rest {
		j--
		tail = parts[j] + tail
	}
	return head + "…" + tail
}

// pieces splits visible text where it may be cut.
func pieces(s string) []string {
	var parts []string
	for len(s) > 0 {
		n := escapeLen(s)
		if n == 0 {
			_, n = utf8.DecodeRuneInString(s)
			for n < len(s) {
				r, size := utf8.DecodeRuneInString(s[n:])
				if !isMark(r) {
					break
				}
				n += size
			}
		}
		parts = append(parts, s[:n])
		s = s[n:]
	}
	return parts
}

// escapeLen is the length of the escape with which s begins, or 0.
func escapeLen(s string) int {
	for _, e := range []struct {
		prefix string
		digits int
	}{{`\u`, 4}, {`\U`, 8}, {`\x`, 2}} {
		n := len(e.prefix) + e.digits
		if strings.HasPrefix(s, e.prefix) && len(s) >= n && strings.Trim(s[2:n], "0123456789abcdef") == "" {
			return n
		}
	}
	return 0
}

// Visible is text with an escape for each character that cannot be seen or changes the order of others.
// These are control, format, bidirectional and zero-width characters, line ends, and marks that pile up.
// Spaces are escaped, except single ones inside. A byte that is no UTF-8 is \x and two digits.
func Visible(s string) string {
	var b strings.Builder
	marks := 0
	space := true // the first character counts as if a space were before it
	for i, n := 0, 0; i < len(s); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
			space, marks = false, 0
			continue
		}
		if isMark(r) {
			marks++
		} else {
			marks = 0
		}
		hidden := unseen(r) || marks > 2 || marks > 0 && space || r == ' ' && (space || i+n == len(s))
		switch {
		case !hidden:
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		space = r == ' ' && !hidden
	}
	return b.String()
}

// unseen says whether a character has no ink of its own, or acts on its neighbours.
func unseen(r rune) bool {
	switch {
	case r == ' ':
		return false
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef: // variation selectors
		return true
	case r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r == 0x2800, r == 0x034f, r == 0x17b4, r == 0x17b5: // blank letters
		return true
	}
	// unicode.IsPrint is false for control, format, surrogate, private and unassigned characters, and
	// for all spaces except U+0020.
	return !unicode.IsPrint(r)
}
