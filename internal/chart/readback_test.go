package chart_test

import (
	"math"
	"strconv"
	"strings"

	"datasync/internal/chart"

	"pgregory.net/rapid"
)

// area is a filled or outlined rectangle of a drawing.
type area struct{ x, y, w, h float64 }

// areas are the rectangles of a class, in their order in the drawing.
func areas(t rapid.TB, marks []mark, class string) []area {
	t.Helper()
	var all []area
	for _, m := range marks {
		if m.attr["class"] != class {
			continue
		}
		if m.name == "rect" {
			all = append(all, area{m.number(t, "x"), m.number(t, "y"), m.number(t, "width"), m.number(t, "height")})
		}
		for _, part := range boxPattern.FindAllStringSubmatch(m.attr["d"], -1) {
			var v [4]float64
			for i := range v {
				v[i] = number(t, part[i+1])
			}
			all = append(all, area{v[0], v[1], v[2], v[3]})
		}
	}
	return all
}

func number(t rapid.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// words are the labels of a drawing.
func words(marks []mark) []string {
	var all []string
	for _, m := range marks {
		if m.name == "text" {
			all = append(all, m.text)
		}
	}
	return all
}

// checkPlaces reads a drawing back, and checks its texts.
func checkPlaces(t rapid.TB, svg string) []mark {
	t.Helper()
	marks := read(t, svg)
	checkTexts(t, marks)
	return marks
}

// checkTexts fails the test where a text leaves the drawing, or two texts overlap, in the widest of the fonts.
func checkTexts(t rapid.TB, marks []mark) {
	t.Helper()
	view := viewBox(t, marks[0])
	var seen []mark
	for _, m := range marks {
		if m.name != "text" {
			continue
		}
		at := extentOf(t, m)
		if at.x1 < -0.5 || at.x2 > view.x2+0.5 || at.y1 < 0 || at.y2 > view.y2+1 {
			t.Errorf("%q at %.1f leaves %.0f", m.text, at, view)
		}
		for _, other := range seen {
			if at.meets(extentOf(t, other)) {
				t.Errorf("%q at %.1f and %q at %.1f overlap", m.text, at, other.text, extentOf(t, other))
			}
		}
		seen = append(seen, m)
	}
}

// checkTable fails the test where a table has no name, or rows of other lengths than its columns.
func checkTable(t rapid.TB, c chart.Chart) {
	t.Helper()
	table := c.Table()
	if table.Name == "" || len(table.Columns) == 0 {
		t.Errorf("the table %q has %d columns", table.Name, len(table.Columns))
	}
	for _, row := range table.Rows {
		if len(row) != len(table.Columns) {
			t.Errorf("table %s: %d cells for %d columns: %q", table.Name, len(row), len(table.Columns), row)
		}
	}
}

// drawn says whether a length in a drawing is that of a share of some units: within what rounding its edges
// to tenths explains, and seen if the share is not zero.
func drawn(length, share, units float64) bool {
	want := share * units
	if share > 0 {
		want = max(1, want)
	}
	return math.Abs(length-want) <= 0.21
}

// percent reads the tick of an axis: 25 %.
func percent(t rapid.TB, word string) float64 {
	return number(t, strings.TrimSuffix(word, "\u00a0%")) / 100
}
