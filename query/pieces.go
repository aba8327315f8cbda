package query

import (
	"iter"
	"unicode/utf8"
)

// pieceSize is how many bytes of a long text are escaped at a time. The escaped text can be
// several times as long.
const pieceSize = 32 << 10

// pieces splits a text into parts of about pieceSize bytes, between characters.
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

// boundary returns the index of the last character that begins at or before most. The text
// must be longer than most bytes.
func boundary(s string, most int) int {
	for at := most; at > most-utf8.UTFMax; at-- {
		if utf8.RuneStart(s[at]) {
			return at
		}
	}
	return most // not UTF-8
}
