package chart

import (
	"math"
	"strconv"
	"time"
)

// stride is a span over which values are averaged where a drawing has no room for each.
type stride struct {
	words string
	start func(time.Time) time.Time
	// next returns the start of the next stride, from the start of one.
	next func(time.Time) time.Time
}

// strides are in order from short to long. Only those longer than the values apply.
var strides = [...]stride{
	{"mean of 3 hours", func(t time.Time) time.Time {
		return startOfDay(t).Add(t.Sub(startOfDay(t)) / (3 * time.Hour) * (3 * time.Hour))
	}, func(t time.Time) time.Time { return t.Add(3 * time.Hour) }},
	{"mean of a day", startOfDay, nextDay},
	{"mean of a week", startOfWeek, func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }},
	{"mean of a month", startOfMonth, func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"mean of a year", startOfYear, func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
}

// leastCovered is the part of a stride that a mean of hours must cover: that of a night alone, at a gap or at
// the end of the data, would be a dip where there is none.
const leastCovered = 0.75

// covered are the means that cover most of their stride, or all where fewer than two do.
func (s stride) covered(means []Point) []Point {
	var most []Point
	for _, p := range means {
		start := s.start(p.From)
		if p.To.Sub(p.From).Seconds() >= leastCovered*s.next(start).Sub(start).Seconds() {
			most = append(most, p)
		}
	}
	if len(most) < 2 {
		return means
	}
	return most
}

// fitting returns at most about the given number of points that can be drawn, and how they were averaged.
func (l Line) fitting(limit int) ([]Point, string) {
	var points []Point
	for _, p := range l.Points {
		if p.drawn() && math.Abs(p.Value) <= largest && (p.State == Whole || !l.hourly()) {
			points = append(points, p)
		}
	}
	first := 0
	if !l.hourly() {
		first = 2
	}
	words := ""
	for i := first; i < len(strides) && len(points) > limit; i++ {
		points, words = average(l.Points, strides[i].start), strides[i].words
		if l.hourly() && len(points) <= limit {
			points = strides[i].covered(points)
		}
	}
	// Short runs between many gaps join over them.
	for i := first; i < len(strides) && len(points) > limit; i++ {
		points, words = average(closed(l.Points, strides[i].start), strides[i].start), strides[i].words
	}
	return points, words
}

// closed are the whole points, each up to the next one in its stride.
func closed(points []Point, start func(time.Time) time.Time) []Point {
	var all []Point
	for _, p := range points {
		if p.State != Whole || math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
			continue
		}
		if k := len(all) - 1; k >= 0 && start(all[k].From).Equal(start(p.From)) {
			all[k].To = p.From
		}
		all = append(all, p)
	}
	return all
}

// average joins whole neighbours that start in the same stride. It joins nothing over a gap.
func average(points []Point, start func(time.Time) time.Time) []Point {
	var means []Point
	var sum, weights float64
	var key time.Time
	flush := func() {
		if weights > 0 {
			means[len(means)-1].Value = sum / weights
		}
	}
	n := 0.0
	for _, p := range points {
		if p.State != Whole || !(math.Abs(p.Value) <= largest) {
			continue
		}
		weight := 1.0
		if p.Of > 0 {
			weight = float64(p.Of) // the share of a week is that of its sums
		}
		if k := len(means) - 1; k >= 0 && key.Equal(start(p.From)) && means[k].To.Equal(p.From) {
			n++
			means[k].To = p.To
			means[k].Low += (p.Low - means[k].Low) / n
			means[k].High += (p.High - means[k].High) / n
			means[k].Count += p.Count
			means[k].Of += p.Of
			sum, weights = sum+weight*p.Value, weights+weight
			continue
		}
		flush()
		means = append(means, p)
		key, n, sum, weights = start(p.From), 1, weight*p.Value, weight
	}
	flush()
	return means
}

