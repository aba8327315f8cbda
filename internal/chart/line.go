package chart

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Line is a value over time: events an hour over a pale area, or the error rate a day over the band in which
// it usually is. The line breaks where values are missing and never bridges a gap; a lone value is a dot.
//
// Hours that are not whole are not drawn. Days that are not whole are an open dot at the end of a dashed
// line. Where a form has no room for each value, it draws means of some hours, days or weeks and says so.
type Line struct {
	// Head.Unit is printed as it is, such as "events an hour".
	Head
	Format Format
	Color  Color
	// Area fills the space below the line.
	Area   bool
	Points []Point
	// Band names the range between the points' Low and High, such as "usual range". Empty: there is none.
	Band string
	// Center is the middle of the band, and CenterWords its label, such as "median 4.2 %".
	Center      float64
	CenterWords string
	// Mark is a point with words. Nil: there is none.
	Mark *Mark
	// CountName and OfName head the columns of the table for Count and Of, such as "errors" and "events".
	CountName, OfName string
}

// Point is the value of a span of time, an hour or a day.
type Point struct {
	From, To time.Time
	State    State
	Value    float64
	// Low and High limit the band at this point.
	Low, High float64
	// Count and Of are the figures of a share: Value is Count/Of. Zero Of: Value is no share.
	Count, Of int64
}

// Mark is a named point of a chart.
type Mark struct {
	At    time.Time
	Value float64
	Words string
}

func (p Point) drawn() bool { return p.State == Whole || p.State == Unfinished }
func (p Point) mid() time.Time {
	return p.From.Add(p.To.Sub(p.From) / 2)
}

// hourly says whether the points are shorter than days.
func (l Line) hourly() bool {
	return len(l.Points) > 0 && l.Points[0].To.Sub(l.Points[0].From) < 20*time.Hour
}

// Draw returns the line.
func (l Line) Draw() Drawing { return both(l.draw) }

func (l Line) draw(f form) string {
	points, mean := l.fitting(pick(f, 800, 250))
	most := 0.0
	for _, p := range points {
		most = math.Max(most, sane(p.Value))
		if l.Band != "" && len(points) > 1 {
			most = math.Max(most, sane(p.High))
		}
	}
	if l.Mark != nil {
		most = math.Max(most, sane(l.Mark.Value))
	}
	if l.Mark != nil || len(points) == 1 {
		most *= 1.06 // words beside the point stay below the first rows
	}
	r := room{height: pick(f, 150.0, 140.0), right: 6}
	if l.Band != "" {
		r.right, r.below = pick(f, 112.0, 6.0), pick(f, 0.0, 18.0)
	}
	p := newPlot(f, l.Head, l.describe(points), r, most, l.Format)
	unit := l.Unit
	if mean != "" {
		unit += " (" + mean + ")"
	}
	p.axes(unit)
	if len(l.Points) == 0 {
		p.zero()
		p.blank(l.nothing())
		return p.end()
	}
	x := l.scale(p)
	d := lineDrawing{l, p, points, x}
	if len(points) > 1 {
		d.band()
	}
	d.line()
	p.zero()
	p.timeAxis(l.ticks(p, x))
	if len(points) == 0 && !slices.ContainsFunc(l.Points, func(p Point) bool { return p.State != Empty }) {
		p.blank(l.nothing())
	} else {
		p.blanks(l.blankRuns(x))
	}
	d.words()
	if !f.narrow() && len(points) <= mostBars {
		d.tips()
	}
	return p.end()
}

func (l Line) describe(points []Point) string {
	if len(points) == 0 {
		return "Line. " + l.nothing() + "."
	}
	best := 0
	for i := range points {
		if points[i].Value > points[best].Value {
			best = i
		}
	}
	name := DayYear
	if l.hourly() {
		name = Stamp
	}
	desc := "Line from " + name(points[0].From) + " to " + name(points[len(points)-1].To.Add(-1)) + ". The highest value is " +
		l.Format.Word(points[best].Value) + ", " + name(points[best].From) + "."
	if l.Mark != nil {
		desc += " Marked: " + l.Mark.Words + "."
	}
	return desc
}

