package query

import (
	"fmt"
	"slices"
	"strings"

	"datasync/internal/term"
)

// longestCell is how many bytes of a value Table and Box show. Their columns are as wide as the
// widest cell, and all rows are in memory until the table is drawn.
const longestCell = 10_000

// tableRow is a row as a table shows it.
type tableRow struct {
	texts []string
	null  []bool // which of the values are NULL
	cut   int    // how many of the texts are cut
}

// set replaces the row's texts by those of the cells.
func (r *tableRow) set(cells []cell) {
	r.texts, r.null, r.cut = slices.Grow(r.texts[:0], len(cells)), slices.Grow(r.null[:0], len(cells)), 0
	for _, c := range cells {
		r.null = append(r.null, !c.ok)
		if !c.ok {
			r.texts = append(r.texts, c.shown())
			continue
		}
		text, cut := cutText(c.text)
		if cut {
			r.cut++
		}
		r.texts = append(r.texts, text)
	}
}

// cutText returns a text as a table shows it, and whether it was cut. It shares no memory with
// s.
func cutText(s string) (text string, cut bool) {
	if len(s) <= longestCell {
		return strings.Clone(term.Visible(s)), false
	}
	return term.Visible(s[:boundary(s, longestCell)]) + "…", true
}

// cutNote says, after a table, how many values are cut.
func cutNote(n int, opts *Options) string {
	return fmt.Sprintf("%s cut at %s bytes; %s shows all of it", term.Counted(int64(n), "value"), term.Thousands(longestCell), opts.command(allColumns))
}

// heading returns a column's name and type as the head of a table shows them.
func heading(c *column) (name, typeName string) {
	name, _ = cutText(c.name)
	typeName, _ = cutText(c.displayType())
	return name, typeName
}
