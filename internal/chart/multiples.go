package chart

import (
	"math"
	"strings"
)

// Multiples are one small chart for each series of a stack. Each has a scale of its own, so that a part that
// is thin in the stack shows its course. Convert a [Stack] to draw the same values.
type Multiples Stack

// Draw returns charts in rows of four, or of two in the narrow form. Each has its largest value above it.
func (m Multiples) Draw() Drawing { return both(m.draw) }

// Table is that of the stack: it has the same figures.
func (m Multiples) Table() Table { return Stack(m).Table() }

func (m Multiples) draw(f form) string {
	const head, height, gapX, gapY = 20.0, 36.0, 22.0, 22.0
	s := Stack(m)
	bins, unit := s.bins()
	parts := s.parts()
	columns := pick(f, 4, 2)
	rows := max(1, (len(parts)+columns-1)/columns)
	cell := (f.width - gapX*float64(columns-1)) / float64(columns)
	desc := "Small charts, one a type, each on its own scale: " + unit.name + "s of the same period."
	if len(parts) == 0 {
		desc = "Small charts. " + m.nothing() + "."
	}
	c := newCanvas(f.class, f.width, float64(rows)*(head+height+gapY)-gapY+4, m.Title, desc)
	if len(parts) == 0 {
		c.text("c", f.width/2, head+height/2, m.nothing())
		return c.end()
	}
	most := make([]int64, len(parts))
	word := "max "
	for k, part := range parts {
		for _, n := range bins {
			most[k] = max(most[k], s.of(part, n))
		}
		if 15+BoldWidth(Label(part.Name))+8+Width(word+Count(most[k])) > cell {
			word = "" // whole names are worth more
		}
	}
	for k, part := range parts {
		left := float64(k%columns) * (cell + gapX)
		top := float64(k/columns)*(head+height+gapY) + head
		figure := word + Count(most[k])
		if Width(figure) > cell/2 {
			figure = Short(float64(most[k]))
		}
		s.small(c, part, bins, most[k], figure, extent{left, top, left + cell, top + height})
	}
	return c.end()
}

// small draws one series into a rectangle, with its name and its largest value above.
func (s Stack) small(c *canvas, part part, bins []bin, largest int64, most string, e extent) {
	b := newBands(len(bins), e.x1, e.x2-e.x1)
	c.swatch(part.Color, e.x1, e.y1-19)
	c.text("b", e.x1+15, e.y1-10, FitBold(part.Name, e.x2-e.x1-15-Width(most)-8))
	c.text("m e", e.x2, e.y1-10, most)
	var boxes, lines, stripes strings.Builder
	for i, n := range bins {
		h := float64(s.of(part, n)) / float64(largest) * (e.y2 - e.y1)
		boxes.WriteString(box(b.x(i), e.y2-h, b.bar, h))
		if part.Color == Other {
			lines.WriteString(hatch(b.x(i), e.y2-h, b.bar, h, 4))
		}
		if n.state == Unfinished && b.bar >= 2.5 { // on thinner bars stripes are no longer seen
			stripes.WriteString(stripe(b.x(i), e.y2-h, b.bar, h))
		}
	}
	c.path(fill(part.Color), boxes.String())
	c.path("o", lines.String())
	c.path("stripe", stripes.String())
	c.blankMarks(blankRuns(b, bins), e.y1, e.y2)
	c.line("axis", e.x1, e.y2, math.Max(b.start(len(bins)), e.x1+b.step), e.y2)
}
