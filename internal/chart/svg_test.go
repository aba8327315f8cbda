package chart_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"datasync/internal/chart"

	"pgregory.net/rapid"
)

// mark is an element of a drawing, read back.
type mark struct {
	name string
	attr map[string]string
	text string
}

func (m mark) has(class string) bool { return slices.Contains(strings.Fields(m.attr["class"]), class) }

func (m mark) number(t rapid.TB, name string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(m.attr[name], 64)
	if err != nil {
		t.Fatalf("<%s> has %s=%q", m.name, name, m.attr[name])
	}
	return v
}

// read parses a drawing, which must be well-formed.
func read(t rapid.TB, svg string) []mark {
	t.Helper()
	var marks []mark
	var open []int
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			m := mark{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				m.attr[a.Name.Local] = a.Value
			}
			open = append(open, len(marks))
			marks = append(marks, m)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				marks[open[len(open)-1]].text += string(token)
			}
		}
	}
	if len(open) > 0 || len(marks) == 0 {
		t.Fatal("not a whole element")
	}
	return marks
}

// rectangle is an area of a drawing.
type rectangle struct{ x1, y1, x2, y2 float64 }

func (r rectangle) meets(o rectangle) bool {
	return r.x1 < o.x2 && o.x1 < r.x2 && r.y1 < o.y2 && o.y1 < r.y2
}

// extentOf is where a text is, by the widths of DejaVu Sans. Letters are 9 units high above the baseline and 3 below.
func extentOf(t rapid.TB, m mark) rectangle {
	x, y := m.number(t, "x"), m.number(t, "y")
	w := chart.Width(m.text)
	if m.has("b") {
		w = chart.BoldWidth(m.text)
	}
	switch {
	case m.has("e"):
		x -= w
	case m.has("c"):
		x -= w / 2
	}
	return rectangle{x, y - 9, x + w, y + 3}
}

// boxes reads the rectangles of path data.
func boxes(t *testing.T, data string) []rectangle {
	t.Helper()
	var all []rectangle
	for _, m := range boxPattern.FindAllStringSubmatch(data, -1) {
		var v [4]float64
		for i := range v {
			v[i], _ = strconv.ParseFloat(m[i+1], 64)
		}
		all = append(all, rectangle{v[0], v[1], v[0] + v[2], v[1] + v[3]})
	}
	if rest := boxPattern.ReplaceAllString(data, ""); rest != "" {
		t.Fatalf("no boxes: %q", rest)
	}
	return all
}

var boxPattern = regexp.MustCompile(`M(-?[\d.]+) (-?[\d.]+)h([\d.]+)v([\d.]+)H-?[\d.]+z`)

// forms calls a test with both forms of each figure.
func forms(t *testing.T, test func(t *testing.T, name string, marks []mark, svg string)) {
	for _, f := range figures() {
		d := f.chart.Draw()
		for form, svg := range map[string]string{"wide": d.Wide, "narrow": d.Narrow} {
			if svg != "" {
				t.Run(f.name+"/"+form, func(t *testing.T) { test(t, f.name+"."+form, read(t, svg), svg) })
			}
		}
	}
}

// TestDrawingsAreGolden: a change of a drawing is seen in review.
func TestDrawingsAreGolden(t *testing.T) {
	seen := map[string]bool{}
	forms(t, func(t *testing.T, name string, _ []mark, svg string) {
		path := filepath.Join("testdata", name+".svg")
		seen[name+".svg"] = true
		if *update {
			if err := os.WriteFile(path, []byte(svg), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != svg {
			t.Errorf("%s is another drawing now: look at it (-gallery), then -update", path)
		}
	})
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".svg") && !seen[f.Name()] {
			if *update {
				_ = os.Remove(filepath.Join("testdata", f.Name()))
				continue
			}
			t.Errorf("testdata/%s belongs to no figure", f.Name())
		}
	}
}

// TestDrawingsAreAccessible: each has a role, a title and a description, and nothing that a strict policy forbids.
func TestDrawingsAreAccessible(t *testing.T) {
	classes := regexp.MustCompile(`\.[a-z][a-z0-9-]*`).FindAllString(chart.Styles(), -1)
	forms(t, func(t *testing.T, _ string, marks []mark, _ string) {
		if marks[0].name != "svg" || marks[0].attr["role"] != "img" || marks[1].name != "title" || marks[2].name != "desc" {
			t.Errorf("begins with %v", marks[:3])
		}
		if marks[1].text == "" || marks[2].text == "" {
			t.Error("no title or description")
		}
		for _, m := range marks {
			if !slices.Contains([]string{"svg", "title", "desc", "g", "path", "rect", "circle", "text"}, m.name) {
				t.Errorf("<%s>", m.name)
			}
			for name := range m.attr {
				if !slices.Contains([]string{"class", "viewBox", "role", "d", "x", "y", "width", "height", "cx", "cy", "r", "paint-order"}, name) {
					t.Errorf("<%s %s>", m.name, name)
				}
			}
			for _, class := range strings.Fields(m.attr["class"]) {
				if !slices.Contains(classes, "."+class) && class != "wide" {
					t.Errorf("class %q has no style", class)
				}
			}
		}
	})
}