// Table is a matrix of days by hours, or a row a day with the limits of the band. Beyond a hundred days each
// row is a longer period.
func (l Line) Table() Table {
	switch {
	case len(l.Points) == 0:
		return Table{Name: l.Unit, Columns: []Column{{"Day", false}, {"value", true}}}
	case l.hourly():
		return l.matrix()
	}
	bins, unit := group(len(l.Points), func(i int) (time.Time, time.Time, State) {
		return l.Points[i].From, l.Points[i].To, l.Points[i].State
	})
	t := Table{Name: l.Unit, Columns: []Column{{capital(unit.name) + " (" + zoneName(bins[0].from) + ")", false}}}
	shares := l.CountName != "" && l.OfName != ""
	if shares {
		t.Columns = append(t.Columns, Column{l.OfName, true}, Column{l.CountName, true}, Column{"share", true})
	} else {
		t.Columns = append(t.Columns, Column{l.Unit, true})
	}
	if l.Band != "" {
		t.Columns = append(t.Columns, Column{l.Band + " from", true}, Column{"to", true})
	}
	var notes marks
	for _, n := range bins {
		row := []string{notes.row(n, unit)}
		p, ok := l.over(n)
		if shares {
			row = append(row, Count(p.Of), Count(p.Count))
		}
		row = append(row, l.exact(p.Value))
		if l.Band != "" {
			row = append(row, l.exact(p.Low), l.exact(p.High))
		}
		for i := range row[1:] {
			if !ok {
				row[i+1] = "–"
				notes.gap = true
			}
		}
		t.Rows = append(t.Rows, row)
	}
	t.Note = notes.String()
	return t
}

// over sums up the values of a bar: their mean, or their share where they are one.
func (l Line) over(n bin) (Point, bool) {
	var sum Point
	count := 0.0
	for _, i := range n.members {
		p := l.Points[i]
		if !p.drawn() || math.IsNaN(p.Value) {
			continue
		}
		count++
		sum.Value += (p.Value - sum.Value) / count
		sum.Low += (p.Low - sum.Low) / count
		sum.High += (p.High - sum.High) / count
		sum.Count += p.Count
		sum.Of += p.Of
	}
	if sum.Of > 0 && count > 1 {
		sum.Value = float64(sum.Count) / float64(sum.Of)
	}
	return sum, count > 0
}

// exact writes a value with the digits of a table.
func (l Line) exact(v float64) string {
	if l.Format == Percents {
		return strconv.FormatFloat(v*100, 'f', 2, 64) + nbsp + "%"
	}
	return l.Format.Word(v)
}

// matrix has a row a day and a column an hour, in which an hour that comes twice has two values.
func (l Line) matrix() Table {
	bins, unit := group(len(l.Points), func(i int) (time.Time, time.Time, State) {
		return l.Points[i].From, l.Points[i].To, l.Points[i].State
	})
	if unit.name == "day" {
		return l.hours()
	}
	return l.longHours(bins, unit)
}

func (l Line) hours() Table {
	zone := zoneName(l.Points[0].From)
	t := Table{Name: l.Unit, Columns: []Column{{"Day (" + zone + ")", false}}}
	for h := range 24 {
		t.Columns = append(t.Columns, Column{strconv.Itoa(h/10) + strconv.Itoa(h%10), true})
	}
	var notes marks
	var day time.Time
	for _, p := range l.Points {
		if start := startOfDay(p.From); len(t.Rows) == 0 || !start.Equal(day) {
			day = start
			t.Rows = append(t.Rows, append([]string{DayYear(p.From)}, make([]string, 24)...))
		}
		cell := &t.Rows[len(t.Rows)-1][1+p.From.Hour()]
		word := "–"
		if p.drawn() {
			word = l.exact(p.Value)
			if p.State == Unfinished {
				word += "*"
				notes.star = true
			}
		} else {
			notes.gap = true
		}
		if *cell != "" {
			word = *cell + " + " + word // clocks went back
		}
		*cell = word
	}
	t.Note = notes.String()
	return t
}

// longHours sums up hours to longer periods: their mean, and the largest with its time.
func (l Line) longHours(bins []bin, unit period) Table {
	zone := zoneName(l.Points[0].From)
	t := Table{Name: l.Unit, Columns: []Column{
		{capital(unit.name) + " (" + zone + ")", false}, {"mean", true}, {"largest", true}, {"in the hour", false},
	}}
	var notes marks
	for _, n := range bins {
		row := []string{notes.row(n, unit), "–", "–", ""}
		if mean, ok := l.over(n); ok {
			best := -1
			for _, i := range n.members {
				if p := l.Points[i]; p.drawn() && (best < 0 || p.Value > l.Points[best].Value) {
					best = i
				}
			}
			row = []string{row[0], l.exact(mean.Value), l.exact(l.Points[best].Value), Hour(l.Points[best].From)}
		} else {
			notes.gap = true
		}
		t.Rows = append(t.Rows, row)
	}
	t.Note = notes.String()
	return t
}