// scale maps a time to its x.
func (l Line) scale(p *plot) func(time.Time) float64 {
	from, to := l.Points[0].From, l.Points[len(l.Points)-1].To
	span := to.Sub(from).Seconds()
	if span <= 0 {
		span = 1
	}
	return func(t time.Time) float64 { return p.left + t.Sub(from).Seconds()/span*(p.right-p.left) }
}

// ticks puts those of days below the points, which are in the middle of their days.
func (l Line) ticks(p *plot, x func(time.Time) float64) []tick {
	at, least := x, time.Hour
	if !l.hourly() {
		least = 24 * time.Hour
		at = func(t time.Time) float64 { return x(t.Add(nextDay(t).Sub(t) / 2)) }
	}
	return timeTicks(l.Points[0].From, l.Points[len(l.Points)-1].To, least, at, 0, p.w)
}

// blankRuns joins neighbours without values to runs.
func (l Line) blankRuns(x func(time.Time) float64) []run {
	var runs []run
	var from, to time.Time
	for _, p := range l.Points {
		if p.State != Empty && p.State != Unpulled {
			continue
		}
		if k := len(runs) - 1; k >= 0 && runs[k].state == p.State && to.Equal(p.From) {
			to = p.To
			runs[k].x2, runs[k].words = x(to), runWords(p.State, from, to)
			continue
		}
		from, to = p.From, p.To
		runs = append(runs, run{x(from), x(to), p.State, runWords(p.State, from, to)})
	}
	if len(runs) > mostRuns {
		runs = longestFirst(runs)[:mostRuns]
	}
	return runs
}

// mostRuns is the number of spans without values beyond which only the longest are drawn.
const mostRuns = 100

// lineDrawing is a line on its plot.
type lineDrawing struct {
	Line
	*plot
	points []Point
	x      func(time.Time) float64
}

func (d lineDrawing) at(p Point) [2]float64 { return [2]float64{d.x(p.mid()), d.y(p.Value)} }

// stretches splits the points where one does not follow the other.
func (d lineDrawing) stretches() [][]Point {
	var all [][]Point
	for i, p := range d.points {
		if i == 0 || !d.points[i-1].To.Equal(p.From) {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], p)
	}
	return all
}

// band draws the area between Low and High of whole points, with an edge: the area alone is too faint.
func (d lineDrawing) band() {
	if d.Band == "" {
		return
	}
	var area, edge strings.Builder
	for _, s := range d.stretches() {
		s = slices.DeleteFunc(slices.Clone(s), func(p Point) bool { return p.State != Whole })
		if len(s) < 2 {
			continue
		}
		var high, low [][2]float64
		for _, p := range s {
			high = append(high, [2]float64{d.x(p.mid()), d.y(p.High)})
			low = append(low, [2]float64{d.x(p.mid()), d.y(p.Low)})
		}
		edge.WriteString(polyline(high) + polyline(low))
		slices.Reverse(low)
		area.WriteString(polyline(append(high, low...)) + "z")
	}
	d.path("area", area.String())
	d.path("bandedge", edge.String())
}

// line draws whole values as a line, those of unfinished days at the end of a dashed one, and lone ones as dots.
func (d lineDrawing) line() {
	var area, solid, dashed strings.Builder
	var dots, open [][2]float64
	for _, s := range d.stretches() {
		for i := 0; i < len(s); {
			j := i + 1
			for j < len(s) && s[j].State == Whole && s[i].State == Whole {
				j++
			}
			var line [][2]float64
			for _, p := range s[i:j] {
				line = append(line, d.at(p))
			}
			switch {
			case s[i].State == Unfinished:
				open = append(open, line[0])
			case len(line) == 1:
				dots = append(dots, line[0])
			default:
				data := polyline(line)
				solid.WriteString(data)
				if d.Area {
					area.WriteString(data + "V" + num(d.base) + "H" + num(line[0][0]) + "z")
				}
			}
			if j < len(s) {
				dashed.WriteString(polyline([][2]float64{d.at(s[j-1]), d.at(s[j])}))
			}
			i = j
		}
	}
	d.path("area", area.String())
	weight := "line"
	if len(d.points) > 200 {
		weight = "thin"
	}
	d.path(weight+" l-"+string(d.Color), solid.String())
	d.path("dash l-"+string(d.Color), dashed.String())
	for _, p := range dots {
		d.dot(string(d.Color), p[0], p[1], 2.8)
	}
	for _, p := range open {
		d.dot("open l-"+string(d.Color), p[0], p[1], 3.2)
	}
}

