package chart

import (
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// bar draws a bar. One of [Other] is outlined and hatched.
func (c *canvas) bar(color Color, x, y, w, h float64) {
	if color != Other {
		c.path(string(color), box(x, y, w, h))
		return
	}
	if w < 2 {
		c.path(string(Slate), box(x, y, w, h))
		return
	}
	c.path(string(Other), box(x+0.5, y+0.5, w-1, h-1)+hatch(x+0.5, y+0.5, w-1, h-1, 5))
}

// track draws the frame that a whole bar would fill.
func (c *canvas) track(x, y, w, h float64) { c.path("grid", box(x+0.5, y+0.5, w-1, h-1)) }

// countOf is a count as a bar can have it.
func countOf(n int64) int64 { return min(max(n, 0), largest) }

// shareOrNone is a share from 0 to 1, and NaN for a value that is none.
func shareOrNone(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return math.NaN()
	}
	return min(1, max(0, v))
}

// atLeast writes a share in few characters: one below the least as "<1 %", others without a digit after
// the point where the least is 1 %.
func atLeast(least, share float64) string {
	switch {
	case share > 0 && share < least:
		return "<" + strconv.FormatFloat(least*100, 'f', -1, 64) + nbsp + "%"
	case share > 0 && share < 1 && least == 0.01:
		return strconv.Itoa(int(min(99, math.Round(share*100)))) + nbsp + "%"
	}
	return Percent(share)
}

// sentence is words of our own, cut only where a drawing has no room for them.
func sentence(s string, units float64) string { return cut(Visible(s), units, Width) }

// lowerFirst makes a title the end of a sentence: "Table: events a day". Words in capitals stay.
func lowerFirst(title string) string {
	first, n := utf8.DecodeRuneInString(title)
	second, _ := utf8.DecodeRuneInString(title[n:])
	if n == 0 || unicode.IsUpper(second) {
		return title
	}
	return string(unicode.ToLower(first)) + title[n:]
}
