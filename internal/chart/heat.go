package chart

import (
	"math"
	"strconv"
	"time"
)

// Heat is a week of hours: seven rows from Monday, 24 cells each, in seven equal steps from zero.
type Heat struct {
	Head
	// Cells are the values by weekday, Monday first, and hour of the day. NaN is an hour without data: an
	// outlined cell. Zero has the lowest colour.
	Cells [7][24]float64
}

// heatSteps is the number of colours, h1 to h7; leastStep keeps the words of the legend short.
const (
	heatSteps = 7
	leastStep = 0.001
)

// Weekday names a row of a [Heat], 0 for Monday: Mon.
func Weekday(row int) string { return time.Weekday((row + 1) % 7).String()[:3] }

// Largest returns the place of the largest value, the first of several, and whether there is one above
// zero.
func (h Heat) Largest() (row, hour int, ok bool) {
	most := 0.0
	for r, cells := range h.Cells {
		for c, v := range cells {
			if v > most {
				most, row, hour, ok = v, r, c, true
			}
		}
	}
	return row, hour, ok
}

// empty says whether no cell has data.
func (h Heat) empty() bool {
	for _, cells := range h.Cells {
		for _, v := range cells {
			if !math.IsNaN(v) {
				return false
			}
		}
	}
	return true
}

// step is the height of a colour: a seventh of the largest value, rounded up to two digits.
func (h Heat) step() float64 {
	row, hour, ok := h.Largest()
	if !ok {
		return 0
	}
	raw := h.Cells[row][hour] / heatSteps
	unit := math.Pow(10, math.Floor(math.Log10(raw))-1)
	return max(leastStep, math.Ceil(raw/unit-1e-9)*unit)
}

// level is the colour of a value, from 0.
func level(v, step float64) int {
	if !(v > 0) || step == 0 {
		return 0
	}
	return min(heatSteps-1, int(v/step+1e-9))
}

// clean has values that a cell can have: infinite ones are none, and none is below zero.
func (h Heat) clean() Heat {
	for row := range h.Cells {
		for hour, v := range h.Cells[row] {
			switch {
			case math.IsInf(v, 0):
				h.Cells[row][hour] = math.NaN()
			case !math.IsNaN(v):
				h.Cells[row][hour] = sane(v)
			}
		}
	}
	return h
}

// Draw returns the drawing.
func (h Heat) Draw() Drawing { return both(h.clean().draw) }

func (h Heat) draw(f form) string {
	const top, gap = 22.0, 1.0
	start := pick(f, 40.0, 34.0)
	cellW, cellH := (f.width-start)/24, pick(f, 24.0, 22.0)
	foot := top + 7*cellH
	c := newCanvas(f.class, f.width, foot+pick(f, 46.0, 72.0), h.Title, h.describe())
	every := pick(f, 2, 6)
	for hour := 0; hour < 24; hour += every {
		name := strconv.Itoa(100 + hour)[1:]
		if f.narrow() {
			c.text("m", start+float64(hour)*cellW, 13, name+":00")
		} else {
			c.text("m c", start+(float64(hour)+0.5)*cellW, 13, name)
		}
	}
	for row := range h.Cells {
		c.text("m", 0, top+float64(row)*cellH+cellH/2+4, Weekday(row))
	}
	step, empty := h.step(), h.empty()
	var levels [heatSteps]string
	outlines := ""
	for row, cells := range h.Cells {
		for hour, v := range cells {
			x, y := start+float64(hour)*cellW, top+float64(row)*cellH
			switch {
			case math.IsNaN(v):
				if !empty {
					outlines += box(x+2, y+2, cellW-gap-4, cellH-gap-4)
				}
			case f.narrow():
				levels[level(v, step)] += box(x, y, cellW-gap, cellH-gap)
			default:
				c.tipped("h"+strconv.Itoa(level(v, step)+1), x, y, cellW-gap, cellH-gap, h.cellWords(row, hour))
			}
		}
	}
	for n, data := range levels {
		c.path("h"+strconv.Itoa(n+1), data)
	}
	c.path("outline", outlines)
	if empty {
		c.path("outline", box(start+0.5, top+0.5, f.width-start-1, 7*cellH-1))
		c.text("c", (start+f.width)/2, top+3.5*cellH+4, sentence(h.nothing(), f.width-start-16))
		return c.end()
	}
	if row, hour, ok := h.Largest(); ok {
		x, y := start+float64(hour)*cellW, top+float64(row)*cellH
		c.path("ring", box(x-1, y-1, cellW+1, cellH+1))
		c.path("ring in", box(x+1, y+1, cellW-3, cellH-3))
	}
	h.legend(c, f, start, foot+12, step, outlines != "")
	return c.end()
}

// legend draws the seven steps with the value at which each begins, the unit, and the words of the ring.
func (h Heat) legend(c *canvas, f form, start, y, step float64, holes bool) {
	w := pick(f, 46.0, (f.width-start)/heatSteps)
	for n := range heatSteps {
		if step == 0 && n > 0 {
			break // all values are zero
		}
		x := start + float64(n)*w
		c.path("h"+strconv.Itoa(n+1), box(x, y, w-1, 8))
		c.text("m", x, y+21, heatWord(float64(n)*step, step))
	}
	unit := h.Unit
	if holes {
		unit += "; outlined: no data"
	}
	ring := ""
	if row, hour, ok := h.Largest(); ok {
		ring = "ring: the largest, " + h.cellWords(row, hour)
	}
	if f.narrow() {
		c.text("m", start, y+39, sentence(unit, f.width-start))
		c.text("", start, y+55, sentence(ring, f.width-start))
		return
	}
	x := start + heatSteps*w + 14
	if step == 0 {
		x = start + w + 14
	}
	c.text("m", x, y+21, sentence(unit, f.width-x))
	c.text("e", f.width, y+7, sentence(ring, f.width-x))
}

// heatWord writes the value at which a step begins, with the digits of the step.
func heatWord(v, step float64) string {
	if v == 0 || step >= 1 {
		return Short(v)
	}
	digits := min(3, max(0, 1-int(math.Floor(math.Log10(step)))))
	return strconv.FormatFloat(v, 'f', digits, 64)
}

func (h Heat) cellWords(row, hour int) string {
	return Weekday(row) + " " + strconv.Itoa(100 + hour)[1:] + ":00, " + Decimal(h.Cells[row][hour])
}

func (h Heat) describe() string {
	if h.empty() {
		return h.nothing() + "."
	}
	s := "Seven rows from Monday, 24 hours each, in seven steps of " + Decimal(h.step()) + "."
	if row, hour, ok := h.Largest(); ok {
		s += " The largest: " + h.cellWords(row, hour) + "."
	}
	return s
}

// Table returns the values, an hour a row and a weekday a column.
func (h Heat) Table() Table {
	h = h.clean()
	t := Table{Name: lowerFirst(h.Title), Columns: []Column{{Name: "hour"}}, Note: "– is an hour without data."}
	for row := range h.Cells {
		t.Columns = append(t.Columns, Column{Name: Weekday(row), Number: true})
	}
	for hour := range 24 {
		cells := []string{strconv.Itoa(100 + hour)[1:] + ":00"}
		for row := range h.Cells {
			word := "–"
			if v := h.Cells[row][hour]; !math.IsNaN(v) {
				word = Decimal(v)
			}
			cells = append(cells, word)
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}