// words names the band, the mark, and a value that is alone.
func (d lineDrawing) words() {
	if d.Mark != nil {
		x, y := d.x(d.Mark.At), d.y(d.Mark.Value)
		d.dot(string(d.Color), x, y, 3.6)
		d.beside(x, y, d.Mark.Words, d.crosses)
	}
	switch len(d.points) {
	case 0:
		return
	case 1:
		at := d.at(d.points[0])
		words := d.format.Word(d.points[0].Value)
		if d.Band != "" {
			words += ", one day: no usual range yet"
		}
		if d.Mark == nil {
			d.beside(at[0], at[1], words, func(extent) bool { return false })
		}
		return
	}
	if d.Band == "" {
		return
	}
	if d.narrow() {
		words := "band: " + d.Band
		if d.CenterWords != "" {
			words += ", " + d.CenterWords
		}
		d.write("m", 0, d.base+axisRow+18, words)
		return
	}
	last := d.points[len(d.points)-1]
	for i := len(d.points) - 1; i >= 0 && last.State != Whole; i-- {
		last = d.points[i]
	}
	ys := spread([]float64{d.y(last.High), d.y(d.Center)}, 15, d.top, d.base)
	d.write("m", d.right+10, ys[0]+4, d.Band)
	d.write("", d.right+10, ys[1]+4, d.CenterWords)
}

// crosses says that the line runs through a rectangle.
func (d lineDrawing) crosses(e extent) bool {
	for i, p := range d.points {
		if i == 0 || !d.points[i-1].To.Equal(p.From) {
			continue
		}
		a, b := d.at(d.points[i-1]), d.at(p)
		if b[0] <= e.x1 || a[0] >= e.x2 || b[0] <= a[0] {
			continue
		}
		y := func(x float64) float64 { return a[1] + (b[1]-a[1])*(x-a[0])/(b[0]-a[0]) }
		y1, y2 := y(math.Max(a[0], e.x1)), y(math.Min(b[0], e.x2))
		if math.Min(y1, y2) <= e.y2 && math.Max(y1, y2) >= e.y1 {
			return true
		}
	}
	return false
}

// tips lets a pointer read each value.
func (d lineDrawing) tips() {
	name := DayYear
	if d.hourly() {
		name = Stamp
	}
	for _, p := range d.points {
		x1, x2 := d.x(p.From), d.x(p.To)
		text := name(p.From) + ": " + d.format.Word(p.Value)
		if p.Of > 0 {
			text += " (" + Count(p.Count) + " of " + Count(p.Of) + ")"
		}
		if p.State == Unfinished {
			text += ", " + p.State.String()
		}
		d.tip(x1, d.top, x2-x1, d.base-d.top, text)
	}
}

// polyline is path data of a line through points: the first absolute, the others relative.
func polyline(points [][2]float64) string {
	var b strings.Builder
	var x, y float64
	for i, p := range points {
		nx, ny := round(p[0]), round(p[1])
		switch i {
		case 0:
			b.WriteString("M" + num(nx) + " " + num(ny))
		case 1:
			b.WriteString("l" + short(nx-x) + spaced(ny-y))
		default:
			b.WriteString(spaced(nx-x) + spaced(ny-y))
		}
		x, y = nx, ny
	}
	return b.String()
}

// spaced is short after a space, where the sign does not part it from the number before.
func spaced(v float64) string {
	s := short(v)
	if s[0] != '-' {
		s = " " + s
	}
	return s
}

// short is num without a zero before the point.
func short(v float64) string {
	s := num(v)
	if rest, ok := strings.CutPrefix(s, "0."); ok {
		return "." + rest
	}
	if rest, ok := strings.CutPrefix(s, "-0."); ok {
		return "-." + rest
	}
	return s
}
