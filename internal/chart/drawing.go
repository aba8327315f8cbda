package chart

import "strings"

// WideUnits and NarrowUnits are the widths of the two forms of a drawing.
const (
	WideUnits   = 720.0
	NarrowUnits = 358.0
)

// Chart is a figure that can be drawn and read as a table.
type Chart interface {
	// Draw returns the drawing. It never fails: a chart without values says so in words.
	Draw() Drawing
	// Table returns every figure behind the drawing, with whole names and all digits.
	Table() Table
}

// Drawing is one chart as SVG elements, for a page that has the text of [Styles]. The stylesheet shows
// Wide from 720 px and on paper, and Narrow below. Narrow is empty where one form serves both.
type Drawing struct {
	Wide   string
	Narrow string
}

// HTML returns both forms, one after the other, as a page embeds them.
func (d Drawing) HTML() string { return d.Wide + d.Narrow }

// Head names a chart.
type Head struct {
	// Title is the accessible name, such as "Events a day by type".
	Title string
	// Unit is printed above the axis, such as "events a day".
	Unit string
	// Nothing is the sentence of a chart without values, such as "no events from 1 to 7 Feb 2026".
	// Empty means "no events in this period".
	Nothing string
}

func (h Head) nothing() string {
	if h.Nothing == "" {
		return "no events in this period"
	}
	return h.Nothing
}

// Table is the figures behind a chart, as text in the words of a page. Nothing in it is escaped for HTML.
type Table struct {
	// Name completes "Table: ", such as "events a day by type".
	Name    string
	Columns []Column
	// Rows have a cell for each column. The first cell names the row.
	Rows [][]string
	// Note is printed below the table. Empty: there is none.
	Note string
}

// Column heads a column of a [Table].
type Column struct {
	Name string
	// Number says that the cells are figures, which a page aligns to the right.
	Number bool
}

// State says how much of a span of time a file holds. Nothing has three looks, so that a gap in the data
// is never mistaken for one in the file.
type State int

// The states of a span.
const (
	Whole      State = iota // walked to its end, and over
	Unfinished              // a part of it is here: stripes, or a dashed line
	Empty                   // walked, and the API had no event: grey hatch and words
	Unpulled                // not walked yet: an empty dashed frame and words
)

// String returns the words that a drawing prints for the state, and "" for a whole one.
func (s State) String() string {
	switch s {
	case Unfinished:
		return "not whole"
	case Empty:
		return "no events"
	case Unpulled:
		return "not yet pulled"
	default:
		return ""
	}
}

// marks collects which signs a table has.
type marks struct{ star, gap bool }

// row names a bar, with an asterisk where it is not whole.
func (m *marks) row(n bin, unit period) string {
	name := binName(n, unit)
	if unit.name == "week" {
		name = DayYear(unit.start(n.from))
	}
	if n.state == Unfinished {
		m.star = true
		name += " *"
	}
	return name
}

func (m marks) String() string {
	var notes []string
	if m.star {
		notes = append(notes, "* not whole")
	}
	if m.gap {
		notes = append(notes, "– no value")
	}
	return strings.Join(notes, "; ")
}

// capital is an ASCII word with a capital letter.
func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }
