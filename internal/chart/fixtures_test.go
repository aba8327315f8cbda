package chart_test

import (
	"fmt"
	"math"
	"strings"
	"time"

	"datasync/internal/chart"
)

// figure is a chart in one state, for the golden files, the properties and the gallery.
type figure struct {
	name  string
	chart chart.Chart
}

// figures are all charts in all states.
func figures() []figure {
	var all []figure
	stacks := stackFigures()
	for _, f := range stacks {
		all = append(all, f, figure{strings.Replace(f.name, "stack", "types", 1), chart.Multiples(f.chart.(chart.Stack))})
	}
	all = append(all, lineFigures()...)
	all = append(all, columnFigures()...)
	all = append(all, pullFigures()...)
	all = append(all, barFigures()...)
	all = append(all, cellFigures()...)
	return all
}

var start = time.Date(2025, 12, 28, 0, 0, 0, 0, time.UTC)

// noise is a number from 0 to 1 that is the same in every run.
func noise(i int) float64 {
	x := uint64(i+1) * 0x9e3779b97f4a7c15
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 32
	return float64(x%10000) / 10000
}

// types are series with the names of event types.
func types(names ...string) []chart.Series {
	var series []chart.Series
	for _, n := range names {
		series = append(series, chart.Series{Name: n, Color: chart.TypeColor(n)})
	}
	return series
}

// eight are all types with a colour, in another order than that of a stack.
func eight() []chart.Series {
	return types("error", "purchase", "video_play", "scroll", "form_submit", "api_call", "click", "page_view")
}

var eightShares = []float64{0.043, 0.009, 0.041, 0.043, 0.064, 0.081, 0.24, 0.47, 0.03, 0.012}

// days counts events a day for n days from a date, with the rhythm of a week.
func days(from time.Time, n, series int) []chart.Counted {
	var all []chart.Counted
	for i := range n {
		d := chart.Counted{From: from.AddDate(0, 0, i), To: from.AddDate(0, 0, i+1)}
		sum := 11600 + 1200*(noise(i)-0.5)
		if w := d.From.Weekday(); w == time.Saturday || w == time.Sunday {
			sum = 7600 + 800*(noise(i)-0.5)
		}
		for k := range series {
			d.Values = append(d.Values, int64(math.Round(sum*eightShares[k]*(0.9+0.2*noise(i*16+k)))))
		}
		all = append(all, d)
	}
	return all
}

// partly makes a day unfinished, with a share of its events.
func partly(d *chart.Counted, share float64) {
	d.State = chart.Unfinished
	for i := range d.Values {
		d.Values[i] = int64(float64(d.Values[i]) * share)
	}
}

func empty(days []chart.Counted, state chart.State) {
	for i := range days {
		days[i].State = state
		for k := range days[i].Values {
			days[i].Values[k] = 0
		}
	}
}

func location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

func stackFigures() []figure {
	head := chart.Head{Title: "Events a day by type", Unit: "events"}
	stack := func(series []chart.Series, days []chart.Counted) chart.Stack {
		return chart.Stack{Head: head, Series: series, Days: days}
	}
	month := stack(eight(), days(start, 31, 8))
	partly(&month.Days[0], 0.2)
	partly(&month.Days[30], 0.75)

	holes := stack(eight(), days(start, 31, 8))
	empty(holes.Days[:11], chart.Unpulled)
	partly(&holes.Days[11], 0.8)
	empty(holes.Days[17:19], chart.Empty)
	partly(&holes.Days[30], 0.75)

	thin := stack(eight(), days(start, 31, 8))
	empty(thin.Days[14:15], chart.Empty)
	empty(thin.Days[21:22], chart.Unpulled)
	empty(thin.Days[29:], chart.Unpulled)

	nine := stack(append(eight(), types("checkout_v2", "购物车-表示\u202e🙂")...), days(start, 31, 10))
	berlin := location("Europe/Berlin")
	zone := stack(eight(), days(time.Date(2026, 3, 23, 0, 0, 0, 0, berlin), 14, 8))
	none := stack(eight(), days(start, 7, 8))
	empty(none.Days, chart.Empty)
	unpulled := stack(eight(), days(start, 7, 8))
	empty(unpulled.Days, chart.Unpulled)
	one := stack(types("page_view"), []chart.Counted{{From: start, To: start.AddDate(0, 0, 1), Values: []int64{1}}})
	day := stack(types("page_view", "click"), []chart.Counted{{From: start, To: start.AddDate(0, 0, 1), Values: []int64{86, 32}}})
	year := stack(eight(), days(start, 365, 8))
	empty(year.Days[100:121], chart.Empty)
	return []figure{
		{"stack-month", month}, {"stack-holes", holes}, {"stack-thin", thin}, {"stack-nine", nine},
		{"stack-zone", zone}, {"stack-empty", none}, {"stack-unpulled", unpulled}, {"stack-one", one},
		{"stack-day", day}, {"stack-week", stack(eight(), days(start, 7, 8))},
		{"stack-quarter", stack(eight(), days(start, 92, 8))},
		{"stack-year", year}, {"stack-years", stack(eight(), days(start, 1100, 8))},
		{"stack-nothing", stack(eight(), nil)},
	}
}

