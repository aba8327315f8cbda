package chart_test

import (
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"pgregory.net/rapid"

	"datasync/internal/chart"
)

// mark is an element of a drawing, read back.
type mark struct {
	tag, class string
	attributes map[string]string
	text       string // of a text, or of the tooltip of a rectangle
}

// rectangle is a filled or outlined area of a drawing.
type rectangle struct{ x, y, w, h float64 }

// readBack parses one form of a drawing. It fails the test where the drawing is no well-formed SVG element
// with its names, or has what a page's policy refuses.
func readBack(t rapid.TB, svg string) (width, height float64, marks []mark) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	var open []int
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in %.300s", err, svg)
		}
		switch e := token.(type) {
		case xml.StartElement:
			m := mark{tag: e.Name.Local, attributes: map[string]string{}}
			for _, a := range e.Attr {
				m.attributes[a.Name.Local] = a.Value
				if a.Name.Local == "class" {
					m.class = a.Value
				}
			}
			open = append(open, len(marks))
			marks = append(marks, m)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				marks[open[len(open)-1]].text += string(e)
			}
		}
	}
	if len(marks) < 3 || marks[0].tag != "svg" || marks[1].tag != "title" || marks[2].tag != "desc" || marks[0].attributes["role"] != "img" || marks[1].text == "" || marks[2].text == "" {
		t.Fatalf("no drawing with a role, a title and a description: %.300s", svg)
	}
	allowed := map[string]string{
		"svg": " class viewBox role ", "title": " ", "desc": " ", "g": " class ", "path": " class d ",
		"rect": " class x y width height ", "text": " class x y ", "circle": " class cx cy r ",
	}
	for _, m := range marks {
		for name := range m.attributes {
			if !strings.Contains(allowed[m.tag], " "+name+" ") {
				t.Errorf("<%s> has the attribute %s", m.tag, name)
			}
		}
		for _, r := range m.text {
			if r != '\u00a0' && r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%U in %q", r, m.text)
			}
		}
	}
	box := strings.Fields(marks[0].attributes["viewBox"])
	return number(t, box[2]), number(t, box[3]), marks
}

func number(t rapid.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var boxData = regexp.MustCompile(`M(-?[\d.]+) (-?[\d.]+)h(-?[\d.]+)v(-?[\d.]+)H`)

// rectangles are those of the marks of a class, in their order in the drawing.
func rectangles(t rapid.TB, marks []mark, class string) []rectangle {
	t.Helper()
	var all []rectangle
	for _, m := range marks {
		if m.class != class {
			continue
		}
		if m.tag == "rect" {
			all = append(all, rectangle{number(t, m.attributes["x"]), number(t, m.attributes["y"]), number(t, m.attributes["width"]), number(t, m.attributes["height"])})
		}
		for _, part := range boxData.FindAllStringSubmatch(m.attributes["d"], -1) {
			all = append(all, rectangle{number(t, part[1]), number(t, part[2]), number(t, part[3]), number(t, part[4])})
		}
	}
	return all
}

// texts are the labels of a drawing.
func texts(marks []mark) []string {
	var all []string
	for _, m := range marks {
		if m.tag == "text" {
			all = append(all, m.text)
		}
	}
	return all
}

// checkPlaces fails the test where a label or a rectangle leaves the drawing, or two labels overlap, by the
// widths of the widest font.
func checkPlaces(t rapid.TB, svg string) {
	t.Helper()
	width, height, marks := readBack(t, svg)
	type placed struct {
		rectangle
		text string
	}
	var seen []placed
	for _, m := range marks {
		class := " " + m.class + " "
		for _, r := range rectangles(t, []mark{m}, m.class) {
			if r.w < 0 || r.h < 0 || r.x < -1.1 || r.y < -1.1 || r.x+r.w > width+1.1 || r.y+r.h > height+1.1 {
				t.Errorf("%s at %v leaves %.0f x %.0f in %s", m.class, r, width, height, marks[1].text)
			}
		}
		if m.tag != "text" {
			continue
		}
		x, y, w := number(t, m.attributes["x"]), number(t, m.attributes["y"]), chart.Width(m.text)
		if strings.Contains(class, " b ") {
			w = chart.BoldWidth(m.text)
		}
		switch {
		case strings.Contains(class, " e "):
			x -= w
		case strings.Contains(class, " c "):
			x -= w / 2
		}
		at := rectangle{x, y - 9, w, 11}
		if at.x < -1.1 || at.x+at.w > width+1.1 || at.y < -0.1 || at.y+at.h > height+2.1 {
			t.Errorf("%q at %v leaves %.0f x %.0f in %s", m.text, at, width, height, marks[1].text)
		}
		for _, other := range seen {
			if math.Min(at.x+at.w, other.x+other.w)-math.Max(at.x, other.x) > 0.1 && math.Min(at.y+at.h, other.y+other.h)-math.Max(at.y, other.y) > 0.1 {
				t.Errorf("%q at %v and %q at %v overlap in %s", m.text, at, other.text, other.rectangle, marks[1].text)
			}
		}
		seen = append(seen, placed{at, m.text})
	}
}

// checkTable fails the test where a table is not one: no name, or rows of other lengths than its columns.
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
