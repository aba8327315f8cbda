package chart_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"datasync/internal/chart"
)

// axisOf returns the units of one value, from the tick labels at the left and their y.
func axisOf(t *testing.T, marks []mark) (perValue, base float64) {
	t.Helper()
	type at struct{ value, y float64 }
	var ticks []at
	for _, m := range marks {
		if m.name != "text" || m.attr["class"] != "m e" || m.number(t, "x") > 60 {
			continue
		}
		word, unit := strings.TrimSuffix(m.text, "\u00a0%"), 1.0
		if word != m.text {
			unit = 0.01
		}
		for suffix, factor := range map[string]float64{"k": 1e3, "M": 1e6} {
			if rest, ok := strings.CutSuffix(word, suffix); ok {
				word, unit = rest, factor
			}
		}
		v, err := parse(word)
		if err != nil {
			continue
		}
		ticks = append(ticks, at{v * unit, m.number(t, "y") - 4})
	}
	if len(ticks) < 2 {
		return 0, 0
	}
	first, last := ticks[0], ticks[len(ticks)-1]
	if first.value != 0 {
		t.Errorf("the axis begins at %v", first.value)
	}
	return (first.y - last.y) / (last.value - first.value), first.y
}

// columnsOf are the bars of a class: the boxes of its first path.
func columnsOf(t *testing.T, marks []mark, class string) []rectangle {
	t.Helper()
	for _, m := range marks {
		if m.name == "path" && m.attr["class"] == class {
			return boxes(t, m.attr["d"])
		}
	}
	return nil
}

// near says whether two lengths are equal after rounding to a tenth, and whole units for ticks.
func near(a, b float64) bool { return math.Abs(a-b) <= 0.35+0.006*math.Abs(b) }

// TestStackHeights: each part is as high as its value says, and a bar as high as their sum.
func TestStackHeights(t *testing.T) {
	for _, n := range []int{1, 2, 7, 31, 100} {
		s := chart.Stack{Head: chart.Head{Title: "t", Unit: "events"}, Series: eight(), Days: days(start, n, 8)}
		d := s.Draw()
		for _, svg := range []string{d.Wide, d.Narrow} {
			marks := read(t, svg)
			unit, base := axisOf(t, marks)
			tops := make([]float64, n)
			for i := range tops {
				tops[i] = base
			}
			for _, ty := range chart.Types() {
				columns := columnsOf(t, marks, string(ty.Color))
				if len(columns) != n {
					t.Fatalf("%d days: %d boxes of %s", n, len(columns), ty.Name)
				}
				series := slices.IndexFunc(s.Series, func(s chart.Series) bool { return s.Name == ty.Name })
				for i, c := range columns {
					want := float64(s.Days[i].Values[series]) * unit
					if !near(c.y2-c.y1, want) {
						t.Errorf("%d days: %s on day %d is %.1f high, not %.1f", n, ty.Name, i, c.y2-c.y1, want)
					}
					if !near(c.y2, tops[i]) {
						t.Errorf("%d days: %s on day %d begins at %.1f, not %.1f", n, ty.Name, i, c.y2, tops[i])
					}
					tops[i] = c.y1
				}
			}
			for i, d := range s.Days {
				sum := int64(0)
				for _, v := range d.Values {
					sum += v
				}
				if !near(base-tops[i], float64(sum)*unit) {
					t.Errorf("%d days: the bar of day %d is %.1f high, not %.1f", n, i, base-tops[i], float64(sum)*unit)
				}
			}
		}
	}
}

