package query

import (
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	// narrowest is the smallest width to which a column of text is cut. If that is not enough,
	// columns are omitted.
	narrowest = 12
	// frame is the width of a line beside the cells: a bar and two spaces per column. There is
	// one more bar.
	frame = 3
)

// fit is the selection of columns that a table shows, with their widths.
type fit struct {
	columns []int // -1 stands for the omitted ones
	widths  []int // the largest width of each column; 0 is no limit
}

// everything shows n columns at any width.
func everything(n int) fit {
	f := fit{widths: make([]int, n)}
	for i := range n {
		f.columns = append(f.columns, i)
	}
	return f
}

// fit keeps the table within its width. It cuts columns of text, the widest first. If that is
// not enough, it omits columns in the middle.
func (s *tableSink) fit() fit {
	f := everything(len(s.columns))
	if s.width <= 0 {
		return f
	}
	natural, least := make([]int, len(s.columns)), make([]int, len(s.columns))
	for i, c := range s.columns {
		natural[i] = max(displayWidth(c.shownName()), displayWidth(c.shownType()))
		for _, rows := range [][]tableRow{s.head, s.tail} {
			for _, row := range rows {
				natural[i] = max(natural[i], displayWidth(row.texts[i]))
			}
		}
		least[i] = natural[i]
		if c.kind != kindNumber && c.kind != kindTime {
			least[i] = min(natural[i], narrowest)
		}
	}
	for f.width(least) > s.width && f.shown() > 1 {
		f.leaveOut()
	}
	for _, i := range f.columns {
		if i >= 0 {
			f.widths[i] = natural[i]
		}
	}
	f.cut(least, s.width)
	return f
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

// shown returns the number of columns that are shown.
func (f *fit) shown() int {
	n := 0
	for _, i := range f.columns {
		if i >= 0 {
			n++
		}
	}
	return n
}

// leaveOut omits one more column, next to those that are already omitted.
func (f *fit) leaveOut() {
	for at, i := range f.columns {
		if i < 0 {
			// On the side with more columns.
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

// cut narrows the widest columns of text until the line fits.
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

// row returns a line of the table with the value of each of n columns.
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
