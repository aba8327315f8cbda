package chart_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"datasync/internal/chart"
)

// whole checks what holds for every drawing: well-formed, inside, text apart.
func whole(t *testing.T, name string, c chart.Chart) {
	t.Helper()
	d := c.Draw()
	for _, svg := range []string{d.Wide, d.Narrow} {
		if svg == "" {
			continue
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s has a coordinate that is no number", name)
		}
		if len(svg) > 60_000 {
			t.Errorf("%s has %d bytes: a report of many charts has 500,000", name, len(svg))
		}
		marks := read(t, svg)
		view := viewBox(t, marks[0])
		var texts []mark
		for _, m := range marks {
			if m.name == "path" {
				for _, p := range trace(t, m.attr["d"]) {
					if p[0] < -0.6 || p[1] < -0.6 || p[0] > view.x2+0.6 || p[1] > view.y2+0.6 {
						t.Errorf("%s: class %q is at %v", name, m.attr["class"], p)
						break
					}
				}
			}
			if m.name != "text" {
				continue
			}
			e := extentOf(t, m)
			if e.x1 < -0.5 || e.x2 > view.x2+0.5 || e.y1 < 0 || e.y2 > view.y2+1 {
				t.Errorf("%s: %q is at %.0f", name, m.text, e)
			}
			for _, o := range texts {
				if e.meets(extentOf(t, o)) {
					t.Errorf("%s: %q and %q overlap", name, m.text, o.text)
				}
			}
			texts = append(texts, m)
		}
	}
	table := c.Table()
	for _, row := range table.Rows {
		if len(row) != len(table.Columns) {
			t.Errorf("%s: %d cells in %q", name, len(row), row)
		}
	}
}

// TestEveryLength: periods from a day to years, in zones with other days, from any weekday.
func TestEveryLength(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"}
	for i, n := range []int{1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 14, 15, 16, 17, 18, 20, 25, 28, 29, 30, 33, 45, 60, 75, 90, 99, 101, 120, 126, 150, 200, 300, 365, 400, 500, 700, 1000, 1500, 2500} {
		for k := range 2 {
			zone := zones[(i+3*k)%len(zones)]
			from := time.Date(2011, 12, 20+i, 0, 0, 0, 0, location(zone)) // Apia has no 30 December
			name := fmt.Sprintf("%d days in %s", n, zone)
			s := chart.Stack{Head: chart.Head{Title: "t", Unit: "events"}, Series: eight(), Days: days(from, n, 8)}
			for d := range s.Days {
				if noise(d*31+i*7+k) < 0.08 {
					empty(s.Days[d:d+1], []chart.State{chart.Empty, chart.Unpulled, chart.Unfinished}[d%3])
				}
			}
			whole(t, "stack of "+name, s)
			whole(t, "types of "+name, chart.Multiples(s))
			line := chart.Line{Head: chart.Head{Title: "t", Unit: "errors, share"}, Format: chart.Percents, Color: chart.Red, Points: rates(from, n),
				Band: "usual range", Center: 0.042, CenterWords: "median 4.2 %"}
			columns := chart.Columns{Head: chart.Head{Title: "t", Unit: "active users"}, Color: chart.Pale, MeanOver: 7, MeanName: "7-day mean"}
			for d := range s.Days {
				line.Points[d].State = s.Days[d].State
				columns.Bars = append(columns.Bars, chart.Bar{From: s.Days[d].From, To: s.Days[d].To, State: s.Days[d].State, Value: float64(s.Days[d].Values[0])})
			}
			at := line.Points[n*2/3]
			line.Mark = &chart.Mark{At: at.From.Add(12 * time.Hour), Value: 0.2, Words: chart.Day(at.From) + ": 20 %"}
			whole(t, "line of "+name, line)
			whole(t, "columns of "+name, columns)
			if n <= 130 {
				whole(t, "hours of "+name, chart.Line{Head: chart.Head{Title: "t", Unit: "events an hour"}, Color: chart.Slate, Area: true, Points: hours(from, from.AddDate(0, 0, n))})
			}
			whole(t, "lanes of "+name, chart.Lanes{Head: chart.Head{Title: "t"}, From: from, To: from.AddDate(0, 0, n),
				Lanes: []chart.Lane{{Name: "window 1", Note: "pulled " + chart.Hour(from), Spans: []chart.LaneSpan{{From: from, To: from.AddDate(0, 0, n)}}}}})
		}
	}
}

