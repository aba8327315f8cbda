package query

import (
	"bufio"
	"datasync/internal/term"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonSink writes rows as JSON objects. Numbers and JSON values are copied, all other values
// are strings. NaN and the infinities are strings too, as JSON has no numbers for them.
type jsonSink struct {
	w       *bufio.Writer
	columns []column
	names   [][]byte // with the colon
	frame   jsonFrame
	rows    int
	buffer  []byte
}

// jsonFrame is the text around the objects.
type jsonFrame struct {
	first, next string // before the first object, and before each further one
	after       string // each object
	end         string // after the last object
	empty       string // for no objects
}

// newJSONSink returns a sink that writes one array.
func newJSONSink(w io.Writer, columns []column) *jsonSink {
	return newFramedSink(w, columns, jsonFrame{first: "[\n", next: ",\n", end: "\n]\n", empty: "[]\n"})
}

// newJSONLinesSink returns a sink that writes one object per line.
func newJSONLinesSink(w io.Writer, columns []column) *jsonSink {
	return newFramedSink(w, columns, jsonFrame{after: "\n"})
}

// newFramedSink makes the names of columns unique, as readers keep one of equal members.
func newFramedSink(w io.Writer, columns []column, frame jsonFrame) *jsonSink {
	s := &jsonSink{w: bufio.NewWriterSize(w, bufferSize), columns: columns, frame: frame}
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
	before := s.frame.next
	if s.rows == 0 {
		before = s.frame.first
	}
	s.rows++
	b := append(s.buffer[:0], before...)
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
	b = append(append(b, '}'), s.frame.after...)
	s.buffer = b
	_, err := s.w.Write(b)
	return err
}

// long writes a long value piece by piece, so that no escaped copy of the whole is in memory. It
// overwrites b.
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
	last := s.frame.end
	if s.rows == 0 {
		last = s.frame.empty
	}
	_, _ = s.w.WriteString(last)
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

// isNumber reports whether DuckDB's text of a number is a number in JSON.
func isNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && digits[0] >= '0' && digits[0] <= '9'
}

// appendRaw appends JSON on one line, with characters escaped that a terminal would obey.
func appendRaw(b []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b = append(b, ' ') // it is between values: strings have it escaped
		case term.Hidden(r):
			b = appendEscaped(b, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// appendQuoted appends text as a JSON string, with characters escaped that a terminal would
// obey.
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
