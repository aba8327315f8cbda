package query

import (
	"slices"
	"strings"

	"datasync/internal/term"
)

const (
	// narrowest is the width down to which a column of text is cut, before columns are left out.
	narrowest = 12
	// narrowestSecond is narrowest for the second column if a third does not fit.
	narrowestSecond = 8
	// frame is the width of a bar and two spaces per column. A line has one more bar.
	frame = 3
	// mark is the cell for omitted columns.
	mark = "…"
	// uuidWidth is the width of a UUID, and shortUUID that of its first eight digits and "…".
	uuidWidth, shortUUID = 36, 9
)

// fit has the columns that a table shows, and their widths.
type fit struct {
	columns []int // indexes, in the order in which they are shown
	widths  []int // of each column, by index
	folded  []int // the indexes of columns that are omitted because all values are NULL
	marked  bool  // a last column, of marks, shows that others are omitted
}

// wholeBox is wholeTable for a table without types.
func wholeBox(columns []column, rows []tableRow) fit {
	f := fit{widths: make([]int, len(columns))}
	for i := range columns {
		f.columns = append(f.columns, i)
		f.widths[i] = nameWidth(&columns[i])
		for _, row := range rows {
			f.widths[i] = max(f.widths[i], term.Width(row.texts[i]))
		}
	}
	return f
}

// wholeTable shows all columns in full width.
func wholeTable(columns []column, parts ...[]tableRow) fit {
	f := fit{}
	for i, b := range boundsOf(columns, parts) {
		f.columns, f.widths = append(f.columns, i), append(f.widths, b.natural)
	}
	return f
}

// fitTable keeps a table within a width; 0 means unlimited. If the table is too wide, it first omits
// columns that are all NULL: those not in filled. Then it shortens UUIDs, the last column first, and
// cuts the widest texts. Last, it omits columns from the end, and puts the instant and the type of an
// event first. It never cuts a number or a time. If no column fits, it shows none.
func fitTable(columns []column, width int, filled []bool, parts ...[]tableRow) fit {
	f := wholeTable(columns, parts...)
	if width <= 0 || f.width() <= width {
		return f
	}
	if slices.Contains(filled, true) {
		f.fold(filled)
	}
	bounds := boundsOf(columns, parts)
	for _, i := range slices.Backward(f.columns) {
		if columns[i].typeName == "UUID" && f.width() > width {
			f.widths[i] = min(f.widths[i], max(shortUUID, nameWidth(&columns[i])))
		}
	}
	f.choose(columns, bounds, width)
	f.cut(bounds, width)
	return f
}

// bounds are widths of a column: uncut, minimal, and of the widest value that must not be cut.
type bounds struct{ natural, least, uncut int }

// boundsOf returns the bounds of each column.
func boundsOf(columns []column, parts [][]tableRow) []bounds {
	all := make([]bounds, len(columns))
	for i := range columns {
		c := &columns[i]
		values := 0
		b := &all[i]
		for _, rows := range parts {
			for _, row := range rows {
				n := term.Width(row.texts[i])
				values = max(values, n)
				if c.isUncut() || isWholeNumber(row.texts[i]) {
					b.uncut = max(b.uncut, n)
				}
			}
		}
		b.natural = max(values, nameWidth(c), typeWidth(c))
		b.least = max(b.uncut, min(b.natural, narrowest))
		if c.typeName == "UUID" {
			b.least = min(b.natural, shortUUID)
		}
	}
	return all
}

func nameWidth(c *column) int { name, _ := heading(c); return term.Width(name) }

func typeWidth(c *column) int { _, typeName := heading(c); return term.Width(typeName) }

// isUncut reports whether a part of one of the column's values could be mistaken for another value.
func (c *column) isUncut() bool {
	switch c.kind {
	case kindNumber, kindTime, kindBoolean:
		return true
	}
	return c.typeName == "DATE" || c.typeName == "INTERVAL" || strings.HasPrefix(c.typeName, "TIME")
}

// isWholeNumber reports whether a text is a number, such as one in a JSON column.
func isWholeNumber(text string) bool {
	return isNumber(text) && len(text) <= 40 && strings.Trim(text, "0123456789.eE+-") == ""
}

// width returns the width of a line.
func (f *fit) width() int {
	total := 1
	for _, i := range f.columns {
		total += frame + f.widths[i]
	}
	if f.marked {
		total += frame + 1
	}
	return total
}

// leastWidth returns the width of a line whose columns have their least widths.
func (f *fit) leastWidth(bounds []bounds) int {
	total := 1
	for _, i := range f.columns {
		total += frame + bounds[i].least
	}
	return total
}

// fold omits the columns without a value.
func (f *fit) fold(filled []bool) {
	f.columns = slices.DeleteFunc(f.columns, func(i int) bool {
		if !filled[i] {
			f.folded = append(f.folded, i)
		}
		return !filled[i]
	})
}

// choose omits columns if the sum of their least widths is too wide. The second column may be narrower
// than others.
func (f *fit) choose(columns []column, bounds []bounds, width int) {
	if f.leastWidth(bounds) <= width {
		return
	}
	var chosen []int
	total := 1
	for _, i := range inRank(columns, f.columns) {
		b, room := &bounds[i], width-total-frame
		if len(chosen) == 1 && room < b.least && room >= max(b.uncut, narrowestSecond) {
			b.least = room
		}
		if b.least <= room {
			chosen, total = append(chosen, i), total+frame+b.least
		} else if len(chosen) > 0 {
			break
		}
	}
	f.columns, f.marked = chosen, total+frame+1 <= width
}

// inRank returns the columns, the most important first: the instant and the type of an event.
func inRank(columns []column, of []int) []int {
	first := -1
	for _, isTime := range []func(c *column) bool{
		func(c *column) bool { return c.kind == kindTime && c.name == "timestamp" },
		func(c *column) bool { return c.kind == kindTime },
		func(c *column) bool { return c.typeName == "DATE" },
	} {
		if first < 0 {
			first = slices.IndexFunc(of, func(i int) bool { return isTime(&columns[i]) })
		}
	}
	second := slices.IndexFunc(of, func(i int) bool { return columns[i].name == "type" })
	var ranked, rest []int
	for _, at := range []int{first, second} {
		if at >= 0 {
			ranked = append(ranked, of[at])
		}
	}
	for at, i := range of {
		if at != first && at != second {
			rest = append(rest, i)
		}
	}
	return append(ranked, rest...)
}

// cut makes the widest columns narrower, down to the least widths, until a line fits.
func (f *fit) cut(bounds []bounds, width int) {
	for over := f.width() - width; over > 0; over-- {
		widest := -1
		for _, i := range f.columns {
			if f.widths[i] > bounds[i].least && (widest < 0 || f.widths[i] > f.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		f.widths[widest]--
	}
}
