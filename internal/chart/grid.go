package chart

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Grid is counts by two properties, such as device and browser. All its bars have one scale.
type Grid struct {
	Head
	// Item names the things that are counted, such as "events". Down and Across are the properties, such
	// as "device" and "browser".
	Item, Down, Across string
	Rows, Columns      []string
	// Counts are by row and column.
	Counts [][]int64
}

// A drawing has at most as many rows and columns as these; the last ones are those of all others.
const (
	gridRows    = 6
	gridColumns = 5
)

// othersSuffix follows the number of rows or columns that are one.
const othersSuffix = " others"

// folded is a grid of the largest rows and columns, by sum, in descending order; all others are one.
func (g Grid) folded() Grid {
	rows, columns := make([]int64, len(g.Rows)), make([]int64, len(g.Columns))
	for r, counts := range g.Counts {
		for c, count := range counts {
			rows[r] += countOf(count)
			columns[c] += countOf(count)
		}
	}
	downTo, names := fold(g.Rows, rows, gridRows)
	acrossTo, heads := fold(g.Columns, columns, gridColumns)
	out := g
	out.Rows, out.Columns = names, heads
	out.Counts = make([][]int64, len(names))
	for r := range out.Counts {
		out.Counts[r] = make([]int64, len(heads))
	}
	for r, counts := range g.Counts {
		for c, count := range counts {
			out.Counts[downTo[r]][acrossTo[c]] += countOf(count)
		}
	}
	return out
}

// fold orders names by their sums, keeps at most most of them, and returns for each name its new place. The
// names come back as labels.
func fold(names []string, sums []int64, most int) (to []int, labels []string) {
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sums[b], sums[a]) })
	to = make([]int, len(names))
	for place, i := range order {
		if len(names) > most && place >= most-1 {
			to[i] = most - 1
			continue
		}
		to[i] = place
		labels = append(labels, names[i])
	}
	if rest := len(names) - most + 1; rest > 1 {
		labels = append(labels, strconv.Itoa(rest)+othersSuffix)
	}
	return to, labels
}

func (g Grid) sum() int64 {
	var sum int64
	for _, counts := range g.Counts {
		for _, count := range counts {
			sum += countOf(count)
		}
	}
	return sum
}

// largest is the place of the largest count.
func (g Grid) largest() (row, column int) {
	most := int64(-1)
	for r, counts := range g.Counts {
		for c, count := range counts {
			if count > most {
				most, row, column = count, r, c
			}
		}
	}
	return row, column
}

// Draw returns the drawing.
func (g Grid) Draw() Drawing { return both(g.folded().draw) }

// draw draws a folded grid.
func (g Grid) draw(f form) string {
	const top = 22.0
	pitch := pick(f, 44.0, 40.0)
	c := newCanvas(f.class, f.width, top+pitch*float64(max(len(g.Rows), 1))-10, g.Title, g.describe())
	sum := float64(g.sum())
	if sum == 0 {
		c.line("axis", 0.5, top, 0.5, top+pitch-10)
		c.text("", 12, top+pitch/2, sentence(g.nothing(), f.width-12))
		return c.end()
	}
	start := 40.0
	for _, name := range g.Rows {
		start = max(start, Width(Label(name)))
	}
	names, gap := min(start, pick(f, 120.0, 78.0)), pick(f, 22.0, 8.0)
	start = names + gap
	pitchX := (f.width - start + gap) / float64(len(g.Columns))
	bars := pitchX - gap
	row, column := g.largest()
	longest := float64(g.Counts[row][column])
	// Counts beside some shares and not beside others would look like a difference.
	counted := !f.narrow()
	for _, counts := range g.Counts {
		for _, count := range counts {
			counted = counted && BoldWidth(atLeast(0.001, float64(count)/sum))+Width(Count(count))+8 <= bars
		}
	}
	for n, name := range g.Columns {
		if Width(name) > bars && strings.HasSuffix(name, othersSuffix) && n == gridColumns-1 {
			name = strings.TrimSpace(othersSuffix)
		}
		c.text(nameClass("", name), start+float64(n)*pitchX, 13, Fit(name, bars))
	}
	paths := ""
	for r, name := range g.Rows {
		y := top + pitch*float64(r)
		c.text(nameClass("", name), 0, y+14, Fit(name, names))
		for n, count := range g.Counts[r] {
			x := start + float64(n)*pitchX
			share := atLeast(0.001, float64(count)/sum)
			c.text(pick(f, "b", ""), x, y+14, share)
			if counted {
				c.text("m e", x+bars, y+14, Count(count))
			}
			paths += box(x, y+19, barLength(float64(count), longest, bars), 7)
			if !f.narrow() {
				c.tip(x, y, bars, 28, g.words(r, n))
			}
		}
	}
	c.path(string(Slate), paths)
	return c.end()
}

func (g Grid) words(row, column int) string {
	return fullText(g.Rows[row]) + ", " + fullText(g.Columns[column]) + ": " + Count(g.Counts[row][column]) + " " + g.Item + ", " +
		Percent(shareOf(float64(g.Counts[row][column]), float64(g.sum()))) + " of all"
}

func (g Grid) describe() string {
	if g.sum() == 0 {
		return g.nothing() + "."
	}
	row, column := g.largest()
	return strconv.Itoa(len(g.Rows)*len(g.Columns)) + " bars on one scale. The longest: " + g.words(row, column) + "."
}

// Table returns each pair with a count, the largest first.
func (g Grid) Table() Table {
	t := Table{Name: lowerFirst(g.Title), Columns: []Column{{Name: g.Down}, {Name: g.Across}, {Name: g.Item, Number: true}, {Name: "of all", Number: true}}}
	type cell struct{ row, column int }
	var cells []cell
	for r, counts := range g.Counts {
		for n, count := range counts {
			if count > 0 {
				cells = append(cells, cell{r, n})
			}
		}
	}
	slices.SortStableFunc(cells, func(a, b cell) int {
		return cmp.Compare(g.Counts[b.row][b.column], g.Counts[a.row][a.column])
	})
	sum := float64(g.sum())
	for _, at := range cells {
		count := countOf(g.Counts[at.row][at.column])
		t.Rows = append(t.Rows, []string{fullText(g.Rows[at.row]), fullText(g.Columns[at.column]), Count(count), Tenth(shareOf(float64(count), sum))})
	}
	return t
}
