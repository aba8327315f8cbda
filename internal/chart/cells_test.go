package chart_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"datasync/internal/chart"

	"pgregory.net/rapid"
)

// TestHeat: each cell has the colour of its seventh of the scale, in its place; the ring is around the
// largest, and cells without data are outlined.
func TestHeat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := chart.Heat{Head: chart.Head{Title: "Hour of day by weekday", Unit: "events an hour, mean"}}
		value := rapid.SampledFrom([]*rapid.Generator[float64]{
			rapid.Float64Range(0, 1e-3), rapid.Float64Range(0, 10), rapid.Float64Range(0, 1e9),
			rapid.SampledFrom([]float64{0, 1, 7, math.NaN()}), rapid.SampledFrom([]float64{math.NaN()}), rapid.SampledFrom([]float64{0}),
		}).Draw(t, "values")
		most, holes := 0.0, 0
		for d := range h.Cells {
			for hour := range h.Cells[d] {
				v := value.Draw(t, "value")
				h.Cells[d][hour] = v
				if math.IsNaN(v) {
					holes++
				} else {
					most = max(most, v)
				}
			}
		}
		checkTable(t, h)
		bothForms(h.Draw(), func(svg string, narrow bool) {
			marks := checkPlaces(t, svg)
			width := viewBox(t, marks[0]).x2
			if holes == 7*24 {
				if len(areas(t, marks, "h1")) > 0 {
					t.Fatal("a colour without data")
				}
				return
			}
			if n := len(areas(t, marks, "outline")); n != holes {
				t.Fatalf("%d outlines for %d holes", n, holes)
			}
			left := 40.0
			if narrow {
				left = 34
			}
			levels := map[[2]int]int{}
			for level := range 7 {
				for _, r := range areas(t, marks, "h"+strconv.Itoa(level+1)) {
					if r.h < 10 {
						continue // of the legend
					}
					levels[[2]int{int((r.y - 22) / (r.h + 1)), int((r.x - left + 1) / ((width - left) / 24))}] = level
				}
			}
			if len(levels) != 7*24-holes {
				t.Fatalf("%d cells, %d holes", len(levels), holes)
			}
			for d := range h.Cells {
				for hour, v := range h.Cells[d] {
					// A step is a seventh rounded up to two digits, so a cell has at most a seventh's colour.
					level, ok := levels[[2]int{d, hour}]
					if ok == math.IsNaN(v) || ok && (float64(level) > v/most*7+1e-6 || float64(level+1)*1.11 < v/most*7 && level < 6) {
						if ok == math.IsNaN(v) || most >= 0.01 { // below, steps are longer than a seventh
							t.Fatalf("%v of %v has level %d (%v)", v, most, level, ok)
						}
					}
				}
			}
			rings := areas(t, marks, "ring")
			if (len(rings) == 1) != (most > 0) {
				t.Fatalf("rings %v around %v", rings, most)
			}
		})
	})
}

// TestHistogram: each bar is as high as its share of all, on an axis from zero that is as high as its
// highest tick says.
func TestHistogram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := chart.Histogram{Head: chart.Head{Title: "Sessions", Unit: "sessions"}, Item: "sessions", Size: "length", Edges: rapid.Bool().Draw(t, "edges")}
		sum := int64(0)
		for i := range rapid.IntRange(0, 20).Draw(t, "bins") {
			count := anyCount().Draw(t, "count")
			sum += count
			h.Bins = append(h.Bins, chart.Bin{Name: strconv.Itoa(i), Mark: rapid.SampledFrom([]string{"", "1", "1 min", "10,000+"}).Draw(t, "mark"), Count: count})
		}
		checkTable(t, h)
		bothForms(h.Draw(), func(svg string, _ bool) {
			marks := checkPlaces(t, svg)
			bars := areas(t, marks, "s")
			if sum == 0 {
				if len(bars) > 0 {
					t.Fatal("bars of nothing")
				}
				return
			}
			top, zero := 0.0, 0.0
			for _, m := range marks {
				if m.name == "text" && m.attr["class"] == "m e" && strings.HasSuffix(m.text, "\u00a0%") {
					v := percent(t, m.text)
					if v == 0 {
						zero = m.number(t, "y")
					}
					top = max(top, v)
				}
			}
			units := zero - 44 // the text of the highest tick is at 44
			n := 0
			for _, bin := range h.Bins {
				if bin.Count == 0 {
					continue
				}
				if n == len(bars) || !drawn(bars[n].h, float64(bin.Count)/float64(sum)/top, units) {
					t.Fatalf("%v of %d: %v, top %v, %v units", bin, sum, bars, top, units)
				}
				n++
			}
			if n != len(bars) {
				t.Fatalf("%d bars for %d counts", len(bars), n)
			}
		})
	})
}

// TestCohort: a bar at the foot of each cell is its share, and weeks that are not over are dashed.
func TestCohort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := chart.Cohort{Head: chart.Head{Title: "Retention"}, Item: "users", Ends: time.Date(2026, 1, 27, 19, 20, 0, 0, time.UTC)}
		weeks := rapid.IntRange(0, 20).Draw(t, "weeks")
		for i := range weeks {
			w := chart.Week{Start: time.Date(2025, 12, 29, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 7*i), Count: anyCount().Draw(t, "count")}
			for range weeks - i {
				state := rapid.SampledFrom([]chart.State{chart.Whole, chart.Unfinished}).Draw(t, "state")
				w.Back = append(w.Back, chart.Return{Count: rapid.Int64Range(0, w.Count).Draw(t, "back"), State: state})
			}
			c.Weeks = append(c.Weeks, w)
		}
		checkTable(t, c)
		bothForms(c.Draw(), func(svg string, narrow bool) {
			marks := checkPlaces(t, svg)
			cells, bars, frames := areas(t, marks, "band"), areas(t, marks, "s"), areas(t, marks, "frame")
			columns := 12
			if narrow {
				columns = 6
			}
			n, b, dashed := 0, 0, 0
			for _, w := range c.Weeks[max(0, weeks-12):] {
				for _, back := range w.Back[:min(columns, len(w.Back))] {
					if back.State == chart.Unfinished {
						dashed++
					}
					if back.Count > 0 {
						if b == len(bars) || !drawn(bars[b].w, float64(back.Count)/float64(w.Count), cells[n].w) || bars[b].y+bars[b].h != cells[n].y+cells[n].h {
							t.Fatalf("%v of %d: cell %v, bars %v", back, w.Count, cells[n], bars)
						}
						b++
					}
					n++
				}
			}
			if n != len(cells) || b != len(bars) || dashed != len(frames) {
				t.Fatalf("%d cells, %d bars, %d frames for %d, %d, %d", len(cells), len(bars), len(frames), n, b, dashed)
			}
		})
	})
}
