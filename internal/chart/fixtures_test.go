package chart_test

import (
	"math"
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
	all = append(all, stackFigures()...)
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
