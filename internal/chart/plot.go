package chart

import (
	"math"
	"slices"
	"strings"
)

// plot is a canvas with a value axis at the left and a time axis below. Its rows from the top: the unit, words
// about spans without events, the plot, the labels of the time axis.
type plot struct {
	*canvas
	form
	left, right float64 // x of the plot's sides
	top, base   float64 // y of the highest tick and of zero
	scale
	format Format
	taken  []extent // where text is
}

// extent is the rectangle that a text takes.
type extent struct{ x1, y1, x2, y2 float64 }

func (e extent) meets(o extent) bool {
	return e.x1 < o.x2 && o.x1 < e.x2 && e.y1 < o.y2 && o.y1 < e.y2
}

// Rows of a plot. A plot has all of them also when they are empty, so that a live page does not move.
const (
	unitRow  = 11.0 // baseline of the unit
	wordsRow = 26.0 // baseline of words about spans
	plotTop  = 34.0 // y of the highest tick
	axisRow  = 18.0 // from zero to the baseline of the axis's labels
	below    = 24.0 // from zero to the lower edge
)

// room is the size of a plot: its height, and the margins beside it.
type room struct {
	height, right float64
	below         float64 // rows below the axis's labels
}

// newPlot opens a drawing with a scale that has room for max.
func newPlot(f form, h Head, desc string, r room, max float64, format Format) *plot {
	base := plotTop + r.height
	p := &plot{
		canvas: newCanvas(f.class, f.width, base+below+r.below, h.Title, desc),
		form:   f, left: pick(f, 44.0, 38.0), right: f.width - r.right,
		top: plotTop, base: base, format: format,
	}
	p.scale = newScale(max, format == Counts, base, r.height)
	for _, v := range p.ticks() {
		p.left = math.Max(p.left, Width(format.axis(v, p.step))+7)
	}
	return p
}

// write writes text and remembers where it is.
func (p *plot) write(class string, x, y float64, s string) {
	p.text(class, x, y, s)
	p.taken = append(p.taken, textExtent(class, x, y, s))
}

// free says whether text would touch no other text, and stay inside the drawing.
func (p *plot) free(class string, x, y float64, s string) bool {
	e := textExtent(class, x, y, s)
	if e.x1 < 0 || e.x2 > p.w {
		return false
	}
	e.x1 -= 4
	e.x2 += 4
	return !slices.ContainsFunc(p.taken, e.meets)
}

// textExtent is the rectangle of a text that is written with a class.
func textExtent(class string, x, y float64, s string) extent {
	w := Width(s)
	words := strings.Fields(class)
	if slices.Contains(words, "b") {
		w = BoldWidth(s)
	}
	switch {
	case slices.Contains(words, "e"):
		x -= w
	case slices.Contains(words, "c"):
		x -= w / 2
	}
	return extent{x, y - 10, x + w, y + 3}
}

// axes draws the unit, grid lines with their values, and the line at zero.
func (p *plot) axes(unit string) {
	p.write("m", 0, unitRow, unit)
	var grid strings.Builder
	ticks := p.ticks()
	if p.max == 0 {
		ticks = ticks[:1] // no value, no scale
	}
	for _, v := range ticks {
		y := math.Round(p.y(v)) // whole units, so that thin lines are sharp
		if v > 0 {
			grid.WriteString("M" + num(p.left) + " " + num(y) + "H" + num(p.right))
		}
		p.write("m e", p.left-7, y+4, p.format.axis(v, p.step))
	}
	p.path("grid", grid.String())
}

// zero draws the line at zero, above the bars.
func (p *plot) zero() { p.line("axis", p.left, p.base, p.right, p.base) }

// timeAxis draws ticks and their labels.
func (p *plot) timeAxis(ticks []tick) {
	var marks strings.Builder
	for _, k := range ticks {
		marks.WriteString("M" + num(k.x) + " " + num(p.base) + "v5")
		if k.label != "" {
			start, _ := clamp(k.x, Width(k.label), 0, p.w)
			p.write("m", start, p.base+axisRow, k.label)
		}
	}
	p.path("tick", marks.String())
}

// blank writes the sentence of a chart without values into its middle.
func (p *plot) blank(sentence string) {
	x := (p.left + p.right) / 2
	y := (p.top+p.base)/2 + 4
	lines := wrap(sentence, p.right-p.left-8)
	for i, l := range lines {
		p.write("c halo", x, y+15*(float64(i)-float64(len(lines)-1)/2), l)
	}
}

// beside writes bold words next to a point where they touch nothing: left of it, right of it, or above. crossed
// says that something is drawn in a rectangle.
func (p *plot) beside(x, y float64, words string, crossed func(extent) bool) {
	w := BoldWidth(words)
	start, _ := clamp(x, w, 2, p.w-2)
	open := func(class string, x, y float64) bool {
		e := textExtent(class, x, y, words)
		onZero := e.y1 < p.base && p.base < e.y2
		return p.free(class, x, y, words) && !onZero && !crossed(e)
	}
	switch {
	case x-9-w >= p.left && open("b e", x-9, y+4):
		p.write("b e halo", x-9, y+4, words)
	case x+9+w <= p.w && open("b", x+9, y+4):
		p.write("b halo", x+9, y+4, words)
	case p.free("b", start, y-9, words):
		p.write("b halo", start, y-9, words)
	default:
		lines := wrap(words, (p.right-p.left)*0.6)
		for i, l := range lines {
			start, _ := clamp(x, BoldWidth(l), p.left, p.w-2)
			p.write("b halo", start, y+20+15*float64(i), l)
		}
	}
}

// wrap breaks text into lines of at most the given units, at spaces.
func wrap(s string, units float64) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(strings.ReplaceAll(s, nbsp, "\x00")) {
		word = strings.ReplaceAll(word, "\x00", nbsp)
		switch {
		case line == "":
			line = word
		case Width(line+" "+word) <= units:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// spread moves labels apart that are closer than gap, as little as needed, and keeps their order. ideal is
// in order from small to large.
func spread(ideal []float64, gap, min, max float64) []float64 {
	// Labels that would touch form a block around the mean of what its members want.
	type block struct{ sum, n float64 }
	var blocks []block
	for i, v := range ideal {
		b := block{v - float64(i)*gap, 1}
		for len(blocks) > 0 {
			last := blocks[len(blocks)-1]
			if last.sum/last.n <= b.sum/b.n {
				break
			}
			b = block{b.sum + last.sum, b.n + last.n}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	y := make([]float64, 0, len(ideal))
	for _, b := range blocks {
		for range int(b.n) {
			y = append(y, b.sum/b.n+float64(len(y))*gap)
		}
	}
	for i := range y {
		y[i] = math.Max(y[i], min+float64(i)*gap)
	}
	for i := range y {
		y[i] = math.Min(y[i], max-float64(len(y)-1-i)*gap)
	}
	return y
}
