package query

import (
	"bufio"
	"datasync/internal/term"
	"io"
	"strings"
	"unicode/utf8"
)

// bufferSize is how many bytes sinks buffer before they write.
const bufferSize = 64 << 10

// delimitedSink writes CSV and TSV by RFC 4180, with "\n" as the line end. NULL is an empty
// field and an empty text is "", as DuckDB writes and reads them.
type delimitedSink struct {
	w         *bufio.Writer
	columns   []column
	delimiter byte
	special   string // characters for which a field is quoted
	show      func(string) string
	safe      bool
}

func newDelimitedSink(w io.Writer, columns []column, delimiter byte, opts *Options) (*delimitedSink, error) {
	s := &delimitedSink{
		w: bufio.NewWriterSize(w, bufferSize), columns: columns, delimiter: delimiter, special: string(delimiter) + "\"\r\n",
		show: func(text string) string { return text }, safe: opts.FormulaSafe,
	}
	if opts.Terminal {
		s.show = term.Visible
	}
	for i, c := range columns {
		s.separate(i)
		s.text(c.name)
	}
	return s, s.w.WriteByte('\n')
}

func (s *delimitedSink) row(cells []cell) error {
	for i, c := range cells {
		s.separate(i)
		switch {
		case c.ok && s.columns[i].kind == kindNumber:
			s.field("", c.text)
		case c.ok:
			s.text(c.text)
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

// text writes a field that somebody else may have chosen, with a ' before a formula.
func (s *delimitedSink) text(text string) {
	prefix := ""
	if _, first := utf8.DecodeRuneInString(text); s.safe && isFormula(s.show(text[:first])) {
		prefix = "'"
	}
	s.field(prefix, text)
}

// field writes a field, quoted if it must be.
func (s *delimitedSink) field(prefix, text string) {
	if len(text) > pieceSize {
		s.longField(prefix, text)
		return
	}
	text = prefix + s.show(text)
	if text != "" && !strings.ContainsAny(text, s.special) {
		_, _ = s.w.WriteString(text)
		return
	}
	_ = s.w.WriteByte('"')
	_, _ = s.w.WriteString(strings.ReplaceAll(text, `"`, `""`))
	_ = s.w.WriteByte('"')
}

// longField writes a field piece by piece, so that no escaped copy of the whole is in memory.
func (s *delimitedSink) longField(prefix, text string) {
	quoted := false
	for piece := range pieces(text) {
		quoted = quoted || strings.ContainsAny(s.show(piece), s.special)
	}
	if quoted {
		_ = s.w.WriteByte('"')
	}
	_, _ = s.w.WriteString(prefix)
	for piece := range pieces(text) {
		if piece = s.show(piece); quoted {
			piece = strings.ReplaceAll(piece, `"`, `""`)
		}
		_, _ = s.w.WriteString(piece)
	}
	if quoted {
		_ = s.w.WriteByte('"')
	}
}

// isFormula reports whether spreadsheets take a text for a formula (OWASP, "CSV Injection";
// ASVS 1.2.10).
func isFormula(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return strings.ContainsRune("=+-@\t\n\r\x00＝＋－＠", first)
}

func (s *delimitedSink) end() error { return s.w.Flush() }