// TestTextIsInsideAndApart: no text leaves the drawing, and no two touch.
func TestTextIsInsideAndApart(t *testing.T) {
	forms(t, func(t *testing.T, _ string, marks []mark, _ string) { checkTexts(t, marks) })
}

func viewBox(t rapid.TB, m mark) rectangle {
	var r rectangle
	if _, err := fmt.Sscanf(m.attr["viewBox"], "%f %f %f %f", &r.x1, &r.y1, &r.x2, &r.y2); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMarksAreInside: no coordinate of a path, a dot or a rectangle leaves the drawing.
func TestMarksAreInside(t *testing.T) {
	forms(t, func(t *testing.T, _ string, marks []mark, _ string) {
		view := viewBox(t, marks[0])
		for _, m := range marks {
			var points [][2]float64
			switch m.name {
			case "path":
				points = trace(t, m.attr["d"])
			case "circle":
				points = [][2]float64{{m.number(t, "cx"), m.number(t, "cy")}}
			case "rect":
				x, y := m.number(t, "x"), m.number(t, "y")
				points = [][2]float64{{x, y}, {x + m.number(t, "width"), y + m.number(t, "height")}}
			}
			for _, p := range points {
				if p[0] < -0.6 || p[1] < -0.6 || p[0] > view.x2+0.6 || p[1] > view.y2+0.6 || math.IsNaN(p[0]+p[1]) {
					t.Errorf("<%s class=%q> has a point at %.1f", m.name, m.attr["class"], p)
					break
				}
			}
		}
	})
}

var pathToken = regexp.MustCompile(`[a-zA-Z]|-?\d*\.?\d+`)

// trace lists the points of a path.
func trace(t *testing.T, data string) [][2]float64 {
	t.Helper()
	var points [][2]float64
	var x, y float64
	tokens := pathToken.FindAllString(data, -1)
	command := byte(0)
	for i := 0; i < len(tokens); {
		if c := tokens[i][0]; c >= 'A' && c <= 'z' {
			command = c
			i++
		}
		need := map[byte]int{'M': 2, 'L': 2, 'l': 2, 'm': 2, 'H': 1, 'V': 1, 'h': 1, 'v': 1, 'z': 0}[command]
		var v [2]float64
		for k := range need {
			var err error
			if v[k], err = strconv.ParseFloat(tokens[i+k], 64); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
		}
		i += need
		switch command {
		case 'M', 'L':
			x, y = v[0], v[1]
		case 'l', 'm':
			x, y = x+v[0], y+v[1]
		case 'H':
			x = v[0]
		case 'h':
			x += v[0]
		case 'V':
			y = v[0]
		case 'v':
			y += v[0]
		case 'z':
			continue
		default:
			t.Fatalf("command %q", command)
		}
		points = append(points, [2]float64{x, y})
	}
	return points
}

// TestTablesAreWhole: each row has a cell for each column.
func TestTablesAreWhole(t *testing.T) {
	for _, f := range figures() {
		table := f.chart.Table()
		if table.Name == "" || len(table.Columns) < 2 {
			t.Errorf("%s: table %q with %d columns", f.name, table.Name, len(table.Columns))
		}
		for _, row := range table.Rows {
			if len(row) != len(table.Columns) {
				t.Errorf("%s: %d cells of %d in %q", f.name, len(row), len(table.Columns), row)
			}
		}
	}
}

// TestTextOfEventsCannotLeaveItsElement: names are text, whatever they contain.
func TestTextOfEventsCannotLeaveItsElement(t *testing.T) {
	for _, name := range hostile {
		s := chart.Stack{Head: chart.Head{Title: name, Unit: "events"}, Series: []chart.Series{{Name: name, Color: chart.Slate}},
			Days: []chart.Counted{{From: start, To: start.AddDate(0, 0, 1), Values: []int64{5}}}}
		for _, svg := range []string{s.Draw().Wide, s.Draw().Narrow} {
			found := false
			for _, m := range read(t, svg) {
				found = found || m.name == "text" && (m.text == chart.Label(name) || strings.Contains(m.text, "…"))
				if m.name == "script" || m.name == "img" {
					t.Errorf("%q made <%s>", name, m.name)
				}
			}
			if !found {
				t.Errorf("%q is not shown", name)
			}
		}
	}
}

var hostile = []string{
	"", " ", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "]]>", "&lt;", "a\x00b", "\xff\xfe",
	"/\u202egpj.exe", "tab\there\u200bzero", strings.Repeat("界", 40), strings.Repeat("a", 500), "e\u0301\u0301\u0301\u0301\u0301",
	"\u0301", "🙂👨\u200d👩", "\ufffe", "a\u2028b", strings.Repeat("W", 33),
}

func parse(word string) (float64, error) {
	return strconv.ParseFloat(strings.ReplaceAll(word, ",", ""), 64)
}

func count(t *testing.T, word string) int64 {
	t.Helper()
	v, err := parse(word)
	if err != nil {
		t.Fatal(err)
	}
	return int64(v)
}
