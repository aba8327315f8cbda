package chart

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Rows are horizontal bars with names, such as pages by events. The bars have one scale from zero.
type Rows struct {
	Head
	// Item is what a name is, such as "page". It heads the names and is the first column of the table.
	Item string
	// Share heads a second column of figures, such as "errors". Without it, values are written at the
	// ends of their bars.
	Share string
	// Rows come in the order in which they are drawn.
	Rows []Row
	// Limit is the number of rows that are drawn; 0 draws all. A line says how many more the table has.
	Limit int
	// Slots is the least number of rows that the drawing has room for, so that a page does not move
	// while rows appear.
	Slots int
}

// Row is one bar of [Rows].
type Row struct {
	Name  string
	Value float64
	// Share is a part of Value, from 0 to 1, such as that of errors. NaN is none.
	Share float64
	// Color is [Slate] where it is empty.
	Color Color
}

// stands is the factor by which a share exceeds the median before it is marked.
const stands = 1.35

// Standing says which shares are well above the median of all: at least 1.35 times as high, and by more
// than chance explains (three standard deviations). So one error in two events marks no row.
func (r Rows) Standing() []bool {
	r = r.clean()
	out := make([]bool, len(r.Rows))
	var all []float64
	for _, row := range r.Rows {
		if !math.IsNaN(row.Share) && row.Value > 0 {
			all = append(all, row.Share)
		}
	}
	if len(all) < 2 {
		return out
	}
	usual := middle(all)
	for i, row := range r.Rows {
		if math.IsNaN(row.Share) || !(row.Value > 0) {
			continue
		}
		expected, got := usual*row.Value, row.Share*row.Value
		out[i] = row.Share >= stands*usual*(1-1e-9) && got > expected+3*math.Sqrt(max(1, expected))
	}
	return out
}

func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// clean are the rows with values that a bar can have.
func (r Rows) clean() Rows {
	rows := make([]Row, len(r.Rows))
	for i, row := range r.Rows {
		row.Value, row.Share = sane(row.Value), shareOrNone(row.Share)
		rows[i] = row
	}
	r.Rows = rows
	return r
}

// drawn are the rows that the drawing has.
func (r Rows) drawn() []Row {
	if r.Limit > 0 && len(r.Rows) > r.Limit {
		return r.Rows[:r.Limit]
	}
	return r.Rows
}

// left is the line about rows that are not drawn.
func (r Rows) left() string {
	rest := r.Rows[len(r.drawn()):]
	if len(rest) == 0 {
		return ""
	}
	sum := 0.0
	for _, row := range rest {
		sum += row.Value
	}
	if len(rest) == 1 {
		return "and 1 more with " + Counts.Word(sum) + ", in the table"
	}
	return "and " + Count(int64(len(rest))) + " more with " + Counts.Word(sum) + " together, in the table"
}

// Draw returns the drawing.
func (r Rows) Draw() Drawing { return both(r.clean().draw) }

func (r Rows) draw(f form) string {
	pitch, top := pick(f, 26.0, 36.0), 24.0
	if r.Share == "" && f.narrow() {
		top = 4
	} else if r.Share == "" {
		top = 2
	}
	rows, left := r.drawn(), r.left()
	height := top + pitch*float64(max(len(rows), r.Slots, 1))
	if left != "" {
		height += 24
	}
	c := newCanvas(f.class, f.width, height, r.Title, r.describe())
	if len(rows) == 0 {
		c.line("axis", 0.5, top, 0.5, height)
		c.text("", 12, top+17, sentence(r.nothing(), f.width-12))
		return c.end()
	}
	longest := 0.0
	for _, row := range rows {
		longest = max(longest, row.Value)
	}
	standing := r.Standing()
	l := r.layout(f, rows)
	if r.Share != "" {
		c.text("m", 0, 13, r.Item)
		c.text("m e", l.value, 13, r.Unit)
		c.text("m e", f.width, 13, r.Share)
	}
	for i, row := range rows {
		y := top + pitch*float64(i)
		base, bar := y+17, y+6
		if f.narrow() {
			base, bar = y+12, y+17
		}
		name := nameClass("", row.Name)
		c.text(name, 0, base, Fit(row.Name, l.names))
		w := barLength(row.Value, longest, l.bars)
		c.bar(row.color(), l.start, bar, w, pick(f, 14.0, 8.0))
		value := Counts.Word(row.Value)
		switch {
		case r.Share != "":
			c.text("e", l.value, base, value)
			c.text(shareClass(standing[i]), f.width, base, shareWord(row.Share))
		case f.narrow():
			c.text("e b", f.width, base, value)
		default:
			c.text("b", l.start+w+8, base, value)
		}
		if !f.narrow() {
			c.tip(0, y, f.width, pitch, r.tooltip(row))
		}
	}
	c.text("m", 0, height-4, left)
	return c.end()
}

