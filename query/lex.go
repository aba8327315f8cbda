package query

import (
	"strings"
	"unicode/utf8"
)

// part is the kind of a piece of SQL.
type part int

const (
	other     part = iota
	blank          // white space and comments
	semicolon      // between statements
	parameter      // $name
	open           // a string, name or comment without an end
)

// lex calls yield for each piece of the text, in order. It follows the quoting rules of
// DuckDB's scanner, which is PostgreSQL's.
func lex(text string, yield func(p part, from, to int)) {
	for at := 0; at < len(text); {
		p, length := piece(text[at:])
		yield(p, at, at+length)
		at += length
	}
}

// piece returns the kind and the length in bytes of the first piece of the text.
func piece(text string) (part, int) {
	c := text[0]
	switch {
	case c == ';':
		return semicolon, 1
	case spaceLength(text) > 0:
		return blank, spaceLength(text)
	case strings.HasPrefix(text, "--"):
		if end := strings.IndexAny(text, "\r\n"); end >= 0 {
			return blank, end
		}
		return blank, len(text)
	case strings.HasPrefix(text, "/*"):
		return comment(text)
	case c == '\'':
		return quoted(text, 0, false)
	case c == '"':
		return quoted(text, 0, false)
	case (c == 'e' || c == 'E') && strings.HasPrefix(text[1:], "'"):
		return quoted(text, 1, true)
	case c == '$':
		return dollar(text)
	case inName(c) && (c < '0' || c > '9'):
		return other, nameLength(text, true)
	}
	return other, 1
}

// space is the white space that DuckDB accepts, which includes that of Unicode.
const space = " \t\r\n\f\v\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u202f\u205f\u2060\u3000\ufeff"

// spaceLength returns the length in bytes of the white-space character at the beginning of the
// text, or 0.
func spaceLength(text string) int {
	if r, size := utf8.DecodeRuneInString(text); strings.ContainsRune(space, r) && r != utf8.RuneError {
		return size
	}
	return 0
}

// comment returns the length of /* ... */. Comments may be nested.
func comment(text string) (part, int) {
	depth := 0
	for at := 0; at+1 < len(text); {
		switch text[at : at+2] {
		case "/*":
			depth, at = depth+1, at+2
		case "*/":
			if depth, at = depth-1, at+2; depth == 0 {
				return blank, at
			}
		default:
			at++
		}
	}
	return open, len(text)
}

// quoted returns the length of a text in the quotes at begin. A doubled quote belongs to the
// text, as does an escaped one if the text has backslash escapes.
func quoted(text string, begin int, escapes bool) (part, int) {
	quote := text[begin]
	for at := begin + 1; at < len(text); at++ {
		switch {
		case escapes && text[at] == '\\':
			at++
		case text[at] != quote:
		case at+1 < len(text) && text[at+1] == quote:
			at++
		default:
			return other, at + 1
		}
	}
	return open, len(text)
}

// dollar returns the length of $name, or of a text between $tag$ and $tag$.
func dollar(text string) (part, int) {
	length := 1 + nameLength(text[1:], false)
	if digits := length > 1 && text[1] >= '0' && text[1] <= '9'; !digits && strings.HasPrefix(text[length:], "$") {
		tag := text[:length+1]
		if end := strings.Index(text[len(tag):], tag); end >= 0 {
			return other, len(tag) + end + len(tag)
		}
		return open, len(text)
	}
	if length == 1 {
		return other, 1
	}
	return parameter, length
}

// nameLength returns the length of the name at the beginning of the text. A name may contain $,
// but not begin with it.
func nameLength(text string, dollars bool) int {
	for at := range len(text) {
		if c := text[at]; !inName(c) && (!dollars || c != '$') || c >= utf8.RuneSelf && spaceLength(text[at:]) > 0 {
			return at
		}
	}
	return len(text)
}

func inName(c byte) bool {
	return c == '_' || c >= utf8.RuneSelf || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// Split returns the statements of the text without their semicolons. It omits statements of
// white space and comments alone. whole reports whether the last statement ends with a semicolon,
// or there is none.
func Split(text string) (statements []string, whole bool) {
	begin, something, unfinished := 0, false, false
	lex(text, func(p part, from, to int) {
		switch p {
		case blank:
		case semicolon:
			if something {
				statements = append(statements, strings.Trim(text[begin:from], space))
			}
			begin, something = to, false
		case open:
			something, unfinished = true, true
		default:
			something = true
		}
	})
	if something {
		statements = append(statements, strings.Trim(text[begin:], space))
	}
	return statements, !something && !unfinished
}

// replaceParameters replaces each $name by the result of replacement.
func replaceParameters(text string, replacement func(name string) string) string {
	var b strings.Builder
	lex(text, func(p part, from, to int) {
		if p == parameter {
			b.WriteString(replacement(text[from+1 : to]))
			return
		}
		b.WriteString(text[from:to])
	})
	return b.String()
}
