package query

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"datasync/internal/term"
)

// jsonSink writes an array of objects, or an object per line. Numbers, booleans and JSON are
// written as JSON, all else as strings. NaN and the infinities are strings, because JSON has no
// numbers for them.
type jsonSink struct {
	w       *bufio.Writer
	columns []column
	names   [][]byte // with the colon
	lines   bool
	rows    int
	buffer  []byte
}

func newJSONSink(w io.Writer, columns []column, f Format) *jsonSink {
	s := &jsonSink{w: bufio.NewWriterSize(w, bufferSize), columns: columns, lines: f == JSONLines}
	taken := map[string]bool{}
	for _, c := range columns {
		name := c.name
		for n := 1; taken[name]; n++ {
			name = fmt.Sprintf("%s_%d", c.name, n)
		}
		taken[name] = true
		s.names = append(s.names, append(appendQuoted(nil, name), ':'))
	}
	return s
}

func (s *jsonSink) row(cells []cell) error {
	b := s.buffer[:0]
	switch {
	case s.lines:
	case s.rows == 0:
		b = append(b, "[\n"...)
	default:
		b = append(b, ",\n"...)
	}
	s.rows++
	b = append(b, '{')
	for i, c := range cells {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, s.names[i]...)
		if len(c.text) > pieceSize {
			_, _ = s.w.Write(b)
			b = s.long(b[:0], c.text, s.columns[i].kind)
			continue
		}
		b = appendJSON(b, c, s.columns[i].kind)
	}
	b = append(b, '}')
	if s.lines {
		b = append(b, '\n')
	}
	s.buffer = b
	_, err := s.w.Write(b)
	return err
}

// long writes a long value in pieces, without a copy of it. It may use the memory of b.
func (s *jsonSink) long(b []byte, text string, k kind) []byte {
	escape, quote := appendUnquoted, `"`
	switch {
	case k == kindNumber && isNumber(text):
		escape, quote = func(b []byte, piece string) []byte { return append(b, piece...) }, ""
	case (k == kindJSON || k == kindNested) && json.Valid([]byte(text)):
		escape, quote = appendRaw, ""
	}
	_, _ = s.w.WriteString(quote)
	for piece := range pieces(text) {
		b = escape(b[:0], piece)
		_, _ = s.w.Write(b)
	}
	_, _ = s.w.WriteString(quote)
	return b[:0]
}

func (s *jsonSink) end() error {
	switch {
	case s.lines:
	case s.rows == 0:
		_, _ = s.w.WriteString("[]\n")
	default:
		_, _ = s.w.WriteString("\n]\n")
	}
	return s.w.Flush()
}

func appendJSON(b []byte, c cell, k kind) []byte {
	switch {
	case !c.ok:
		return append(b, "null"...)
	case k == kindBoolean, k == kindNumber && isNumber(c.text):
		return append(b, c.text...)
	case (k == kindJSON || k == kindNested) && json.Valid([]byte(c.text)):
		return appendRaw(b, c.text)
	}
	return appendQuoted(b, c.text)
}

// isNumber reports whether a number of DuckDB is a number of JSON.
func isNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && digits[0] >= '0' && digits[0] <= '9'
}

// appendRaw appends JSON on one line.
func appendRaw(b []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b = append(b, ' ') // between values; within strings they are escaped
		case term.Hidden(r):
			b = appendEscaped(b, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// appendQuoted appends text as a JSON string, with characters that could control a terminal
// escaped.
func appendQuoted(b []byte, text string) []byte {
	return append(appendUnquoted(append(b, '"'), text), '"')
}

// appendUnquoted is appendQuoted without the quotes.
func appendUnquoted(b []byte, text string) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c >= ' ' && c < 0x7f {
			if c == '"' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch {
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\r':
			b = append(b, `\r`...)
		case term.Hidden(r):
			b = appendEscaped(b, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

func appendEscaped(b []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}
