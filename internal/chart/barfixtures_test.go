package chart_test

import (
	"math"
	"strings"
	"time"

	"datasync/internal/chart"
)

// odd are texts as events may have them: markup, control and bidirectional characters, wide and
// combining ones, none, and long ones that differ at their ends only.
var odd = []string{
	"/home", "", "/" + strings.Repeat("a", 60) + "/end", "<script>alert(1)</script>", "/\u202egpj.exe",
	"/naïve/日本語/한/данные", "/tab\there\u200bzero", "&amp;\"'", "\xff\xfe", "W" + strings.Repeat("W", 200), "ｆｕｌｌ／ｗｉｄｔｈ／ｔｅｘｔ／ｔｈａｔ／ｉｓ／ｌｏｎｇ", "a\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "\x00\x1b[31m", "🙂👩‍👩‍👧/emoji",
}

var none = math.NaN()

// barFigures are the charts whose bars have names.
func barFigures() []figure {
	return []figure{
		{"rows-pages", pages(12)},
		{"rows-hostile", hostileRows()},
		{"rows-rejects", chart.Rows{Head: chart.Head{Title: "Rejects by reason", Unit: "elements"}, Item: "reason",
			Rows: []chart.Row{{Name: "timestamp missing", Value: 9}, {Name: "id missing", Value: 6}, {Name: "not an object", Value: 3}}}},
		{"rows-one", chart.Rows{Head: chart.Head{Title: "Top pages", Unit: "events"}, Item: "page", Share: "errors", Rows: []chart.Row{{Name: "/home", Value: 1}}}},
		{"rows-none", chart.Rows{Head: chart.Head{Title: "Rejects by reason", Unit: "elements", Nothing: "no rejects: every element is an event"}, Item: "reason"}},
		{"rows-slots", chart.Rows{Head: chart.Head{Title: "Top pages", Unit: "events"}, Item: "page", Share: "errors", Slots: 5,
			Rows: []chart.Row{{Name: "/home", Value: 3e12, Share: 0.5}, {Name: "/a", Value: 0, Share: none}}}},
		{"factors", chart.Factors{Head: chart.Head{Title: "What was different from 14:00 to 15:00", Unit: "share of the errors"}, Of: "the errors", Rows: []chart.Factor{
			{Kind: "page", Name: "/checkout", Share: 0.86, Usual: 0.04}, {Kind: "browser", Name: "Safari", Share: 0.94, Usual: 0.28},
			{Kind: "device", Name: "mobile", Share: 0.77, Usual: 0.53}, {Kind: "device", Name: "desktop", Share: 0.19, Usual: 0.39}}}},
		{"factors-hostile", chart.Factors{Head: chart.Head{Title: "What was different", Unit: "share of the errors"}, Of: "the errors", Rows: []chart.Factor{
			{Kind: "page", Name: odd[9], Share: 1, Usual: none}, {Kind: "browser", Name: odd[4], Share: 0, Usual: 1},
			{Kind: "a kind with a long name", Name: odd[10], Share: 0.0004, Usual: 0.99995}}}},
		{"factors-none", chart.Factors{Head: chart.Head{Title: "What was different", Unit: "share of the errors", Nothing: "no hour stands out"}}},
		{"funnel", chart.Funnel{Head: chart.Head{Title: "Funnel"}, Item: "sessions", Steps: []chart.Step{
			{Name: "page_view", Count: 55_688, Color: "t1"}, {Name: "click", Count: 35_708, Color: "t2"}, {Name: "form_submit", Count: 13_956, Color: "t4"}, {Name: "purchase", Count: 2_326, Color: "t7"}}}},
		{"funnel-dry", chart.Funnel{Head: chart.Head{Title: "Funnel"}, Item: "sessions", Steps: []chart.Step{
			{Name: odd[9], Count: 12_345_678_901, Color: "t1"}, {Name: odd[3], Count: 1, Color: chart.Other}, {Name: "", Color: "t4"}, {Name: "purchase", Color: "t7"}}}},
		{"funnel-none", chart.Funnel{Head: chart.Head{Title: "Funnel", Nothing: "no sessions with a page_view"}, Item: "sessions", Steps: []chart.Step{{Name: "page_view", Color: "t1"}}}},
		{"grid", chart.Grid{Head: chart.Head{Title: "Device and browser", Unit: "share of all events"}, Item: "events", Down: "device", Across: "browser",
			Rows: []string{"desktop", "mobile", "tablet"}, Columns: []string{"Chrome", "Edge", "Firefox", "Safari"},
			Counts: [][]int64{{70_514, 22_469, 14_490, 14_761}, {84_180, 5_420, 11_595, 62_492}, {11_074, 924, 1_716, 11_352}}}},
		{"grid-many", manyGrid()},
		{"grid-one", chart.Grid{Head: chart.Head{Title: "Device and browser"}, Item: "events", Down: "device", Across: "browser", Rows: []string{""}, Columns: []string{"Chrome"}, Counts: [][]int64{{1}}}},
		{"grid-none", chart.Grid{Head: chart.Head{Title: "Device and browser"}, Item: "events", Down: "device", Across: "browser"}},
	}
}

// cellFigures are the charts of weeks, and the histograms.
func cellFigures() []figure {
	return []figure{
		{"heat", chart.Heat{Head: chart.Head{Title: "Hour of day by weekday", Unit: "events an hour, mean"}, Cells: week(func(d, h int) float64 {
			v := 37 + 840*math.Exp(-math.Pow(float64(h)-14, 2)/30)*[]float64{1, 1.03, 0.97, 0.95, 0.93, 0.6, 0.55}[d]
			return math.Round(v*10) / 10
		})}},
		{"heat-holes", chart.Heat{Head: chart.Head{Title: "Hour of day by weekday", Unit: "events an hour, mean"}, Cells: week(func(d, h int) float64 {
			if d > 1 || d == 1 && h > 9 {
				return none
			}
			return float64(h%5) / 7
		})}},
		{"heat-one", chart.Heat{Head: chart.Head{Title: "Hour of day by weekday", Unit: "events an hour, mean"}, Cells: week(func(d, h int) float64 {
			if d == 6 && h == 23 {
				return 1_234_567
			}
			return none
		})}},
		{"heat-zero", chart.Heat{Head: chart.Head{Title: "Hour of day by weekday", Unit: "events an hour, mean"}}},
		{"heat-none", chart.Heat{Head: chart.Head{Title: "Hour of day by weekday", Unit: "events an hour, mean", Nothing: "no whole hour yet"}, Cells: week(func(int, int) float64 { return none })}},
		{"histogram-lengths", lengths()},
		{"histogram-counts", counts()},
		{"histogram-one", chart.Histogram{Head: chart.Head{Title: "Sessions by number of events", Unit: "sessions by number of events (share)"}, Item: "sessions", Size: "events", Bins: []chart.Bin{{Name: "1", Mark: "1", Count: 1}}}},
		{"histogram-none", chart.Histogram{Head: chart.Head{Title: "Sessions by length", Unit: "sessions by length (share; bins widen)", Nothing: "no sessions"}, Item: "sessions", Size: "length"}},
		{"cohort", cohort(5)},
		{"cohort-year", cohort(53)},
		{"cohort-nine", cohort(9)},
		{"cohort-one", cohort(1)},
		{"cohort-none", chart.Cohort{Head: chart.Head{Title: "Retention", Nothing: "no whole week yet"}, Item: "users"}},
	}
}

func pages(limit int) chart.Rows {
	r := chart.Rows{Head: chart.Head{Title: "Top pages", Unit: "events"}, Item: "page", Share: "errors", Limit: limit}
	for i, name := range []string{"/home", "/products", "/search", "/checkout", "/product/espresso-grinder", "/cart", "/account", "/blog/how-we-roast", "/pricing", "/help",
		"/search?q=<img src=x onerror=alert(1)>&page=2026-ends-2026", "/login", "/about", "/jobs"} {
		share := 0.042 + float64(i%4)*0.001
		if name == "/checkout" {
			share = 0.071
		}
		r.Rows = append(r.Rows, chart.Row{Name: name, Value: math.Floor(77_759 / math.Pow(float64(i+1), 0.95)), Share: share})
	}
	return r
}

func hostileRows() chart.Rows {
	r := chart.Rows{Head: chart.Head{Title: "Pages by events", Unit: "events"}, Item: "page", Share: "errors"}
	for i, name := range odd {
		r.Rows = append(r.Rows, chart.Row{Name: name, Value: math.Floor(9_120 / math.Pow(2, float64(i))), Share: none})
	}
	return r
}

func manyGrid() chart.Grid {
	g := chart.Grid{Head: chart.Head{Title: "Device and browser"}, Item: "events", Down: "device", Across: "browser"}
	for i, name := range odd {
		g.Rows = append(g.Rows, name)
		g.Columns = append(g.Columns, name+" 2")
		var counts []int64
		for j := range odd {
			counts = append(counts, int64(100_000_000>>(i+j)))
		}
		g.Counts = append(g.Counts, counts)
	}
	return g
}

func week(value func(day, hour int) float64) [7][24]float64 {
	var cells [7][24]float64
	for d := range cells {
		for h := range cells[d] {
			cells[d][h] = value(d, h)
		}
	}
	return cells
}

func lengths() chart.Histogram {
	h := chart.Histogram{Head: chart.Head{Title: "Sessions by length", Unit: "sessions by length (share; bins widen)"}, Item: "sessions", Size: "length", Edges: true}
	for i, count := range []int64{10_300, 1_400, 5_600, 6_500, 9_000, 13_900, 7_200, 1_700, 88} {
		h.Bins = append(h.Bins, chart.Bin{
			Name:  []string{"0 s to 5 s", "5 s to 10 s", "10 s to 30 s", "30 s to 1 min", "1 min to 2 min", "2 min to 5 min", "5 min to 10 min", "10 min to 30 min", "30 min and more"}[i],
			Mark:  []string{"0", "5 s", "10", "30", "1 min", "2", "5", "10", "30"}[i],
			Count: count,
		})
	}
	return h
}

func counts() chart.Histogram {
	h := chart.Histogram{Head: chart.Head{Title: "Sessions by number of events", Unit: "sessions by number of events (share)"}, Item: "sessions", Size: "events"}
	for i := range 16 {
		n := string(rune('0'+(i+1)/10)) + string(rune('0'+(i+1)%10))
		n = strings.TrimPrefix(n, "0")
		count := int64(10_000 * math.Pow(0.84, float64(i)))
		if i == 15 {
			n, count = "16+", 2_900
		}
		h.Bins = append(h.Bins, chart.Bin{Name: n, Mark: n, Count: count})
	}
	return h
}

func cohort(weeks int) chart.Cohort {
	c := chart.Cohort{Head: chart.Head{Title: "Retention"}, Item: "users"}
	first := time.Date(2026, 1, 26, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -7*(weeks-1))
	for i := range weeks {
		w := chart.Week{Start: first.AddDate(0, 0, 7*i), Count: int64(1_474 / (i + 1))}
		for n := range weeks - i {
			back := chart.Return{Count: int64(float64(w.Count) * math.Pow(0.8, float64(n)))}
			if n == weeks-i-1 {
				back.State = chart.Unfinished
			}
			w.Back = append(w.Back, back)
		}
		c.Weeks = append(c.Weeks, w)
	}
	c.Ends = time.Date(2026, 1, 27, 19, 20, 0, 0, time.UTC)
	return c
}