// layout is where the parts of a row are: the room of names, the left edge of bars and the longest one,
// and the right edge of values.
type rowLayout struct{ names, start, bars, value float64 }

func (r Rows) layout(f form, rows []Row) rowLayout {
	value := 0.0
	for _, row := range rows {
		value = max(value, BoldWidth(Counts.Word(row.Value)))
	}
	l := rowLayout{value: f.width}
	if r.Share != "" {
		share := max(48, Width(r.Share))
		for _, row := range rows {
			share = max(share, BoldWidth(shareWord(row.Share)))
		}
		l.value = f.width - share - 14
		value = max(value, Width(r.Unit))
	}
	if f.narrow() {
		l.names = l.value - value - 10
		l.bars = f.width
		return l
	}
	l.names = nameRoom(rows)
	l.start = l.names + 12
	l.bars = l.value - value - 12 - l.start
	return l
}

// nameRoom is the room that names take beside bars.
func nameRoom(rows []Row) float64 {
	room := 80.0
	for _, row := range rows {
		room = max(room, Width(Label(row.Name)))
	}
	return min(room, 224)
}

func (r Row) color() Color {
	if r.Color == "" {
		return Slate
	}
	return r.Color
}

// barLength is the units of a bar. A value above zero can be seen.
func barLength(value, longest, units float64) float64 {
	if !(value > 0) || !(longest > 0) {
		return 0
	}
	return max(1, min(value/longest, 1)*units)
}

// nameClass mutes the words for an empty text, so that they are not taken for one.
func nameClass(class, name string) string {
	if name != "" {
		return class
	}
	if class == "" {
		return "m"
	}
	return class + " m"
}

func shareClass(stands bool) string {
	if stands {
		return "e b bad"
	}
	return "e m"
}

func shareWord(share float64) string {
	if math.IsNaN(share) {
		return "–"
	}
	return Percent(share)
}

func (r Rows) tooltip(row Row) string {
	s := fullText(row.Name) + ": " + Counts.Word(row.Value)
	if unit := r.Unit; unit != "" {
		if row.Value == 1 {
			unit = strings.TrimSuffix(unit, "s")
		}
		s += " " + unit
	}
	if r.Share != "" && !math.IsNaN(row.Share) {
		s += ", " + r.Share + " " + Percent(row.Share)
	}
	return s
}

func (r Rows) describe() string {
	rows := r.drawn()
	if len(rows) == 0 {
		return r.nothing() + "."
	}
	first := rows[0]
	for _, row := range rows {
		if row.Value > first.Value {
			first = row
		}
	}
	s := strconv.Itoa(len(rows)) + " bars from zero. The longest: " + r.tooltip(first) + "."
	for i, standing := range r.Standing() {
		if standing {
			s += " Marked in red: " + r.tooltip(r.Rows[i]) + "."
		}
	}
	return s
}

// fullText is text from an event as a table shows it: visible, and not cut.
func fullText(s string) string {
	if s == "" {
		return "(empty text)"
	}
	return Visible(s)
}

// Table returns all rows, with the share of the sum, and those that are not drawn.
func (r Rows) Table() Table {
	r = r.clean()
	t := Table{Name: r.tableName(), Columns: []Column{{Name: r.Item}, {Name: r.Unit, Number: true}, {Name: "of all", Number: true}}}
	if r.Share != "" {
		t.Columns = append(t.Columns, Column{Name: r.Share, Number: true})
	}
	sum := 0.0
	for _, row := range r.Rows {
		sum += row.Value
	}
	for _, row := range r.Rows {
		cells := []string{fullText(row.Name), Counts.Word(row.Value), Tenth(shareOf(row.Value, sum))}
		if r.Share != "" {
			cells = append(cells, shareWord(row.Share))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func (r Rows) tableName() string { return lowerFirst(r.Title) }

// shareOf is a part of a sum, and 0 of nothing.
func shareOf(value, sum float64) float64 {
	if !(sum > 0) {
		return 0
	}
	return value / sum
}
