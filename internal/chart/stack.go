package chart

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Series is one part of what a chart shows.
type Series struct {
	Name  string
	Color Color
}

// Stack is events a day by type: a bar a day, or a week or a month where a hundred bars are not enough.
// Series with colours of types have the order of [Types] whatever their order here; all series with [Other]
// are one part, on top. The table keeps them apart.
type Stack struct {
	// Head.Unit is a noun in the plural, such as "events".
	Head
	Series []Series
	// Days are all days of the period, in order, also those without events.
	Days []Counted
}

// Counted is a span of time, usually a day, with a count for each series.
type Counted struct {
	From, To time.Time
	State    State
	Values   []int64
}

// part is a series as it is drawn.
type part struct {
	Series
	members []int
	total   int64
}

// parts orders and joins the series of a stack. Those without any event are not drawn.
func (s Stack) parts() []part {
	var parts []part
	other := part{Series: Series{"other", Other}}
	for i, series := range s.Series {
		total := int64(0)
		for _, d := range s.Days {
			total += d.value(i)
		}
		switch {
		case total == 0:
		case series.Color == Other:
			other.members = append(other.members, i)
			other.total += total
		default:
			parts = append(parts, part{series, []int{i}, total})
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return a.Color.rank() - b.Color.rank() })
	if other.total > 0 {
		parts = append(parts, other)
	}
	return parts
}

func (c Counted) value(i int) int64 {
	if i >= len(c.Values) || c.State == Unpulled || c.State == Empty {
		return 0
	}
	return max(c.Values[i], 0)
}

// bins are the bars of a stack. A whole day without events is an empty one.
func (s Stack) bins() ([]bin, period) {
	return group(len(s.Days), func(i int) (time.Time, time.Time, State) {
		d := s.Days[i]
		if d.State == Whole && d.sum() == 0 {
			return d.From, d.To, Empty
		}
		return d.From, d.To, d.State
	})
}

func (c Counted) sum() int64 {
	sum := int64(0)
	for i := range c.Values {
		sum += c.value(i)
	}
	return sum
}

// of sums up a part in a bar.
func (s Stack) of(p part, n bin) int64 {
	sum := int64(0)
	for _, d := range n.members {
		for _, i := range p.members {
			sum += s.Days[d].value(i)
		}
	}
	return sum
}

func (s Stack) sumOf(n bin) int64 {
	sum := int64(0)
	for _, d := range n.members {
		sum += s.Days[d].sum()
	}
	return sum
}

// Draw returns stacked bars with a label for each part at the right.
func (s Stack) Draw() Drawing { return both(s.draw) }

func (s Stack) draw(f form) string {
	bins, unit := s.bins()
	parts := s.parts()
	most, best := int64(0), 0
	for i, n := range bins {
		if v := s.sumOf(n); v > most {
			most, best = v, i
		}
	}
	desc := "Stacked bars. " + s.nothing() + "."
	if most > 0 {
		desc = "Stacked bars, one a " + unit.name + ": " + Plural(int64(len(bins)), unit.name) + " from " + DayYear(bins[0].from) +
			" to " + DayYear(bins[len(bins)-1].to.Add(-1)) + ". The largest is " + binName(bins[best], unit) + " with " + Count(most) + "."
	}
	p := newPlot(f, s.Head, desc, room{height: pick(f, 216.0, 196.0), right: pick(f, 160.0, 106.0)}, float64(most), Counts)
	b := newBands(len(bins), p.left, p.right-p.left)
	if most > 0 {
		p.right = math.Max(b.start(len(bins)), p.left+b.step)
	} else {
		p.right = f.width
		b = newBands(len(bins), p.left, p.right-p.left)
	}
	p.axes(s.Unit + " a " + unit.name)
	s.bars(p, b, bins, parts)
	p.zero()
	if len(bins) > 0 {
		p.timeAxis(timeTicks(bins[0].from, bins[len(bins)-1].to, 24*time.Hour, timeToBand(b, bins), 0, f.width))
	}
	if onlyEmpty(bins) {
		p.blank(s.nothing())
	} else {
		p.blanks(blankRuns(b, bins))
	}
	s.sums(p, b, bins)
	s.labels(p, b, bins, parts)
	if !f.narrow() {
		s.tips(p, b, bins, parts, unit)
	}
	return p.end()
}