// hours counts events an hour from one time to another, in the zone of the first.
func hours(from, to time.Time) []chart.Point {
	var all []chart.Point
	for t, i := from, 0; t.Before(to); t, i = t.Add(time.Hour), i+1 {
		day := 0.55 - 0.45*math.Cos(float64(t.Hour()-2)/24*2*math.Pi)
		if w := t.Weekday(); w == time.Saturday || w == time.Sunday {
			day *= 0.65
		}
		all = append(all, chart.Point{From: t, To: t.Add(time.Hour), Value: math.Round(20 + 900*day*(0.85+0.3*noise(i)))})
	}
	return all
}

// rates are daily shares of errors with the band in which they usually are.
func rates(from time.Time, n int) []chart.Point {
	var all []chart.Point
	for i := range n {
		d := from.AddDate(0, 0, i)
		of := int64(11600)
		if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
			of = 7600
		}
		count := int64(float64(of) * (0.042 + 0.006*(noise(i)-0.5)))
		sigma := 3 * math.Sqrt(0.042*0.958/float64(of))
		all = append(all, chart.Point{From: d, To: from.AddDate(0, 0, i+1), Count: count, Of: of,
			Value: float64(count) / float64(of), Low: 0.042 - sigma, High: 0.042 + sigma})
	}
	return all
}

func pointStates(points []chart.Point, state chart.State) {
	for i := range points {
		points[i].State = state
	}
}

func lineFigures() []figure {
	perHour := func(points []chart.Point) chart.Line {
		return chart.Line{Head: chart.Head{Title: "Events an hour", Unit: "events an hour"}, Color: chart.Slate, Area: true, Points: points}
	}
	perDay := func(points []chart.Point) chart.Line {
		return chart.Line{Head: chart.Head{Title: "Error rate a day", Unit: "errors, share of the day’s events"}, Format: chart.Percents,
			Color: chart.Red, Points: points, Band: "usual range", Center: 0.042, CenterWords: "median 4.2" + "\u00a0%",
			CountName: "errors", OfName: "events"}
	}
	month := perHour(hours(start.Add(19*time.Hour), start.AddDate(0, 0, 30).Add(19*time.Hour)))
	pointStates(month.Points[318:330], chart.Empty)
	holes := perHour(hours(start, start.AddDate(0, 0, 3)))
	pointStates(holes.Points[:14], chart.Unpulled)
	pointStates(holes.Points[30:37], chart.Empty)
	pointStates(holes.Points[45:46], chart.Empty)
	pointStates(holes.Points[47:48], chart.Empty)
	holes.Points[71].State = chart.Unfinished
	none := perHour(hours(start, start.AddDate(0, 0, 7)))
	pointStates(none.Points, chart.Empty)
	one := perHour(hours(start, start.Add(time.Hour)))
	berlin := location("Europe/Berlin")
	spring := perHour(hours(time.Date(2026, 3, 29, 0, 0, 0, 0, berlin), time.Date(2026, 3, 30, 0, 0, 0, 0, berlin)))
	autumn := perHour(hours(time.Date(2025, 10, 26, 0, 0, 0, 0, berlin), time.Date(2025, 10, 27, 0, 0, 0, 0, berlin)))

	errors := perDay(rates(start, 31))
	errors.Points[0].State, errors.Points[30].State = chart.Unfinished, chart.Unfinished
	errors.Points[23].Count = 843
	errors.Points[23].Value = 843.0 / 12583
	errors.Mark = &chart.Mark{At: errors.Points[23].From.Add(12 * time.Hour), Value: errors.Points[23].Value, Words: "Tue 20 Jan: 6.7\u00a0%"}
	flat := perDay(rates(start, 31))
	for i := range flat.Points {
		flat.Points[i].Value = 0.042
	}
	flat.Mark = &chart.Mark{At: flat.Points[1].From.Add(12 * time.Hour), Value: 0.042, Words: "Mon 29 Dec: 4.2\u00a0%"}
	zero := perDay(rates(start, 1))
	zero.Points[0].Value, zero.Points[0].Count = 0, 0
	nightless := perHour(hours(start.Add(19*time.Hour), start.AddDate(1, 0, 0).Add(-7*time.Hour)))
	for i, p := range nightless.Points {
		if h := p.From.Hour(); p.From.Day() == 1 && h >= 2 && h < 6 {
			nightless.Points[i].State = chart.Empty
		}
	}
	gaps := perDay(rates(start, 31))
	pointStates(gaps.Points[:11], chart.Unpulled)
	gaps.Points[11].State = chart.Unfinished
	pointStates(gaps.Points[16:18], chart.Empty)
	pointStates(gaps.Points[19:20], chart.Empty)
	gaps.Points[30].State = chart.Unfinished
	return []figure{
		{"hours-month", month}, {"hours-holes", holes}, {"hours-empty", none}, {"hours-one", one},
		{"hours-spring", spring}, {"hours-autumn", autumn}, {"hours-day", perHour(hours(start, start.AddDate(0, 0, 1)))},
		{"hours-year", perHour(hours(start, start.AddDate(1, 0, 0)))},
		{"errors-month", errors}, {"errors-holes", gaps}, {"errors-one", perDay(rates(start, 1))},
		{"errors-two", perDay(rates(start, 2))}, {"errors-year", perDay(rates(start, 365))}, {"errors-nothing", perDay(nil)},
		{"errors-zero", zero}, {"hours-gaps", nightless}, {"errors-flat", flat},
	}
}

