package chart

import "strconv"

// Histogram is how many of something there are by size. Its drawing takes half the width of others: a
// page puts two into an element of the class "pair".
//
// Bins are drawn equally wide, also where they widen, as those of a length of time do; then the unit has
// to say so.
type Histogram struct {
	Head
	// Item names the things that are counted, such as "sessions"; Size names their size, such as "length".
	Item, Size string
	Bins       []Bin
	// Edges puts the mark of a bin at its left edge: the bins are ranges. Otherwise it is below the
	// middle: each bin is one size.
	Edges bool
}

// Bin is one bar of a [Histogram].
type Bin struct {
	Name  string // whole, for the table, such as "5 s to 10 s"
	Mark  string // on the axis, such as "5 s"; empty draws none
	Count int64
}

// histogramStart is the left edge of the bars: "100 %" and a space are before it.
const histogramStart = 50.0

var half = form{"wide", 344}

// Draw returns the drawing.
func (h Histogram) Draw() Drawing {
	h = h.clean()
	return Drawing{Wide: h.draw(half), Narrow: h.draw(narrow)}
}

// clean are the bins with counts that a bar can have.
func (h Histogram) clean() Histogram {
	bins := make([]Bin, len(h.Bins))
	for i, bin := range h.Bins {
		bin.Count = countOf(bin.Count)
		bins[i] = bin
	}
	h.Bins = bins
	return h
}

func (h Histogram) sum() int64 {
	var sum int64
	for _, bin := range h.Bins {
		sum += bin.Count
	}
	return sum
}

// tallest is the first bin of the most.
func (h Histogram) tallest() int {
	tallest := 0
	for i, bin := range h.Bins {
		if bin.Count > h.Bins[tallest].Count {
			tallest = i
		}
	}
	return tallest
}

func (h Histogram) draw(f form) string {
	const top, floor = 40.0, 176.0
	const start = histogramStart
	c := newCanvas(f.class, f.width, floor+24, h.Title, h.describe())
	c.text("m", 0, 13, sentence(h.Unit, f.width))
	sum := float64(h.sum())
	if sum == 0 {
		c.line("axis", start, floor, f.width, floor)
		c.text("m e", start-8, floor+4, "0")
		c.text("c", (start+f.width)/2, (top+floor)/2, sentence(h.nothing(), f.width-start))
		return c.end()
	}
	tallest := h.tallest()
	s := newScale(float64(h.Bins[tallest].Count)/sum, false, floor, floor-top)
	for _, v := range s.ticks() {
		if v > 0 {
			c.line("grid", start, s.y(v), f.width, s.y(v))
		}
		c.text("m e", start-8, s.y(v)+4, Percents.axis(v, s.step))
	}
	pitch := (f.width - start) / float64(max(len(h.Bins), 6))
	bars := ""
	for i, bin := range h.Bins {
		height := s.height(float64(bin.Count) / sum)
		if bin.Count > 0 {
			height = max(1, height)
		}
		bars += box(start+float64(i)*pitch+1, floor-height, pitch-2, height)
	}
	c.path(string(Slate), bars)
	c.line("axis", start, floor, f.width, floor)
	h.marks(c, start, pitch, floor+17)
	h.peak(c, f, start+float64(tallest)*pitch, pitch, s.y(float64(h.Bins[tallest].Count)/sum)-6)
	if !f.narrow() {
		for i, bin := range h.Bins {
			c.tip(start+float64(i)*pitch, top, pitch, floor-top,
				bin.Name+": "+Count(bin.Count)+" "+h.Item+", "+Percent(float64(bin.Count)/sum))
		}
	}
	return c.end()
}

// peak writes the share of the tallest bin above it, moved so that it stays in the drawing.
func (h Histogram) peak(c *canvas, f form, x, pitch, y float64) {
	word := Percent(shareOf(float64(h.Bins[h.tallest()].Count), float64(h.sum())))
	w := BoldWidth(word)
	x = min(max(x+pitch/2, histogramStart+w/2), f.width-w/2)
	c.text("b c halo", x, y, word)
}

// marks writes as many marks as have room: each, each second and so on, and always the last.
func (h Histogram) marks(c *canvas, start, pitch, y float64) {
	middle := func(i int) float64 {
		x := start + float64(i)*pitch
		if !h.Edges {
			x += pitch / 2
		}
		return min(x, c.w-Width(h.Bins[i].Mark)/2)
	}
	meet := func(i, j int) bool {
		return middle(i)+Width(h.Bins[i].Mark)/2+6 > middle(j)-Width(h.Bins[j].Mark)/2
	}
	var shown []int
	for stride := 1; stride <= len(h.Bins); stride++ {
		shown = shown[:0]
		fits := true
		for i := 0; i < len(h.Bins); i += stride {
			fits = fits && (len(shown) == 0 || !meet(shown[len(shown)-1], i))
			shown = append(shown, i)
		}
		if fits {
			break
		}
	}
	last := len(h.Bins) - 1
	for len(shown) > 0 && shown[len(shown)-1] != last && meet(shown[len(shown)-1], last) {
		shown = shown[:len(shown)-1]
	}
	if len(shown) == 0 || shown[len(shown)-1] != last {
		shown = append(shown, last)
	}
	for _, i := range shown {
		c.text("m c", middle(i), y, h.Bins[i].Mark)
		if h.Edges {
			c.line("tick", middle(i), y-17, middle(i), y-13)
		}
	}
}

func (h Histogram) describe() string {
	sum := float64(h.sum())
	if sum == 0 {
		return h.nothing() + "."
	}
	most := h.Bins[h.tallest()]
	return strconv.Itoa(len(h.Bins)) + " bins. The tallest: " + most.Name + ", " + Percent(float64(most.Count)/sum) + "."
}

// Table returns all bins.
func (h Histogram) Table() Table {
	h = h.clean()
	t := Table{Name: lowerFirst(h.Title), Columns: []Column{{Name: h.Size}, {Name: h.Item, Number: true}, {Name: "of all", Number: true}}}
	for _, bin := range h.Bins {
		t.Rows = append(t.Rows, []string{bin.Name, Count(bin.Count), Tenth(shareOf(float64(bin.Count), float64(h.sum())))})
	}
	return t
}
