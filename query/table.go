package query

import (
	"datasync/internal/term"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// DefaultTableRows is how many rows of a long result a Table shows: half of them from the head,
// half from the tail.
const DefaultTableRows = 40

// tableSink shows the head and the tail of a result, and the number of its rows.
type tableSink struct {
	w       io.Writer
	columns []column
	width   int
	head    []tableRow
	tail    []tableRow // a ring
	// headRows and tailRows are the maximum lengths of head and tail.
	headRows, tailRows int
	rows               int
}

func newTableSink(w io.Writer, columns []column, opts *Options) *tableSink {
	most := opts.MaxRows
	if most == 0 {
		most = DefaultTableRows
	}
	s := &tableSink{w: w, columns: columns, width: opts.Width, headRows: (most + 1) / 2, tailRows: most / 2}
	if most < 0 {
		s.headRows, s.tailRows = int(^uint(0)>>1), 0
	}
	return s
}

func (s *tableSink) row(cells []cell) error {
	s.rows++
	var row *tableRow
	at := s.rows - 1 - s.headRows // in the tail
	switch {
	case at < 0:
		s.head = append(s.head, tableRow{})
		row = &s.head[len(s.head)-1]
	case s.tailRows == 0:
		return nil
	case at < s.tailRows:
		s.tail = append(s.tail, tableRow{})
		row = &s.tail[at]
	default:
		row = &s.tail[at%s.tailRows]
	}
	row.set(cells)
	return nil
}

// shown returns how many rows the table shows.
func (s *tableSink) shown() int64 { return int64(len(s.head) + len(s.tail)) }

func (s *tableSink) end() error {
	if at := s.rows - s.headRows; at > len(s.tail) && len(s.tail) > 0 {
		at %= s.tailRows
		s.tail = append(s.tail[at:len(s.tail):len(s.tail)], s.tail[:at]...)
	}
	fit := fitTable(s.columns, s.width, s.head, s.tail)
	t := newTable(s.columns, fit)
	t.AppendHeader(fit.row(len(s.columns), func(i int) string { _, typeName := heading(&s.columns[i]); return typeName }))
	for _, row := range s.head {
		t.AppendRow(fit.row(len(row.texts), func(i int) string { return row.texts[i] }))
	}
	if int64(s.rows) > s.shown() {
		t.AppendRow(fit.row(len(s.columns), func(int) string { return "·" }))
	}
	for _, row := range s.tail {
		t.AppendRow(fit.row(len(row.texts), func(i int) string { return row.texts[i] }))
	}
	_, err := fmt.Fprintf(s.w, "%s\n%s\n", t.Render(), s.caption(fit))
	return err
}

// caption says how many rows and columns there are, and how many of them the table shows.
func (s *tableSink) caption(fit fit) string {
	c := count(s.rows, "row")
	if shown := s.shown(); shown < int64(s.rows) {
		c += fmt.Sprintf(" (%d shown)", shown)
	}
	if n := len(s.columns); fit.shown() < n {
		c += fmt.Sprintf(", %s (%d shown)", count(n, "column"), fit.shown())
	}
	cut := 0
	for _, rows := range [][]tableRow{s.head, s.tail} {
		for _, row := range rows {
			cut += row.cut
		}
	}
	if cut > 0 {
		c += ", " + cutNote(cut)
	}
	return c
}

// newTable returns a table whose header is the columns' names.
func newTable(columns []column, fit fit) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	var configs []table.ColumnConfig
	for at, i := range fit.columns {
		config := table.ColumnConfig{Number: at + 1, AlignHeader: text.AlignCenter}
		if i >= 0 && columns[i].kind == kindNumber {
			config.Align = text.AlignRight
		}
		configs = append(configs, config)
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(fit.row(len(columns), func(i int) string { name, _ := heading(&columns[i]); return name }))
	return t
}

// boxSink shows all rows of a result in one table.
type boxSink struct {
	w       io.Writer
	columns []column
	rows    []tableRow
	cut     int
}

func (s *boxSink) row(cells []cell) error {
	var row tableRow
	row.set(cells)
	s.rows = append(s.rows, row)
	s.cut += row.cut
	return nil
}

func (s *boxSink) end() error {
	fit := wholeTable(len(s.columns))
	t := newTable(s.columns, fit)
	for _, row := range s.rows {
		t.AppendRow(fit.row(len(row.texts), func(i int) string { return row.texts[i] }))
	}
	_, err := fmt.Fprintln(s.w, t.Render())
	if err == nil && s.cut > 0 {
		_, err = fmt.Fprintln(s.w, cutNote(s.cut))
	}
	return err
}

// planSink writes the drawing of a plan.
type planSink struct{ w io.Writer }

func (s *planSink) row(cells []cell) error {
	for line := range strings.Lines(cells[len(cells)-1].text) {
		if _, err := fmt.Fprintln(s.w, term.Visible(strings.TrimRight(line, "\n"))); err != nil {
			return err
		}
	}
	return nil
}

func (*planSink) end() error { return nil }