// bars draws each part as one path, hairlines between parts, and stripes over bars that are not whole.
func (s Stack) bars(p *plot, b bands, bins []bin, parts []part) {
	sums := make([]int64, len(bins))
	edges := make([][]float64, len(bins)) // y of the lines between parts
	for _, part := range parts {
		var boxes, lines strings.Builder
		for i, n := range bins {
			v := s.of(part, n)
			if v == 0 {
				continue
			}
			low, high := p.y(float64(sums[i])), p.y(float64(sums[i]+v))
			boxes.WriteString(box(b.x(i), high, b.bar, low-high))
			if part.Color == Other {
				lines.WriteString(hatch(b.x(i), high, b.bar, low-high, 4))
			}
			if sums[i] > 0 && low-high > 1 {
				edges[i] = append(edges[i], round(low))
			}
			sums[i] += v
		}
		p.path(fill(part.Color), boxes.String())
		p.path("o", lines.String())
	}
	var hair, stripes strings.Builder
	for i, n := range bins {
		hair.WriteString(rungs(b.x(i), b.bar, edges[i]))
		if n.state == Unfinished {
			top := p.y(float64(sums[i]))
			stripes.WriteString(stripe(b.x(i), top, b.bar, p.base-top))
		}
	}
	p.path("hair", hair.String())
	p.path("stripe", stripes.String())
}

// stripe is path data of the stripes over a bar that is not whole. On a thin bar they are level.
func stripe(x, y, w, h float64) string {
	const apart = 5.0
	if w >= 7 {
		return hatch(x, y, w, h, apart)
	}
	var ys []float64
	for at := y + h - apart/2; at > y; at -= apart {
		ys = append(ys, round(at))
	}
	return rungs(x, w, ys)
}

// rungs is path data of level lines of one width, drawn forth and back, which takes half the bytes of single ones.
func rungs(x, width float64, ys []float64) string {
	var b strings.Builder
	for i, y := range ys {
		switch {
		case i == 0:
			b.WriteString("M" + num(x) + " " + num(y) + "h" + num(width))
		case i%2 == 1:
			b.WriteString("m0" + spaced(y-ys[i-1]) + "h-" + num(width))
		default:
			b.WriteString("m0" + spaced(y-ys[i-1]) + "h" + num(width))
		}
	}
	return b.String()
}

// sums writes the number of a bar above it, where all have room: a few bars need no axis to be read.
func (s Stack) sums(p *plot, b bands, bins []bin) {
	for _, n := range bins {
		if Width(Count(s.sumOf(n))) > b.step-8 {
			return
		}
	}
	for i, n := range bins {
		sum := s.sumOf(n)
		x, y, words := b.mid(i), p.y(float64(sum))-5, Count(sum)
		if sum > 0 && p.free("c", x, y, words) {
			p.write("c", x, y, words)
		}
	}
}

// fill is the class with which an area has a colour. Hatched ones have a pale ground.
func fill(c Color) string {
	if c == Other {
		return "og"
	}
	return string(c)
}

// swatch is a sample of a colour, ten units square.
func (c *canvas) swatch(color Color, x, y float64) {
	c.path(fill(color), box(x, y, 10, 10))
	if color == Other {
		c.path("o", hatch(x, y, 10, 10, 4))
	}
}

