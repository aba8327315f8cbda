package term

import (
	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/mattn/go-runewidth"
)

// widths follows terminals outside East Asian locales: a character of a box takes one column.
var widths = runewidth.Condition{StrictEmojiNeutral: true}

// joiner combines several emoji into one.
const joiner = '\u200d'

// Width returns the number of terminal columns that a text takes. Terminals disagree about some
// emoji: for those with a skin tone, which some draw as two, it returns the larger number.
func Width(s string) int {
	if isASCII(s) {
		return len(s)
	}
	n := 0
	for clusters := graphemes.FromString(s); clusters.Next(); {
		n += clusterWidth(clusters.Value())
	}
	return n
}

// clusterWidth returns the columns of a character with its combining characters.
func clusterWidth(cluster string) int {
	n, joined := 0, false
	for _, r := range cluster {
		if !joined {
			n += widths.RuneWidth(r)
		}
		joined = r == joiner
	}
	return max(n, widths.StringWidth(cluster))
}

// Shorten returns a text that takes at most that many columns: s, or its beginning and "…". It does
// not separate a character from its combining characters.
func Shorten(s string, columns int) string {
	if len(s) <= columns || Width(s) <= columns {
		return s
	}
	if columns < 1 {
		return ""
	}
	return s[:fitting(s, columns-1)] + "…"
}

// ShortenFront is Shorten, but keeps the end of s, after a "…".
func ShortenFront(s string, columns int) string {
	over := Width(s) - columns
	if over <= 0 {
		return s
	}
	if columns < 1 {
		return ""
	}
	from := 0
	for clusters := graphemes.FromString(s); over >= 0 && clusters.Next(); from = clusters.End() { // "…" takes one more
		over -= clusterWidth(clusters.Value())
	}
	return "…" + s[from:]
}

// ShortenMiddle is Shorten, but keeps both ends of s, two thirds of the columns for the beginning. The mark
// between them is "…", or "~" where the terminal does not use UTF-8.
func ShortenMiddle(s string, columns int, utf8 bool) string {
	if Width(s) <= columns {
		return s
	}
	mark := "…"
	if !utf8 {
		mark = "~"
	}
	if columns < 3 {
		return Shorten(s, columns)
	}
	head := s[:fitting(s, (columns-1)*2/3)]
	rest, tail := columns-1-Width(head), s[len(head):]
	over := Width(tail) - rest
	from := 0
	for clusters := graphemes.FromString(tail); over > 0 && clusters.Next(); from = clusters.End() {
		over -= clusterWidth(clusters.Value())
	}
	return head + mark + tail[from:]
}

// fitting returns the length in bytes of the longest beginning of s that takes at most that many
// columns.
func fitting(s string, columns int) int {
	end := 0
	for clusters := graphemes.FromString(s); clusters.Next(); end = clusters.End() {
		if columns -= clusterWidth(clusters.Value()); columns < 0 {
			break
		}
	}
	return end
}

// isASCII reports whether each byte of s takes a column.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
