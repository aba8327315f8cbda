package query

// sink writes a result row by row. end is called once, after the last row.
type sink interface {
	row(cells []cell) error
	end() error
}

// cell is a value as text. It is valid until the next row.
type cell struct {
	text string
	ok   bool // not NULL
}
