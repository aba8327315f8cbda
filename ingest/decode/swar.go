package decode

import "math/bits"

// Most strings are simple: ASCII without escapes or control characters, which need neither decoding nor
// a flag. This file finds their ends in words of eight bytes (SIMD within a register).

const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// word returns the eight bytes at i, the first one lowest.
func word(text string, i int) uint64 {
	s := text[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// special sets the high bit of the first byte of x that is not simple (a quote is not). The high bits of
// later bytes are undefined.
func special(x uint64) uint64 {
	quote, escape := x^'"'*eachByte, x^'\\'*eachByte
	// A subtraction sets the high bit of a byte that is too small, or leaves a set one. A borrow
	// only comes from a byte that is not simple itself.
	return (x | (x - 0x20*eachByte) | (quote - eachByte) | (escape - eachByte)) & highBits
}

// skipSimple returns the offset of the first byte from i on that is not simple, or how far it has looked:
// it leaves the last bytes of the text to the caller.
func skipSimple(text string, i int) int {
	// Two words at once: the length of a short string makes a branch hard to predict.
	for ; len(text)-i >= 16; i += 16 {
		first, second := special(word(text, i)), special(word(text, i+8))
		n := bits.TrailingZeros64(first)
		if first == 0 {
			n += bits.TrailingZeros64(second)
		}
		if n < 128 {
			return i + n/8
		}
	}
	return i
}

// simpleStringEnd returns the offset of the quote that ends the string from i on, or stopped if the string
// is not simple.
func simpleStringEnd(text string, i int) int {
	if i = skipSimple(text, i); i < len(text) && text[i] == '"' {
		return i
	}
	return stopped
}

// simpleObjectEnd returns the offset after the object at i, or stopped if it has anything but simple strings
// and whole numbers, without white space.
func simpleObjectEnd(text string, i int) int {
	if !hasAt(text, i, `{"`) {
		return stopped
	}
	for i++; ; i++ {
		if i = simpleStringEnd(text, i+1); i == stopped || !hasAt(text, i, `":`) {
			return stopped
		}
		i += len(`":`)
		if hasAt(text, i, `"`) {
			if i = simpleStringEnd(text, i+1); i == stopped {
				return stopped
			}
			i++
		} else if i = wholeNumber(text, i); i == stopped {
			return stopped
		}
		if hasAt(text, i, "}") {
			return i + 1
		}
		if !hasAt(text, i, `,"`) {
			return stopped
		}
	}
}

// wholeNumber returns the offset after the digits at i, or stopped if there are none or the first is a zero.
func wholeNumber(text string, i int) int {
	if hasAt(text, i, "0") {
		return stopped
	}
	start := i
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	if i == start {
		return stopped
	}
	return i
}

// hasAt reports whether the text at i begins with what.
func hasAt(text string, i int, what string) bool {
	return len(text)-i >= len(what) && text[i:i+len(what)] == what
}
