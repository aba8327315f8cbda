package report

import "datasync/internal/chart"

// Section is a part of the page: a finding, and the charts that show it.
type Section struct {
	// ID is the anchor, Kicker names the subject, such as "Events a day, by type".
	ID, Kicker string
	// Headline states the finding, Note how to read the charts.
	Headline, Note string
	// Short names the section in the list of contents.
	Short string
	// Chip says of a live page as of when the section is; "" in a report.
	Chip    string
	Figures []Figure
	// Pair are two figures in one row where the page is wide.
	Pair []Figure
	// Terms are definitions.
	Terms []Term
}

// Term is a word and what it means on the page.
type Term struct{ Name, Text string }

// Figure is a chart with the table behind it.
type Figure struct {
	// Title is empty where the section has one figure.
	Title   string
	Drawing chart.Drawing
	// Table is nil where another figure's table has the values, too.
	Table *chart.Table
	// ByTime says that the table is in order of time, so that its last rows matter most.
	ByTime bool
}

// byTime returns the figure as one whose table is in order of time.
func (f Figure) byTime() Figure {
	f.ByTime = true
	return f
}

// figure draws a chart.
func figure(title string, c chart.Chart) Figure {
	table := c.Table()
	return Figure{Title: title, Drawing: c.Draw(), Table: &table}
}
