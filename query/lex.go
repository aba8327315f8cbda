package query

import (
	"strings"
	"unicode/utf8"
)

// token is the kind of a piece of SQL, as far as it matters here.
type token int

const (
	other     token = iota
	blank           // white space or a comment
	semicolon       // between statements
	parameter       // $name
	open            // a string, name or comment without an end
)

// lex calls yield for each token of the text, in order. It knows quotes and comments as DuckDB's
// scanner does, which is PostgreSQL's. DuckDB's own duckdb_extract_statements cannot replace it:
// it fails for text that is not complete yet, and returns neither text nor positions.
func lex(text string, yield func(t token, from, to int)) {
	for at := 0; at < len(text); {
		t, length := scan(text[at:])
		yield(t, at, at+length)
		at += length
	}
}

// scan returns the first token of a text and its length in bytes.
func scan(text string) (token, int) {
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
	case c == '\'', c == '"':
		return quoted(text)
	case (c == 'e' || c == 'E') && strings.HasPrefix(text[1:], "'"):
		return escapeString(text)
	case c == '$':
		return dollar(text)
	case inName(c) && (c < '0' || c > '9'):
		return other, nameLength(text, func(c byte) bool { return inName(c) || c == '$' })
	}
	return other, 1
}

// space is the characters that DuckDB takes for white space, such as those of pasted text.
const space = " \t\r\n\f\v\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u202f\u205f\u2060\u3000\ufeff"

// spaceLength returns the length in bytes of the first character if that is white space, else 0.
func spaceLength(text string) int {
	if r, size := utf8.DecodeRuneInString(text); strings.ContainsRune(space, r) && r != utf8.RuneError {
		return size
	}
	return 0
}

// comment scans /* ... */, which can be nested.
func comment(text string) (token, int) {
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

// quoted scans a string or name, in which its quote is doubled.
func quoted(text string) (token, int) {
	quote := text[0]
	for at := 1; at < len(text); at++ {
		switch {
		case text[at] != quote:
		case at+1 < len(text) && text[at+1] == quote:
			at++
		default:
			return other, at + 1
		}
	}
	return open, len(text)
}

// escapeString scans E'...', in which a quote is doubled or has a backslash before it.
func escapeString(text string) (token, int) {
	for at := 2; at < len(text); at++ {
		switch {
		case text[at] == '\\':
			at++
		case text[at] != '\'':
		case at+1 < len(text) && text[at+1] == '\'':
			at++
		default:
			return other, at + 1
		}
	}
	return open, len(text)
}

// dollar scans $name, or a string between $tag$ and $tag$.
func dollar(text string) (token, int) {
	length := 1 + nameLength(text[1:], inName)
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

// nameLength returns how many bytes at the beginning of a text are of a name.
func nameLength(text string, isOfName func(byte) bool) int {
	for at := range len(text) {
		if c := text[at]; !isOfName(c) || c >= utf8.RuneSelf && spaceLength(text[at:]) > 0 {
			return at
		}
	}
	return len(text)
}

func inName(c byte) bool {
	return c == '_' || c >= utf8.RuneSelf || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// statement is a statement of an SQL text.
type statement struct {
	text string
	all  string // the SQL
	from int    // the byte of all at which text begins
}

// split returns the statements of a text, and whether the text is complete, as Split does.
func split(text string) (statements []statement, whole bool) {
	begin, something, unfinished := 0, false, false
	add := func(end int) {
		if !something {
			return
		}
		from := end - len(strings.TrimLeft(text[begin:end], space))
		statements = append(statements, statement{strings.TrimRight(text[from:end], space), text, from})
	}
	lex(text, func(t token, from, to int) {
		switch t {
		case blank:
		case semicolon:
			add(from)
			begin, something = to, false
		case open:
			something, unfinished = true, true
		default:
			something = true
		}
	})
	add(len(text))
	return statements, !something && !unfinished
}

// Split returns the statements of a text, without semicolons and without those that are only
// white space and comments. It reports whether the text is complete: the last statement ends with a
// semicolon, or there is none.
func Split(text string) (statements []string, whole bool) {
	all, whole := split(text)
	for _, s := range all {
		statements = append(statements, s.text)
	}
	return statements, whole
}

// span is a part of a text that became a part of another text.
type span struct{ from, to, newFrom, newTo int }

// replaceParameters replaces each $name by the replacement of its name, and returns where it did.
func replaceParameters(text string, replacement func(name string) string) (string, []span) {
	var b strings.Builder
	var spans []span
	lex(text, func(t token, from, to int) {
		if t != parameter {
			b.WriteString(text[from:to])
			return
		}
		s := span{from: from, to: to, newFrom: b.Len()}
		b.WriteString(replacement(text[from+1 : to]))
		s.newTo = b.Len()
		spans = append(spans, s)
	})
	return b.String(), spans
}

// plainSpaces replaces each non-ASCII white space by as many spaces as it has bytes. DuckDB replaces
// it by one space, and its positions would refer to that text.
func plainSpaces(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return text
	}
	b := []byte(text)
	lex(text, func(t token, from, to int) {
		if t == blank && text[from] >= utf8.RuneSelf {
			copy(b[from:to], "   ")
		}
	})
	return string(b)
}