// TestEverySpanOfAPull: a pull takes from a second to weeks, and starts at any second.
func TestEverySpanOfAPull(t *testing.T) {
	for i, span := range []time.Duration{0, time.Millisecond, time.Second, 3 * time.Second, 17 * time.Second, time.Minute, 100 * time.Second, 5 * time.Minute,
		11 * time.Minute, 29 * time.Minute, time.Hour, 100 * time.Minute, 5 * time.Hour, 13 * time.Hour, 30 * time.Hour, 80 * time.Hour, 20 * 24 * time.Hour} {
		from := time.Date(2026, 1, 27, 19, 21, 4+i, 123456789, location("Europe/Berlin"))
		c := chart.Pull{Head: chart.Head{Title: "t", Unit: "events a second"}, From: from, To: from.Add(span), Bucket: max(span/200, time.Second)}
		for _, name := range []string{"events endpoint", "feed", "an endpoint with a name that is far too long"} {
			s := chart.Steps{Name: name, Note: "1,234,567,890 events", Color: chart.Blue}
			for k := range 200 {
				s.Values = append(s.Values, 12000*noise(k))
			}
			c.Steps = append(c.Steps, s)
			c.Strips = append(c.Strips, chart.Strip{Endpoint: name, Reason: "rate limit", Count: 123456, Actual: 99 * time.Hour,
				Spans:    []chart.TimeSpan{{From: from.Add(-time.Hour), To: from.Add(span / 3)}, {From: from.Add(span / 2), To: from.Add(2 * span)}},
				Instants: []time.Time{from, from.Add(span)}})
		}
		whole(t, span.String(), c)
	}
}

// TestUnexpectedValues: the largest count, values that are no number, too few of them, and spans that end before they begin.
func TestUnexpectedValues(t *testing.T) {
	day := func(i int) time.Time { return start.AddDate(0, 0, i) }
	for _, v := range []float64{0, -5, 1, 3, 1e-9, 0.3, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 999, 9.99e5, 123456789} {
		for n := range 4 {
			name := fmt.Sprintf("%v, %d times", v, n)
			line := chart.Line{Head: chart.Head{Title: "t", Unit: "u"}, Color: chart.Red, Band: "usual", CenterWords: "median", Center: v}
			columns := chart.Columns{Head: chart.Head{Title: "t", Unit: "u"}, Color: chart.Pale, MeanOver: 2, MeanName: "mean", UsualName: "usual"}
			rate := chart.Rate{Head: chart.Head{Title: "t", Unit: "u"}, Bucket: time.Second, Buckets: n, Series: types("click", "scroll"), Values: [][]float64{nil, nil}}
			spark := chart.Spark{Title: "t"}
			for i := range n {
				line.Points = append(line.Points, chart.Point{From: day(i), To: day(i + 1), Value: v, Low: v, High: v})
				columns.Bars = append(columns.Bars, chart.Bar{From: day(i), To: day(i + 1), Value: v, Usual: v})
				rate.Values[i%2] = append(rate.Values[i%2], v)
				spark.Before, spark.Now = append(spark.Before, v), append(spark.Now, v)
			}
			whole(t, "line of "+name, line)
			whole(t, "columns of "+name, columns)
			whole(t, "rate of "+name, rate)
			whole(t, "spark of "+name, spark)
		}
	}
	for _, v := range []int64{math.MinInt64, -1, 0, 1, 2, math.MaxInt64 / 8, math.MaxInt64} {
		s := chart.Stack{Head: chart.Head{Title: "t", Unit: "events"}, Series: append(eight(), types("x", "y")...)}
		for i := range 3 {
			s.Days = append(s.Days, chart.Counted{From: day(i), To: day(i + 1), Values: []int64{v, v, v}})
		}
		s.Days = append(s.Days, chart.Counted{From: day(9), To: day(2)}) // neither in order nor with values
		whole(t, fmt.Sprintf("stack of %d", v), s)
		whole(t, fmt.Sprintf("types of %d", v), chart.Multiples(s))
	}
	whole(t, "lanes", chart.Lanes{Head: chart.Head{Title: "t"}, From: day(3), To: day(1), Lanes: []chart.Lane{{Name: strings.Repeat("W", 90), Spans: []chart.LaneSpan{{From: day(9), To: day(1), State: 99}}}}})
	whole(t, "no lanes", chart.Lanes{})
	whole(t, "no pull", chart.Pull{})
	whole(t, "no rate", chart.Rate{})
	whole(t, "no line", chart.Line{})
	whole(t, "no columns", chart.Columns{})
	whole(t, "no stack", chart.Stack{})
	whole(t, "no types", chart.Multiples{})
}
