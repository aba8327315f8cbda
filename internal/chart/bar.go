package chart

import (
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