// TestTableHasTheOrderOfTheStack: types are in the order in which they are stacked, whatever the order of the values.
func TestTableHasTheOrderOfTheStack(t *testing.T) {
	series := types("error", "new_type", "purchase", "page_view")
	table := chart.Stack{Series: series, Days: []chart.Counted{{From: start, To: start.AddDate(0, 0, 1), Values: []int64{1, 2, 3, 4}}}}.Table()
	var got []string
	for i, c := range table.Columns[2:] {
		got = append(got, c.Name+" "+table.Rows[0][2+i])
	}
	if want := []string{"page_view 4", "purchase 3", "error 1", "new_type 2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestStackMergesDays: beyond a hundred bars days become weeks, months and years, and no event is lost.
func TestStackMergesDays(t *testing.T) {
	for _, c := range []struct {
		days, least, most int
		unit              string
	}{{1, 1, 1, "day"}, {100, 100, 100, "day"}, {101, 15, 16, "week"}, {366, 52, 54, "week"}, {800, 26, 28, "month"}, {4000, 10, 12, "year"}} {
		s := chart.Stack{Head: chart.Head{Title: "t", Unit: "events"}, Series: types("page_view"), Days: days(start, c.days, 1)}
		table := s.Table()
		if n := len(table.Rows); n < c.least || n > c.most {
			t.Errorf("%d days: %d bars", c.days, n)
		}
		if want := "events a " + c.unit + " by type"; table.Name != want {
			t.Errorf("%d days: %q, not %q", c.days, table.Name, want)
		}
		var want, got int64
		for _, d := range s.Days {
			want += d.Values[0]
		}
		for _, row := range table.Rows {
			got += count(t, row[1])
		}
		if got != want {
			t.Errorf("%d days: %d events in the bars of %d", c.days, got, want)
		}
		if !strings.Contains(s.Draw().Wide, "events a "+c.unit+"</text>") {
			t.Errorf("%d days: the unit is not of a %s", c.days, c.unit)
		}
	}
}

// TestColumnHeights: each bar is as high as its value says.
func TestColumnHeights(t *testing.T) {
	for _, f := range columnFigures() {
		c := f.chart.(chart.Columns)
		if len(c.Bars) > 100 {
			continue
		}
		for _, svg := range []string{c.Draw().Wide, c.Draw().Narrow} {
			marks := read(t, svg)
			unit, base := axisOf(t, marks)
			var want []float64
			for _, b := range c.Bars {
				if b.State == chart.Whole || b.State == chart.Unfinished {
					want = append(want, b.Value)
				}
			}
			columns := columnsOf(t, marks, string(c.Color))
			if len(columns) != len(want) {
				t.Fatalf("%s: %d boxes of %d", f.name, len(columns), len(want))
			}
			for i, box := range columns {
				if !near(box.y2, base) || !near(box.y2-box.y1, want[i]*unit) {
					t.Errorf("%s: bar %d is %.1f high from %.1f, not %.1f from %.1f", f.name, i, box.y2-box.y1, box.y2, want[i]*unit, base)
				}
			}
		}
	}
}

// TestLineHeights: each point of a line is where its value says, and a line breaks at each gap.
func TestLineHeights(t *testing.T) {
	l := lineFigures()[8].chart.(chart.Line)
	for i := range l.Points {
		l.Points[i].State = chart.Whole
	}
	gap := 12
	l.Points[gap].State = chart.Empty
	for _, svg := range []string{l.Draw().Wide, l.Draw().Narrow} {
		marks := read(t, svg)
		unit, base := axisOf(t, marks)
		var line []mark
		for _, m := range marks {
			if m.has("line") && m.has("l-t8") {
				line = append(line, m)
			}
		}
		if len(line) != 1 || strings.Count(line[0].attr["d"], "M") != 2 {
			t.Fatalf("the gap makes no two lines: %v", line)
		}
		points := trace(t, line[0].attr["d"])
		if len(points) != len(l.Points)-1 {
			t.Fatalf("%d points of %d", len(points), len(l.Points)-1)
		}
		points = slices.Insert(points, gap, [2]float64{})
		for i, p := range points {
			if want := base - l.Points[i].Value*unit; i != gap && !near(p[1], want) {
				t.Errorf("point %d is at %.1f, not %.1f", i, p[1], want)
			}
			if i > 0 && i != gap && i != gap+1 && !near(p[0]-points[i-1][0], (points[2][0]-points[1][0])) {
				t.Errorf("point %d is %.1f after the one before, not %.1f", i, p[0]-points[i-1][0], points[2][0]-points[1][0])
			}
		}
	}
}

// TestNarrowLineSaysThatItIsAMean: means keep sums, and the unit names them.
func TestNarrowLineSaysThatItIsAMean(t *testing.T) {
	l := chart.Line{Head: chart.Head{Title: "t", Unit: "events an hour"}, Color: chart.Slate, Points: hours(start, start.AddDate(0, 0, 31))}
	d := l.Draw()
	if strings.Contains(d.Wide, "mean of") {
		t.Error("the wide form draws means of a month's hours")
	}
	if !strings.Contains(d.Narrow, "events an hour (mean of 3 hours)") {
		t.Error("the narrow form does not say that it draws means")
	}
	marks := read(t, d.Narrow)
	unit, base := axisOf(t, marks)
	i := slices.IndexFunc(marks, func(m mark) bool { return m.has("l-s") })
	points := trace(t, marks[i].attr["d"])
	if len(points) != 31*8 {
		t.Fatalf("%d points", len(points))
	}
	for k, p := range points {
		mean := (l.Points[3*k].Value + l.Points[3*k+1].Value + l.Points[3*k+2].Value) / 3
		if !near(base-p[1], mean*unit) {
			t.Errorf("mean %d is %.1f high, not %.1f", k, base-p[1], mean*unit)
		}
	}
}

// TestMeansCoverTheirStride: where a night or its day is missing, the mean of the rest is not drawn as one of a day.
func TestMeansCoverTheirStride(t *testing.T) {
	whole := hours(start.AddDate(0, 0, 1), start.AddDate(1, 0, 0))
	lowest := func(points []chart.Point) float64 {
		l := chart.Line{Head: chart.Head{Title: "t", Unit: "events an hour"}, Color: chart.Slate, Points: points}
		marks := read(t, l.Draw().Wide)
		unit, base := axisOf(t, marks)
		low := math.Inf(1)
		for _, m := range marks {
			if m.has("l-s") {
				for _, p := range trace(t, m.attr["d"]) {
					low = math.Min(low, (base-p[1])/unit)
				}
			}
		}
		return low
	}
	want := lowest(whole)
	cut := append(hours(start.Add(22*time.Hour), start.AddDate(0, 0, 1)), whole...)
	for i := range cut {
		if of := i - 100*24; of >= 0 && of < 20 {
			cut[i].State = chart.Empty // the last hours of a day are left
		}
	}
	if got := lowest(cut); got < want-2 {
		t.Errorf("the lowest mean is %.0f, and without gap and edge %.0f", got, want)
	}
}

// TestMarksAreReadable: the line does not run through the words of a mark.
func TestMarksAreReadable(t *testing.T) {
	for _, f := range lineFigures() {
		l := f.chart.(chart.Line)
		if l.Mark == nil {
			continue
		}
		for form, svg := range map[string]string{"wide": l.Draw().Wide, "narrow": l.Draw().Narrow} {
			marks := read(t, svg)
			i := slices.IndexFunc(marks, func(m mark) bool { return m.name == "text" && m.text == l.Mark.Words })
			if i < 0 {
				t.Fatalf("%s, %s: no words", f.name, form)
			}
			box := extentOf(t, marks[i])
			for _, m := range marks {
				if m.has("line") {
					for _, p := range trace(t, m.attr["d"]) {
						if p[0] > box.x1 && p[0] < box.x2 && p[1] > box.y1 && p[1] < box.y2 {
							t.Errorf("%s, %s: the line runs through %q at %.0f %.0f", f.name, form, l.Mark.Words, p[0], p[1])
						}
					}
				}
			}
		}
	}
}

// TestSevenDayMean: the mean begins with the seventh whole day in a row and leaves out days that are not whole.
func TestSevenDayMean(t *testing.T) {
	c := chart.Columns{Head: chart.Head{Title: "t", Unit: "users"}, Color: chart.Pale, MeanOver: 7, MeanName: "7-day mean"}
	for i := range 20 {
		c.Bars = append(c.Bars, chart.Bar{From: start.AddDate(0, 0, i), To: start.AddDate(0, 0, i+1), Value: float64(100 + i)})
	}
	c.Bars[0].State, c.Bars[19].State = chart.Unfinished, chart.Unfinished
	for i, row := range c.Table().Rows {
		want := "–"
		if i >= 7 && i <= 18 {
			want = chart.Count(int64(100 + i - 3))
		}
		if row[2] != want {
			t.Errorf("day %d has the mean %s, not %s", i, row[2], want)
		}
	}
}

// TestHoursOfDaysWithOtherLengths: a day has 23 or 25 hours where clocks change, and each has a cell.
func TestHoursOfDaysWithOtherLengths(t *testing.T) {
	berlin := location("Europe/Berlin")
	for _, c := range []struct {
		day   time.Time
		hours int
		cell  string // of 02:00
	}{
		{time.Date(2026, 3, 29, 0, 0, 0, 0, berlin), 23, ""},
		{time.Date(2025, 10, 26, 0, 0, 0, 0, berlin), 25, "3 + 4"},
		{time.Date(2025, 10, 27, 0, 0, 0, 0, berlin), 24, "3"},
	} {
		l := chart.Line{Head: chart.Head{Title: "t", Unit: "events an hour"}, Color: chart.Slate}
		for at := c.day; at.Before(time.Date(c.day.Year(), c.day.Month(), c.day.Day()+1, 0, 0, 0, 0, berlin)); at = at.Add(time.Hour) {
			l.Points = append(l.Points, chart.Point{From: at, To: at.Add(time.Hour), Value: float64(len(l.Points) + 1)})
		}
		if len(l.Points) != c.hours {
			t.Fatalf("%v has %d hours", c.day, len(l.Points))
		}
		table := l.Table()
		if len(table.Rows) != 1 || table.Rows[0][3] != c.cell {
			t.Errorf("%v: %q, not %q at 02:00", c.day, table.Rows, c.cell)
		}
		if table.Columns[0].Name != "Day (Europe/Berlin)" {
			t.Errorf("the head is %q", table.Columns[0].Name)
		}
	}
}

// TestThreeKindsOfNothing: a walked and empty day, a day not yet pulled and an unfinished one look different.
func TestThreeKindsOfNothing(t *testing.T) {
	classes := func(state chart.State) (found []string) {
		s := chart.Stack{Head: chart.Head{Title: "t", Unit: "events"}, Series: eight(), Days: days(start, 31, 8)}
		if state != chart.Unfinished {
			empty(s.Days[10:14], state)
		} else {
			s.Days[10].State = state
		}
		for _, m := range read(t, s.Draw().Wide) {
			if c := m.attr["class"]; c == "hatch" || c == "frame" || c == "stripe" {
				found = append(found, c)
			}
			first := strings.Join(strings.Fields(state.String())[:2], " ") // a narrow frame has a line for each pair of words
			if m.name == "text" && strings.HasPrefix(m.text, first) {
				found = append(found, "words")
			}
		}
		return found
	}
	for state, want := range map[chart.State]string{chart.Unfinished: "stripe", chart.Empty: "hatch words", chart.Unpulled: "frame words"} {
		if got := strings.Join(classes(state), " "); got != want {
			t.Errorf("%q has %q, not %q", state, got, want)
		}
	}
}
