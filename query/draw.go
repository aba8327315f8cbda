package query

import (
	"regexp"
	"strings"

	"datasync/internal/term"
)

// alignment is the alignment of a text in its cell.
type alignment int

const (
	left alignment = iota
	center
	right
)

// align returns the alignment of the column's values.
func (c *column) align() alignment {
	if c.kind == kindNumber {
		return right
	}
	return left
}

// drawing is a table in a box, line by line. Libraries count the columns of emoji differently from
// terminals, which breaks rows.
type drawing struct {
	strings.Builder
	columns []column
	fit     fit
	dim     func(string) string // of Options
}

// rule draws a line between rows.
func (d *drawing) rule(first, between, last string) {
	d.WriteString(first)
	for at, i := range d.fit.columns {
		if at > 0 {
			d.WriteString(between)
		}
		d.WriteString(strings.Repeat("─", d.fit.widths[i]+frame-1))
	}
	if d.fit.marked {
		d.WriteString(between + strings.Repeat("─", frame))
	}
	d.WriteString(last + "\n")
}

// names draws the columns' names.
func (d *drawing) names() {
	d.line(mark, func(i int) string {
		name, _ := heading(&d.columns[i])
		return d.within(i, name, center)
	})
}

// types draws the columns' types.
func (d *drawing) types() {
	d.line(" ", func(i int) string {
		_, typeName := heading(&d.columns[i])
		return d.within(i, typeName, center)
	})
}

// The rules of a table.
func (d *drawing) top()    { d.rule("┌", "┬", "┐") }
func (d *drawing) middle() { d.rule("├", "┼", "┤") }
func (d *drawing) bottom() { d.rule("└", "┴", "┘") }

// row draws a row.
func (d *drawing) row(row *tableRow) {
	d.line(mark, func(i int) string {
		c, text := &d.columns[i], row.texts[i]
		if c.typeName == "UUID" && !row.null[i] && d.fit.widths[i] < uuidWidth {
			text = text[:shortUUID-1] + mark
		}
		cell := d.within(i, text, c.align())
		if row.null[i] && d.dim != nil {
			cell = strings.Replace(cell, text, d.dim(text), 1)
		}
		return cell
	})
}

// lastNumber matches a number without its sign, or the beginning of one, at the end of a text.
var lastNumber = regexp.MustCompile(`[0-9][0-9.,]*([eE][+-]?[0-9]*)?$`)

// shortened is term.Shorten, but omits a number that could be cut: {"n":-12345} becomes {"n":… and not
// {"n":-12… because that is another number.
func shortened(text string, columns int) string {
	short := term.Shorten(text, columns)
	kept, ok := strings.CutSuffix(short, mark)
	at := lastNumber.FindStringIndex(kept)
	if !ok || short == text || at == nil {
		return short
	}
	before := kept[:at[0]]
	unsigned := strings.TrimRight(before, "+-")
	switch {
	case unsigned == "":
		return short // digits alone are a number, which is not cut
	case strings.Trim(unsigned[len(unsigned)-1:], "0123456789") != "": // else it is a hyphen
		before = unsigned
	}
	return before + mark
}

// line draws a line of cells. last is the cell for omitted columns.
func (d *drawing) line(last string, cell func(i int) string) {
	d.WriteString("│")
	for _, i := range d.fit.columns {
		d.WriteString(" " + cell(i) + " │")
	}
	if d.fit.marked {
		d.WriteString(" " + last + " │")
	}
	d.WriteByte('\n')
}

// within returns a text as wide as column i.
func (d *drawing) within(i int, text string, align alignment) string {
	text = shortened(text, d.fit.widths[i])
	rest := d.fit.widths[i] - term.Width(text)
	before := 0
	switch align {
	case center:
		before = rest / 2
	case right:
		before = rest
	}
	return strings.Repeat(" ", before) + text + strings.Repeat(" ", rest-before)
}

// lines writes each value of a row on lines of its own, for a terminal in which no column fits.
func (d *drawing) lines(row *tableRow, width int) {
	for i := range d.columns {
		name, _ := heading(&d.columns[i])
		text := row.texts[i]
		switch line := name + " = " + text; {
		case term.Width(line) <= width:
			d.WriteString(line + "\n")
		case d.columns[i].isUncut() || isWholeNumber(text):
			d.WriteString(term.Shorten(name+" =", width) + "\n" + text + "\n")
		default:
			d.WriteString(shortened(line, width) + "\n")
		}
	}
}
