package query

import (
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	// narrowest is the width below which a column of text is not cut: columns are left out
	// instead.
	narrowest = 12
	// frame is the width of a bar and two spaces per column. A line has one more bar.
	frame = 3
)

// fit says which columns a table shows and how wide they may be.
type fit struct {
	columns []int // indexes; -1 marks a column that is left out
	widths  []int // the maximum width of each column, by index; 0 is unlimited
}

// wholeTable shows n columns uncut.
func wholeTable(n int) fit {
	f := fit{widths: make([]int, n)}
	for i := range n {
		f.columns = append(f.columns, i)
	}
	return f
}

// fitTable keeps a table within a width, 0 for unlimited: it cuts columns of text, the widest
// first, and leaves out columns in the middle if that is not enough.
func fitTable(columns []column, width int, parts ...[]tableRow) fit {
	f := wholeTable(len(columns))
	if width <= 0 {
		return f
	}
	natural, least := columnWidths(columns, parts)
	for f.width(least) > width && f.shown() > 1 {
		f.leaveOut()
	}
	for _, i := range f.columns {
		if i >= 0 {
			f.widths[i] = natural[i]
		}
	}
	f.cut(least, width)
	return f
}

// columnWidths returns how wide the columns are uncut, and how wide they are at least.
func columnWidths(columns []column, parts [][]tableRow) (natural, least []int) {
	natural, least = make([]int, len(columns)), make([]int, len(columns))
	for i := range columns {
		name, typeName := heading(&columns[i])
		natural[i] = max(displayWidth(name), displayWidth(typeName))
		for _, rows := range parts {
			for _, row := range rows {
				natural[i] = max(natural[i], displayWidth(row.texts[i]))
			}
		}
		least[i] = natural[i]
		if k := columns[i].kind; k != kindNumber && k != kindTime {
			least[i] = min(natural[i], narrowest)
		}
	}
	return natural, least
}

// width returns the width of a line whose columns have these widths.
func (f *fit) width(of []int) int {
	total := 1
	for _, i := range f.columns {
		total += frame
		if i < 0 {
			total++
		} else {
			total += of[i]
		}
	}
	return total
}

// shown returns how many columns the table shows.
func (f *fit) shown() int {
	n := 0
	for _, i := range f.columns {
		if i >= 0 {
			n++
		}
	}
	return n
}

// leaveOut leaves out one more column, next to those in the middle that are left out already.
func (f *fit) leaveOut() {
	for at, i := range f.columns {
		if i < 0 {
			// The side with more columns left loses one.
			if at > len(f.columns)-1-at {
				at--
			} else {
				at++
			}
			f.columns = append(f.columns[:at:at], f.columns[at+1:]...)
			return
		}
	}
	f.columns[len(f.columns)/2] = -1
}

// cut makes the widest columns narrower, down to the least widths, until a line fits.
func (f *fit) cut(least []int, width int) {
	for over := f.width(f.widths) - width; over > 0; over-- {
		widest := -1
		for _, i := range f.columns {
			if i >= 0 && f.widths[i] > least[i] && (widest < 0 || f.widths[i] > f.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		f.widths[widest]--
	}
}

// row returns a line of the table, of the value of each of n columns.
func (f *fit) row(n int, value func(i int) string) table.Row {
	row := make(table.Row, 0, n)
	for _, i := range f.columns {
		if i < 0 {
			row = append(row, "…")
			continue
		}
		v := value(i)
		if most := f.widths[i]; most > 0 && displayWidth(v) > most {
			v = text.Trim(v, most-1) + "…"
		}
		row = append(row, v)
	}
	return row
}
