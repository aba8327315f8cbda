package decode

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The functions of this file require text that the scanner has accepted.

// unquote decodes the text between the quotes of a string, as encoding/json does: invalid UTF-8 and lone
// surrogates become U+FFFD. The result shares the memory of raw if nothing needs decoding.
func unquote(raw string, seen scanFlags) string {
	if seen&flagEscape == 0 {
		if seen&flagNonASCII == 0 {
			return raw
		}
		return validUTF8(raw)
	}
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			end := i + 1
			for end < len(raw) && raw[end] != '\\' {
				end++
			}
			writeValidUTF8(&b, raw[i:end])
			i = end
			continue
		}
		if raw[i+1] != 'u' {
			b.WriteByte(unescaped(raw[i+1]))
			i += 2
			continue
		}
		r, size := escapedRune(raw[i:])
		b.WriteRune(r)
		i += size
	}
	return b.String()
}

// unescaped returns the character of a backslash and c (RFC 8259, section 7).
func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// escapedRune decodes the \u escape at the beginning of text, or a surrogate pair of them. It returns
// the length in bytes. A lone surrogate is U+FFFD of one escape.
func escapedRune(text string) (rune, int) {
	r := hexRune(text[2:6])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(text) >= 12 && text[6] == '\\' && text[7] == 'u' {
		if pair := utf16.DecodeRune(r, hexRune(text[8:12])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

func hexRune(digits string) rune {
	var r rune
	for i := range len(digits) {
		r = r<<4 | rune(hexDigit(digits[i]))
	}
	return r
}

// isLossless reports whether text can be stored as it is: valid UTF-8 without escapes of lone surrogates,
// which UTF-8 cannot represent.
func isLossless(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 {
			return true
		}
		size := 2
		if text[i+1] == 'u' {
			var r rune
			if r, size = escapedRune(text[i:]); r == utf8.RuneError && utf16.IsSurrogate(hexRune(text[i+2:i+6])) {
				return false
			}
		}
		text = text[i+size:]
	}
}

// visibleBytes returns text with each byte of invalid UTF-8 written as \xff, which has no other meaning in
// JSON.
func visibleBytes(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	b.Grow(len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 {
			b.WriteString(`\x`)
			b.WriteByte(hex[text[0]>>4])
			b.WriteByte(hex[text[0]&0xf])
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

// validUTF8 returns text with each byte of invalid UTF-8 replaced by U+FFFD.
func validUTF8(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 2*utf8.UTFMax)
	writeValidUTF8(&b, text)
	return b.String()
}

func writeValidUTF8(b *strings.Builder, text string) {
	if utf8.ValidString(text) {
		b.WriteString(text)
		return
	}
	for _, r := range text { // yields U+FFFD for each such byte
		b.WriteRune(r)
	}
}

// minify returns a value without white space outside its strings. Everything else stays, except for text
// that other readers of JSON refuse: escapes of lone surrogates become \ufffd, and bytes of invalid
// UTF-8 become U+FFFD.
func minify(raw string, seen scanFlags) string {
	if seen&(flagSpace|flagEscape) == 0 {
		if seen&flagNonASCII == 0 {
			return raw
		}
		return validUTF8(raw)
	}
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case isSpace(c):
			i++
		case c == '"':
			i = minifyString(&b, raw, i)
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// minifyString writes the string whose opening quote is at i, and returns the offset after it.
func minifyString(b *strings.Builder, raw string, i int) int {
	start := i // of the text that is not written yet
	for i++; raw[i] != '"'; {
		if raw[i] != '\\' {
			i++
			continue
		}
		if raw[i+1] != 'u' {
			i += 2
			continue
		}
		_, size := escapedRune(raw[i:])
		if size == 6 && utf16.IsSurrogate(hexRune(raw[i+2:i+6])) {
			writeValidUTF8(b, raw[start:i])
			b.WriteString(`\ufffd`)
			start = i + size
		}
		i += size
	}
	writeValidUTF8(b, raw[start:i+1])
	return i + 1
}

// appendQuoted appends text as a JSON string, in the form that encoding/json writes without HTML escapes:
// the shortest escapes of quotes, backslashes and control characters, and of U+2028 and U+2029, which
// are line ends in JavaScript. The text must be valid UTF-8.
func appendQuoted(b []byte, text string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\b':
			b = append(b, `\b`...)
		case r == '\f':
			b = append(b, `\f`...)
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < 0x20:
			b = append(b, `\u00`...)
			b = append(b, hex[r>>4], hex[r&0xf])
		case r == '\u2028' || r == '\u2029':
			b = append(b, `\u202`...)
			b = append(b, hex[r&0xf])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
