package query

import (
	"fmt"
	"io"
	"strings"

	"datasync/internal/human"
	"datasync/internal/term"
)

// DefaultTableRows is how many rows of a long result a Table shows: half of them from the head,
// half from the tail.
const DefaultTableRows = 40

// tableSink shows the head and the tail of a result, and the number of its rows.
type tableSink struct {
	w       io.Writer
	columns []column
	opts    *Options
	head    []tableRow
	tail    []tableRow // a ring
	// headRows and tailRows are the maximum lengths of head and tail.
	headRows, tailRows int
	rows               int
	filled             []bool // which columns have a value that is not NULL
}

func newTableSink(w io.Writer, columns []column, opts *Options) *tableSink {
	most := opts.MaxRows
	if most == 0 {
		most = DefaultTableRows
	}
	s := &tableSink{w: w, columns: columns, opts: opts, headRows: (most + 1) / 2, tailRows: most / 2, filled: make([]bool, len(columns))}
	if most < 0 {
		s.headRows, s.tailRows = int(^uint(0)>>1), 0
	}
	return s
}

func (s *tableSink) row(cells []cell) error {
	s.rows++
	for i, c := range cells {
		s.filled[i] = s.filled[i] || c.ok
	}
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
	d := drawing{columns: s.columns, fit: fitTable(s.columns, s.opts.Width, s.filled, s.head, s.tail), dim: s.opts.Dim}
	if len(d.fit.columns) == 0 {
		s.list(&d)
	} else {
		s.draw(&d)
	}
	_, err := fmt.Fprintf(s.w, "%s%s\n", d.String(), term.Wrap(s.caption(&d.fit), s.opts.Width, 0))
	return err
}

// draw draws the table.
func (s *tableSink) draw(d *drawing) {
	d.top()
	d.names()
	d.types()
	d.middle()
	for i := range s.head {
		d.row(&s.head[i])
	}
	if int64(s.rows) > s.shown() {
		d.line(mark, func(i int) string { return d.within(i, "·", d.columns[i].align()) })
	}
	for i := range s.tail {
		d.row(&s.tail[i])
	}
	d.bottom()
}

// list writes the rows with one value on a line.
func (s *tableSink) list(d *drawing) {
	d.fit = wholeTable(s.columns)
	for at, rows := range [][]tableRow{s.head, s.tail} {
		if at > 0 && int64(s.rows) > s.shown() {
			d.WriteString("·\n")
		}
		for i := range rows {
			d.lines(&rows[i], s.opts.Width)
			d.WriteByte('\n')
		}
	}
}

// caption returns the numbers of rows and columns, how many of them the table shows, and other
// facts about it.
func (s *tableSink) caption(f *fit) string {
	c := term.Counted(int64(s.rows), "row")
	if shown := s.shown(); shown < int64(s.rows) {
		c += fmt.Sprintf(" (%s shown)", term.Thousands(shown))
	}
	if n := len(s.columns); len(f.columns) < n {
		c += fmt.Sprintf(", %s of %s (all: %s)", term.Thousands(int64(len(f.columns))), term.Counted(int64(n), "column"), s.opts.command(allColumns))
	}
	if len(f.folded) > 0 {
		c += "; all NULL: " + s.names(f.folded)
	}
	cut := 0
	for _, rows := range [][]tableRow{s.head, s.tail} {
		for _, row := range rows {
			cut += row.cut
		}
	}
	if cut > 0 {
		c += "; " + cutNote(cut, s.opts)
	}
	if s.opts.Note != "" {
		c += "; " + s.opts.Note
	}
	return c
}

// allColumns are the options that show all of each row.
const allColumns = "--format line"

// mostNames is the number of column names in a caption.
const mostNames = 8

// names lists columns.
func (s *tableSink) names(of []int) string {
	var names []string
	for _, i := range of {
		if len(names) == mostNames {
			names = append(names, fmt.Sprintf("and %s more", human.Thousands(int64(len(of)-mostNames))))
			break
		}
		name, _ := heading(&s.columns[i])
		names = append(names, term.Shorten(name, 2*narrowest))
	}
	return strings.Join(names, ", ")
}

// boxSink shows all rows of a result in one table.
type boxSink struct {
	w       io.Writer
	columns []column
	opts    *Options
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
	d := drawing{columns: s.columns, fit: wholeBox(s.columns, s.rows), dim: s.opts.Dim}
	d.top()
	d.names()
	d.middle()
	for i := range s.rows {
		d.row(&s.rows[i])
	}
	d.bottom()
	_, err := io.WriteString(s.w, d.String())
	if err == nil && s.cut > 0 {
		_, err = fmt.Fprintln(s.w, cutNote(s.cut, s.opts))
	}
	if err == nil && s.opts.Note != "" {
		_, err = fmt.Fprintln(s.w, s.opts.Note)
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
