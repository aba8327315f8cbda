package query

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"

	"datasync/internal/term"
)

// bufferSize is the number of bytes that are buffered before they are written.
const bufferSize = 64 << 10

// delimitedSink writes CSV and TSV by RFC 4180, except that lines end with "\n". NULL is an empty
// field and an empty text is "", as in DuckDB.
type delimitedSink struct {
	w         *bufio.Writer
	columns   []column
	delimiter byte
	special   string // a field with one of these must be quoted
	terminal  bool
	safe      bool
}

func newDelimitedSink(w io.Writer, columns []column, delimiter byte, opts *Options) (*delimitedSink, error) {
	s := &delimitedSink{bufio.NewWriterSize(w, bufferSize), columns, delimiter, string(delimiter) + "\"\r\n", opts.Terminal, opts.FormulaSafe}
	for i, c := range columns {
		s.separate(i)
		s.field(c.name, true)
	}
	return s, s.w.WriteByte('\n')
}

func (s *delimitedSink) row(cells []cell) error {
	for i, c := range cells {
		s.separate(i)
		switch {
		case c.ok:
			s.field(c.text, s.columns[i].kind != kindNumber)
		case len(cells) == 1:
			// Most readers skip an empty line.
			_, _ = s.w.WriteString(`""`)
		}
	}
	return s.w.WriteByte('\n') // a bufio.Writer keeps its first error
}

func (s *delimitedSink) separate(i int) {
	if i > 0 {
		_ = s.w.WriteByte(s.delimiter)
	}
}

// field writes a field. Its text may come from an attacker.
func (s *delimitedSink) field(text string, foreign bool) {
	if len(text) > pieceSize {
		s.longField(text, foreign)
		return
	}
	if s.terminal {
		text = term.Visible(text)
	}
	if s.safe && foreign && isFormula(text) {
		text = "'" + text
	}
	if text != "" && !strings.ContainsAny(text, s.special) {
		_, _ = s.w.WriteString(text)
		return
	}
	_ = s.w.WriteByte('"')
	_, _ = s.w.WriteString(strings.ReplaceAll(text, `"`, `""`))
	_ = s.w.WriteByte('"')
}

// longField is field in pieces. It makes no copy of a long text.
func (s *delimitedSink) longField(text string, foreign bool) {
	show := func(piece string) string { return piece }
	if s.terminal {
		show = term.Visible
	}
	quoted := false
	for piece := range pieces(text) {
		quoted = quoted || strings.ContainsAny(show(piece), s.special)
	}
	if quoted {
		_ = s.w.WriteByte('"')
	}
	if _, first := utf8.DecodeRuneInString(text); s.safe && foreign && isFormula(show(text[:first])) {
		_ = s.w.WriteByte('\'')
	}
	for piece := range pieces(text) {
		if piece = show(piece); quoted {
			piece = strings.ReplaceAll(piece, `"`, `""`)
		}
		_, _ = s.w.WriteString(piece)
	}
	if quoted {
		_ = s.w.WriteByte('"')
	}
}

// isFormula reports whether spreadsheets would run a text as a formula (OWASP, "CSV Injection";
// ASVS 1.2.10).
func isFormula(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return strings.ContainsRune("=+-@\t\n\r\x00＝＋－＠", first)
}

func (s *delimitedSink) end() error { return s.w.Flush() }