func columnFigures() []figure {
	users := func(from time.Time, n int) chart.Columns {
		c := chart.Columns{Head: chart.Head{Title: "Daily active users", Unit: "active users"}, Color: chart.Pale, MeanOver: 7, MeanName: "7-day mean"}
		for i, d := range days(from, n, 8) {
			c.Bars = append(c.Bars, chart.Bar{From: d.From, To: d.To, Value: math.Round(float64(d.Values[7])/6.4 - 400/float64(i+2))})
		}
		return c
	}
	month := users(start, 31)
	month.Bars[0].State, month.Bars[30].State = chart.Unfinished, chart.Unfinished
	month.Bars[0].Value, month.Bars[30].Value = 170, 640
	holes := users(start, 31)
	for i := range 11 {
		holes.Bars[i].State = chart.Unpulled
	}
	holes.Bars[22].State = chart.Empty
	none := users(start, 7)
	for i := range none.Bars {
		none.Bars[i].State = chart.Empty
	}
	peak := func(from time.Time) chart.Columns {
		c := chart.Columns{Head: chart.Head{Title: "Errors an hour", Unit: "errors an hour, " + chart.Day(from) + " " + from.Format("MST")},
			Color: chart.Red, UsualName: "usual hour"}
		y, m, d := from.Date()
		for t := from; t.Before(time.Date(y, m, d+1, 0, 0, 0, 0, from.Location())); t = t.Add(time.Hour) {
			usual := math.Round(5 + 30*(0.5-0.5*math.Cos(float64(t.Hour()-2)/24*2*math.Pi)))
			c.Bars = append(c.Bars, chart.Bar{From: t, To: t.Add(time.Hour), Usual: usual, Value: math.Round(usual * (0.8 + 0.5*noise(t.Hour())))})
		}
		return c
	}
	named := func(c chart.Columns, hour int) chart.Columns {
		c.Bars[hour].Value = 403
		c.Mark = &chart.Mark{At: c.Bars[hour].From, Words: c.Bars[hour].From.Format("15:04") + " · 403 errors"}
		c.MarkNote = "usual here: 32"
		return c
	}
	berlin := location("Europe/Berlin")
	return []figure{
		{"users-month", month}, {"users-holes", holes}, {"users-empty", none}, {"users-one", users(start, 1)},
		{"users-week", users(start, 7)}, {"users-year", users(start, 365)}, {"users-nothing", users(start, 0)},
		{"peak", named(peak(time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)), 14)},
		{"peak-first", named(peak(time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)), 0)},
		{"peak-spring", named(peak(time.Date(2026, 3, 29, 0, 0, 0, 0, berlin)), 22)},
		{"peak-autumn", named(peak(time.Date(2025, 10, 26, 0, 0, 0, 0, berlin)), 3)},
	}
}

