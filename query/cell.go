package query

import (
	"datasync/internal/term"
	"iter"
)

// cell is a value as text, valid until the next row.
type cell struct {
	text string
	ok   bool // the value is not NULL
}

// shown returns the text of a cell where NULL and an empty text must differ.
func (c cell) shown() string {
	if !c.ok {
		return "NULL"
	}
	return term.Visible(c.text)
}

// pieces yields the text of shown, piece by piece.
func (c cell) pieces() iter.Seq[string] {
	return func(yield func(string) bool) {
		if !c.ok {
			yield(c.shown())
			return
		}
		for piece := range pieces(c.text) {
			if !yield(term.Visible(piece)) {
				return
			}
		}
	}
}

// sink writes a result. Its methods are called by one goroutine.
type sink interface {
	// row takes the next row. The cells are valid until it returns.
	row(cells []cell) error
	// end writes the remaining output. It is called once, after the last row, unless row failed.
	end() error
}

// excerpt is a sink that writes fewer rows than it takes.
type excerpt interface {
	shown() int64
}

// discard is the sink of statements without a result.
type discard struct{}

func (discard) row([]cell) error { return nil }
func (discard) end() error       { return nil }