// labels names the parts at the right of the bars, from the top of the stack, with a line to the last bar.
func (s Stack) labels(p *plot, b bands, bins []bin, parts []part) {
	if len(parts) == 0 {
		return
	}
	last := bins[len(bins)-1]
	atLast := s.sumOf(last) > 0
	from := last
	if !atLast {
		from = bin{members: allOf(len(s.Days))}
	}
	total, whole := s.sumOf(from), s.sumOf(bin{members: allOf(len(s.Days))})
	height := p.base - p.top
	if atLast {
		height = p.height(float64(total))
	}
	ideal := make([]float64, len(parts))
	below := int64(0)
	for i, part := range parts {
		v := s.of(part, from)
		ideal[len(parts)-1-i] = p.base - height*(float64(below)+float64(v)/2)/float64(total)
		below += v
	}
	ys := spread(ideal, 15, p.top+2, p.base-4)
	x := p.right + pick(p.form, 22.0, 14.0)
	nameRoom := p.w - x - 15
	shares := x + 15 + 124
	if !p.narrow() {
		nameRoom -= 42
		if shares > p.w-20 {
			shares = p.w
		}
	}
	var leads strings.Builder
	for k, y := range ys {
		part := parts[len(parts)-1-k]
		if atLast && s.of(part, last) > 0 {
			leads.WriteString("M" + num(b.x(len(bins)-1)+b.bar+1.5) + " " + num(ideal[k]) + "L" + num(x-7) + " " + num(y) + "H" + num(x-2))
		}
		p.swatch(part.Color, x, y-5)
		p.write("", x+15, y+4, Fit(part.Name, nameRoom))
		if !p.narrow() {
			p.write("m e", shares, y+4, Percent(float64(part.total)/float64(whole)))
		}
	}
	p.path("lead", leads.String())
}

func allOf(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// mostTips is the number of bars up to which a tip has all parts: the text of many takes more bytes than their bars.
const mostTips = 62

// tips lets a pointer read a bar: its sum and its parts, from the top of the stack.
func (s Stack) tips(p *plot, b bands, bins []bin, parts []part, unit period) {
	for i, n := range bins {
		var t strings.Builder
		t.WriteString(binName(n, unit) + ": ")
		switch sum := s.sumOf(n); n.state {
		case Empty, Unpulled:
			t.WriteString(n.state.String())
		default:
			t.WriteString(Count(sum))
			if n.state == Unfinished {
				t.WriteString(", " + n.state.String())
			}
			for k := len(parts) - 1; k >= 0 && len(bins) <= mostTips; k-- {
				if v := s.of(parts[k], n); v > 0 {
					t.WriteString("\n" + Label(parts[k].Name) + " " + Count(v))
				}
			}
		}
		p.tip(b.start(i), p.top, b.step, p.base-p.top, t.String())
	}
}

// Table returns a row a bar with a column for each series.
func (s Stack) Table() Table {
	bins, unit := s.bins()
	t := Table{Name: s.Unit + " a " + unit.name + " by type"}
	head := capital(unit.name)
	if len(bins) > 0 {
		head += " (" + zoneName(bins[0].from) + ")"
	}
	t.Columns = append(t.Columns, Column{head, false}, Column{"all", true})
	order := make([]int, len(s.Series)) // that of the stack
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return s.Series[a].Color.rank() - s.Series[b].Color.rank() })
	for _, i := range order {
		t.Columns = append(t.Columns, Column{Visible(s.Series[i].Name), true})
	}
	var notes marks
	for _, n := range bins {
		row := []string{notes.row(n, unit)}
		if n.state == Unpulled {
			notes.gap = true
			row = append(row, slices.Repeat([]string{"–"}, len(s.Series)+1)...)
			t.Rows = append(t.Rows, row)
			continue
		}
		row = append(row, Count(s.sumOf(n)))
		for _, i := range order {
			row = append(row, Count(s.of(part{members: []int{i}}, n)))
		}
		t.Rows = append(t.Rows, row)
	}
	t.Note = notes.String()
	return t
}