func pullFigures() []figure {
	at := time.Date(2026, 1, 27, 19, 21, 4, 0, time.UTC)
	pull := func(buckets int, bucket time.Duration) chart.Pull {
		end := at.Add(time.Duration(buckets) * bucket)
		c := chart.Pull{Head: chart.Head{Title: "The pull", Unit: "events a second"}, From: at, To: end, Bucket: bucket,
			Steps: []chart.Steps{{Name: "events endpoint", Note: "127,834 events", Color: chart.Blue}, {Name: "feed", Note: "183,171 events", Color: chart.Teal}}}
		limit := chart.Strip{Endpoint: "events", Reason: "rate limit"}
		answers := chart.Strip{Reason: "429 answers"}
		for i := range buckets {
			open := i%8 < 3
			v := [2]float64{0, 700 + 200*noise(i)}
			if open {
				v = [2]float64{900 + 300*noise(i), 300 * noise(i)}
			}
			for k := range v {
				c.Steps[k].Values = append(c.Steps[k].Values, v[k])
			}
			if i%8 == 3 {
				from := at.Add(time.Duration(i) * bucket)
				limit.Spans = append(limit.Spans, chart.TimeSpan{From: from, To: from.Add(5 * bucket)})
				limit.Count++
				limit.Ordered += 5 * bucket
				limit.Actual += 5 * bucket
				answers.Instants = append(answers.Instants, from)
				answers.Count++
			}
		}
		token := chart.Strip{Endpoint: "feed", Reason: "token", Count: 2, Ordered: 3 * time.Second, Actual: 3 * time.Second,
			Spans: []chart.TimeSpan{{From: at.Add(2 * time.Second), To: at.Add(4 * time.Second)}, {From: end.Add(-time.Second), To: end}}}
		c.Strips = []chart.Strip{limit, token, {Endpoint: "feed", Reason: "no wait at all"}, answers}
		return c
	}
	lanes := func(n int, from time.Time) chart.Lanes {
		c := chart.Lanes{Head: chart.Head{Title: "Windows", Nothing: "no window yet"}, From: from, To: from.AddDate(0, 0, 31)}
		for i := range n {
			a, b := from.AddDate(0, 0, 31*i/n), from.AddDate(0, 0, 31*(i+1)/n).Add(3*time.Hour)
			c.Lanes = append(c.Lanes, chart.Lane{Name: "window " + chart.Count(int64(i+1)), Note: "pulled " + chart.Hour(b),
				Spans: []chart.LaneSpan{{From: a, To: b, State: chart.Whole}}})
		}
		return c
	}
	three := lanes(3, start)
	three.Lanes[0].Spans = []chart.LaneSpan{
		{From: start, To: start.AddDate(0, 0, 5), State: chart.Whole},
		{From: start.AddDate(0, 0, 5), To: start.AddDate(0, 0, 6), State: chart.Empty},
		{From: start.AddDate(0, 0, 6), To: start.AddDate(0, 0, 10), State: chart.Whole},
	}
	open := lanes(3, start)
	open.Lanes[0].Spans = append([]chart.LaneSpan{{From: start, To: start.AddDate(0, 0, 4), State: chart.Unpulled}},
		chart.LaneSpan{From: start.AddDate(0, 0, 4), To: start.AddDate(0, 0, 10), State: chart.Whole})
	thousands := lanes(9, start)
	for i := range thousands.Lanes {
		thousands.Lanes[i].Name = fmt.Sprintf("window %d", 2993+i)
	}
	rate := chart.Rate{Head: chart.Head{Title: "Rate", Unit: "events a second, last 5 minutes"}, Bucket: 3 * time.Second, Buckets: 100,
		Series: []chart.Series{{Name: "events endpoint", Color: chart.Blue}, {Name: "feed", Color: chart.Teal}}, Values: [][]float64{{}, {}}}
	young := rate
	rate.Values = [][]float64{pull(100, time.Second).Steps[0].Values, pull(100, time.Second).Steps[1].Values}
	young.Values = [][]float64{{800, 900, 500}, {0, 100, 400}}
	return []figure{
		{"pull", pull(98, 4*time.Second)}, {"pull-long", pull(3000, 90*time.Second)}, {"pull-short", pull(3, time.Second)},
		{"pull-nothing", chart.Pull{Head: chart.Head{Title: "The pull", Unit: "events a second"}, From: at, To: at, Bucket: time.Second,
			Steps: []chart.Steps{{Name: "events endpoint", Note: "0 events", Color: chart.Blue}}}},
		{"lanes", three}, {"lanes-open", open}, {"lanes-many", lanes(12, start)}, {"lanes-one", lanes(1, start)}, {"lanes-thousands", thousands}, {"lanes-nothing", lanes(0, start)},
		{"rate", rate}, {"rate-young", young},
		{"spark", chart.Spark{Title: "events a day", Before: []float64{10, 12, 11, 9, 14, 7, 6}, Now: []float64{11, 12, 15, 9, math.NaN(), 7, 0}}},
		{"spark-one", chart.Spark{Title: "events a day", Now: []float64{1}}},
		{"spark-nothing", chart.Spark{Title: "events a day"}},
	}
}
