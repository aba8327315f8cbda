package query

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// headRows and tailRows are how many rows of a long result are shown.
const (
	headRows = 20
	tailRows = 20
)

// tableSink shows head and tail of a result, and how many rows it has.
type tableSink struct {
	w       io.Writer
	columns []column
	head    []table.Row
	tail    []table.Row // a ring
	rows    int
}

func newTableSink(w io.Writer, columns []column) *tableSink {
	return &tableSink{w: w, columns: columns}
}

func (s *tableSink) row(cells []*string) error {
	row := make(table.Row, len(cells))
	for i, cell := range cells {
		row[i] = "NULL"
		if cell != nil {
			row[i] = Visible(*cell)
		}
	}
	switch {
	case len(s.head) < headRows:
		s.head = append(s.head, row)
	case len(s.tail) < tailRows:
		s.tail = append(s.tail, row)
	default:
		s.tail[(s.rows-headRows)%tailRows] = row
	}
	s.rows++
	return nil
}

func (s *tableSink) end() error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	header, types := make(table.Row, len(s.columns)), make(table.Row, len(s.columns))
	configs := make([]table.ColumnConfig, len(s.columns))
	for i, c := range s.columns {
		header[i], types[i] = Visible(c.name), strings.ToLower(Visible(c.typeName))
		configs[i] = table.ColumnConfig{Number: i + 1, AlignHeader: text.AlignCenter}
		if c.kind == kindNumber {
			configs[i].Align = text.AlignRight
		}
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	t.AppendHeader(types)
	t.AppendRows(s.head)
	if hidden := s.rows - len(s.head) - len(s.tail); hidden > 0 {
		dots := make(table.Row, len(s.columns))
		for i := range dots {
			dots[i] = "·"
		}
		t.AppendRow(dots)
		at := (s.rows - headRows) % tailRows
		s.tail = append(s.tail[at:len(s.tail):len(s.tail)], s.tail[:at]...)
	}
	t.AppendRows(s.tail)
	shown := ""
	if n := len(s.head) + len(s.tail); n < s.rows {
		shown = fmt.Sprintf(", %d shown", n)
	}
	unit := "rows"
	if s.rows == 1 {
		unit = "row"
	}
	_, err := fmt.Fprintf(s.w, "%s\n%d %s%s\n", t.Render(), s.rows, unit, shown)
	return err
}

// Visible returns text with every character escaped that could move a terminal's
// cursor, turn the direction of writing or break a line.
func Visible(s string) string {
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case hidden(r) && r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case hidden(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func hidden(r rune) bool {
	return unicode.Is(unicode.C, r) && r != '\u200d' || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}
