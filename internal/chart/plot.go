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
	wordsRow = 27.0 // baseline of words about spans
	plotTop  = 36.0 // y of the highest tick
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
	if e.x1 < 0 || e.x2 > p.canvas.w {
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
			start, _ := clamp(k.x, Width(k.label), 0, p.canvas.w)
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

// run is a range of the axis in one state, and words about it, longest first.
type run struct {
	x1, x2 float64
	state  State
	words  []string
}

// blanks draws what spans without values look like: a hatch between dashed sides where the API had no
// events, and an empty dashed frame where nothing was pulled yet.
func (p *plot) blanks(runs []run) {
	sorted := slices.Clone(runs)
	slices.SortStableFunc(sorted, func(a, b run) int {
		switch wa, wb := a.x2-a.x1, b.x2-b.x1; {
		case wa > wb:
			return -1
		case wa < wb:
			return 1
		}
		return 0
	})
	var frames, hatches, sides strings.Builder
	for _, r := range runs {
		w := r.x2 - r.x1
		switch r.state {
		case Unpulled:
			inset := math.Min(0.5, w/4)
			frames.WriteString("M" + num(r.x1+inset) + " " + num(p.top) + "H" + num(r.x2-inset) + "V" + num(p.base-1) + "H" + num(r.x1+inset) + "z")
		case Empty:
			hatches.WriteString(hatch(r.x1, p.top, w, p.base-p.top, 6))
			if w >= 3 {
				sides.WriteString("M" + num(r.x1) + " " + num(p.top) + "V" + num(p.base) + "M" + num(r.x2) + " " + num(p.top) + "V" + num(p.base))
			}
		}
	}
	p.path("hatch", hatches.String())
	p.path("side", sides.String())
	p.path("frame", frames.String())
	said := map[State]bool{}
	for _, r := range sorted {
		if r.state != Unpulled && r.state != Empty {
			continue
		}
		words := append(slices.Clone(r.words), r.state.String())
		said[r.state] = p.say(r, words) || said[r.state]
	}
	// A span too thin for its words has them in the first row, after a sample.
	x := p.right
	for _, state := range []State{Empty, Unpulled} {
		if done, any := said[state]; any && !done {
			x = p.sample(x, state)
		}
	}
}

// say writes the words of a span: inside its frame, or above it. It returns whether there was room.
func (p *plot) say(r run, words []string) bool {
	mid := (r.x1 + r.x2) / 2
	if r.state == Unpulled {
		lines := wrap(r.state.String(), r.x2-r.x1-10)
		widest := 0.0
		for _, l := range lines {
			widest = math.Max(widest, Width(l))
		}
		if widest <= r.x2-r.x1-6 {
			y := (p.top+p.base)/2 + 4
			for i, l := range lines {
				p.write("c", mid, y+15*(float64(i)-float64(len(lines)-1)/2), l)
			}
			return true
		}
	}
	for _, w := range words {
		start, _ := clamp(mid, Width(w), p.left, p.canvas.w)
		if p.free("", start, wordsRow, w) {
			p.write("", start, wordsRow, w)
			return true
		}
	}
	return false
}

// sample writes the words of a state after a sample of it, ending at x in the first row, and returns where
// it starts. Without room it writes nothing: the table has it.
func (p *plot) sample(x float64, state State) float64 {
	s := state.String()
	at := x - Width(s)
	if !p.free("", at-20, unitRow, "mmmm") || !p.free("", at, unitRow, s) {
		return x
	}
	p.write("", at, unitRow, s)
	if state == Empty {
		p.path("hatch", hatch(at-17, unitRow-10, 11, 11, 4))
	} else {
		p.path("frame", "M"+num(at-17)+" "+num(unitRow-9.5)+"h11v10h-11z")
	}
	return at - 26
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
