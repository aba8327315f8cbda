package query

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"datasync/internal/term"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// DefaultTableRows is the number of rows of a long result that Table shows: half of them the
// first, half the last.
const DefaultTableRows = 40

// longestCell is the number of bytes of a value that Table and Box show. A column is as wide as
// its widest cell, and the whole table is in memory until it is drawn.
const longestCell = 10_000

// tableRow is a row for display.
type tableRow struct {
	texts []string
	cut   int // the number of texts that were cut
}

// set replaces the texts of the row.
func (r *tableRow) set(cells []cell) {
	r.texts, r.cut = slices.Grow(r.texts[:0], len(cells)), 0
	for _, c := range cells {
		if !c.ok {
			r.texts = append(r.texts, c.shown())
			continue
		}
		text, cut := briefly(c.text)
		if cut {
			r.cut++
		}
		r.texts = append(r.texts, text)
	}
}

// briefly returns a text for display, and whether it was cut.
func briefly(s string) (text string, cut bool) {
	if len(s) <= longestCell {
		return strings.Clone(term.Visible(s)), false
	}
	return term.Visible(s[:boundary(s, longestCell)]) + "…", true
}

// cuts says below a table how many values were cut.
func cuts(n int) string {
	return fmt.Sprintf("%s cut at %d bytes; --format line shows all of it", count(n, "value"), longestCell)
}

// tableSink shows the first and the last rows of a result, and the number of rows.
type tableSink struct {
	w       io.Writer
	columns []column
	width   int
	head    []tableRow
	tail    []tableRow // a ring buffer
	// headRows and tailRows are the largest numbers of each.
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
	at := s.rows - 1 - s.headRows
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

// shown returns the number of rows that are shown.
func (s *tableSink) shown() int64 { return int64(len(s.head) + len(s.tail)) }

func (s *tableSink) end() error {
	if at := s.rows - s.headRows; at > len(s.tail) && len(s.tail) > 0 {
		at %= s.tailRows
		s.tail = append(s.tail[at:len(s.tail):len(s.tail)], s.tail[:at]...)
	}
	fit := s.fit()
	t := newTable(s.columns, fit)
	t.AppendHeader(fit.row(len(s.columns), func(i int) string { return s.columns[i].shownType() }))
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

// caption says how many rows and columns there are, and how many are shown.
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
		c += ", " + cuts(cut)
	}
	return c
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + unit + "s"
}

// newTable returns a table whose header has the columns' names.
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
	t.AppendHeader(fit.row(len(columns), func(i int) string { return columns[i].shownName() }))
	return t
}

// boxSink shows every row of a result in a box.
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
	fit := everything(len(s.columns))
	t := newTable(s.columns, fit)
	for _, row := range s.rows {
		t.AppendRow(fit.row(len(row.texts), func(i int) string { return row.texts[i] }))
	}
	_, err := fmt.Fprintln(s.w, t.Render())
	if err == nil && s.cut > 0 {
		_, err = fmt.Fprintln(s.w, cuts(s.cut))
	}
	return err
}

// planSink shows the drawing of a query plan.
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

// displayWidth is the width of a text on a terminal, in columns.
func displayWidth(s string) int { return text.StringWidthWithoutEscSequences(s) }
