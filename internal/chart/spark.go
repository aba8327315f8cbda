package chart

import (
	"math"
	"strings"
)

// Spark is a row of small columns below a key figure: hollow ones for the period before, solid ones for this
// one. It has no axis. One form serves all widths.
type Spark struct {
	// Title says what the columns are, such as "events a day, Tue 13 – Mon 26 Jan".
	Title string
	// Before and Now are values from old to new. NaN is a value that is not there.
	Before, Now []float64
}

// Size of a spark in units. A page gives it the same size in pixels.
const (
	SparkWidth  = 132.0
	SparkHeight = 28.0
)

// Draw returns the columns.
func (s Spark) Draw() Drawing {
	c := newCanvas("spark", SparkWidth, SparkHeight, s.Title, "Columns. The table of the chart below has the figures.")
	all := append(append([]float64(nil), s.Before...), s.Now...)
	most := 0.0
	for _, v := range all {
		most = math.Max(most, sane(v))
	}
	step := math.Min(SparkWidth/math.Max(float64(len(all)), 1), 16)
	bar := math.Max(step-2, step*0.75)
	const base = SparkHeight - 1
	var hollow, solid, missing strings.Builder
	for i, v := range all {
		x := float64(i) * step
		if !(v >= 0) {
			missing.WriteString("M" + num(x) + " " + num(base-0.5) + "h" + num(bar))
			continue
		}
		h := 0.0
		if most > 0 {
			h = sane(v) / most * (SparkHeight - 3)
		}
		if i < len(s.Before) {
			// The stroke is within the column, so that hollow and solid ones of one value are as high.
			hollow.WriteString(box(x+0.5, base-h+0.5, bar-1, math.Max(h-0.5, 0.2)))
		} else {
			solid.WriteString(box(x, base-h, bar, h))
		}
	}
	c.path("hollow", hollow.String())
	c.path(string(Slate), solid.String())
	c.path("frame", missing.String())
	c.line("axis", 0, base+0.5, math.Max(step*float64(len(all))-(step-bar), 0), base+0.5)
	return Drawing{Wide: c.end()}
}

// Table returns a row a value.
func (s Spark) Table() Table {
	t := Table{Name: s.Title, Columns: []Column{{"period", false}, {"value", true}}}
	for k, values := range [][]float64{s.Before, s.Now} {
		for _, v := range values {
			t.Rows = append(t.Rows, []string{[...]string{"before", "now"}[k], Counts.Word(v)})
		}
	}
	return t
}
