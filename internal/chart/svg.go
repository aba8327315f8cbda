package chart

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// form says which of the two drawings is made. Charts read their sizes from it.
type form struct {
	class string
	width float64
}

var (
	wide   = form{"wide", WideUnits}
	narrow = form{"narrow", NarrowUnits}
)

func (f form) narrow() bool { return f.width == NarrowUnits }

// pick returns a for the wide form and b for the narrow one.
func pick[T any](f form, a, b T) T {
	if f.narrow() {
		return b
	}
	return a
}

// both draws a chart in its two forms.
func both(draw func(form) string) Drawing {
	return Drawing{Wide: draw(wide), Narrow: draw(narrow)}
}

// canvas writes one SVG element. Coordinates have one decimal: a tenth of a unit is a seventh of a pixel.
type canvas struct {
	b    strings.Builder
	w, h float64
}

// newCanvas opens an SVG element with its accessible name and description.
func newCanvas(class string, width, height float64, title, desc string) *canvas {
	c := &canvas{w: width, h: height}
	c.b.WriteString(`<svg class="chart ` + class + `" viewBox="0 0 ` + num(width) + ` ` + num(height) +
		`" role="img"><title>` + escape(heard(title)) + `</title><desc>` + escape(heard(desc)) + `</desc>`)
	return c
}

// heard is text for a screen reader, in which a no-break space is a space.
func heard(s string) string { return Visible(strings.ReplaceAll(s, nbsp, " ")) }

// end closes the element and returns it.
func (c *canvas) end() string {
	c.b.WriteString("</svg>\n")
	return c.b.String()
}

// tipped draws a rectangle that shows text while a pointer rests on it.
func (c *canvas) tipped(class string, x, y, w, h float64, text string) {
	x1, y1, x2, y2 := round(x), round(y), round(x+w), round(y+h)
	c.b.WriteString(`<rect class="` + class + `" x="` + num(x1) + `" y="` + num(y1) + `" width="` + num(x2-x1) + `" height="` + num(y2-y1) +
		`"><title>` + escape(text) + `</title></rect>`)
}

// tip adds an area that shows text while a pointer rests on it. Wide drawings alone have it.
func (c *canvas) tip(x, y, w, h float64, text string) {
	c.b.WriteString(`<rect class="hit" x="` + num(x) + `" y="` + num(y) + `" width="` + num(w) + `" height="` + num(h) +
		`"><title>` + escape(text) + `</title></rect>`)
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	c.path(class, "M"+num(x1)+" "+num(y1)+to(x1, y1, x2, y2))
}

// to is a line relative to the last point, which is shorter than an absolute one.
func to(x1, y1, x2, y2 float64) string {
	switch {
	case num(y1) == num(y2):
		return "H" + num(x2)
	case num(x1) == num(x2):
		return "V" + num(y2)
	default:
		return "L" + num(x2) + " " + num(y2)
	}
}

// path writes data as they are; an empty path is left out.
func (c *canvas) path(class, data string) {
	if data != "" {
		c.b.WriteString(`<path class="` + class + `" d="` + data + `"/>`)
	}
}

func (c *canvas) dot(class string, x, y, r float64) {
	c.b.WriteString(`<circle class="` + class + `" cx="` + num(x) + `" cy="` + num(y) + `" r="` + num(r) + `"/>`)
}

// text writes a line of text with its baseline at y. The class has the letters e (ends at x), c (centred
// at x), m (muted) and b (bold), separated by spaces. The text is shown as it is: callers pass what comes
// from events through [Label] first.
func (c *canvas) text(class string, x, y float64, s string) {
	if s == "" {
		return
	}
	if class != "" {
		halo := slices.Contains(strings.Fields(class), "halo")
		if class = ` class="` + class + `"`; halo {
			class += ` paint-order="stroke"` // validators of CSS do not know the property
		}
	}
	c.b.WriteString(`<text` + class + ` x="` + num(x) + `" y="` + num(y) + `">` + escape(s) + `</text>`)
}

// box is a rectangle as path data. Many boxes of one class are one path, which takes a third of the bytes.
// Edges are rounded, not sizes, so that boxes that touch do so after rounding.
func box(x, y, w, h float64) string {
	x1, y1 := round(x), round(y)
	x2, y2 := round(x+w), round(y+h)
	if x2 <= x1 || y2 <= y1 {
		return ""
	}
	return "M" + num(x1) + " " + num(y1) + "h" + num(x2-x1) + "v" + num(y2-y1) + "H" + num(x1) + "z"
}

// hatch is path data of diagonal lines that fill a rectangle, gap units apart. They are lines and no
// pattern, because a pattern needs an id, which must be unique in a page with many drawings.
func hatch(x, y, w, h, gap float64) string {
	if w <= 0 || h <= 0 {
		return ""
	}
	var b strings.Builder
	// A line is all points with (px - x) + (py - y) = d. It starts on the left or lower edge and ends on the
	// upper or right one. The lines of neighbours meet because d counts from a common origin.
	first := math.Ceil((x+y)/gap) * gap
	for s := first; s < x+y+w+h; s += gap {
		d := s - x - y
		if d < 0.3 || w+h-d < 0.3 {
			continue
		}
		ax, ay := x, y+d
		if d > h {
			ax, ay = x+d-h, y+h
		}
		bx, by := x+d, y
		if d > w {
			bx, by = x+w, y+d-w
		}
		ax, ay, bx, by = round(ax), round(ay), round(bx), round(by)
		if by >= ay {
			continue // too short to be seen
		}
		b.WriteString("M" + num(ax) + " " + num(ay) + "l" + short(bx-ax) + short(by-ay)) // upwards: the sign parts the two
	}
	return b.String()
}

func round(v float64) float64 { return math.Round(v*10) / 10 }

// num writes a coordinate with at most one decimal. A drawing has thousands of them: as integers they take a third of
// the time.
func num(v float64) string {
	tenths := math.Round(v * 10)
	if math.IsNaN(tenths) || math.IsInf(tenths, 0) {
		return "0"
	}
	if math.Abs(tenths) > 1e15 {
		return strconv.FormatFloat(round(v), 'f', -1, 64)
	}
	n := int64(tenths)
	b := make([]byte, 0, 24)
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/10, 10)
	if n%10 > 0 {
		b = append(b, '.', byte('0'+n%10))
	}
	return string(b)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

// escape makes text of any origin a part of an element. It replaces what XML cannot hold.
func escape(s string) string {
	return escaper.Replace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r >= ' ' && r < 0xd800, r > 0xdfff && r < 0xfffe, r > 0xffff:
			return r
		}
		return '\ufffd'
	}, s))
}
