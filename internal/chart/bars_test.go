package chart_test

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"datasync/internal/chart"

	"pgregory.net/rapid"
)

// anyText is text as an event may have it.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom(odd), rapid.StringMatching(`/[a-zW界]{0,80}`))
}

// anyCount is a count, often small, at times near the largest that a file can have.
func anyCount() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(0, 100_000), rapid.Int64Range(0, 1e12))
}

func anyShare() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 1, 1e-9, 0.99999, math.NaN()}))
}

// bothForms runs a check on the two forms of a drawing.
func bothForms(d chart.Drawing, check func(svg string, narrow bool)) {
	check(d.Wide, false)
	check(d.Narrow, true)
}

// TestRows: each bar is as long as its value, from one edge, and the names stand in order.
func TestRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := chart.Rows{Head: chart.Head{Title: "Top pages", Unit: "events"}, Item: "page",
			Share: rapid.SampledFrom([]string{"", "errors"}).Draw(t, "share"), Limit: rapid.IntRange(0, 8).Draw(t, "limit"), Slots: rapid.IntRange(0, 4).Draw(t, "slots")}
		for range rapid.IntRange(0, 10).Draw(t, "rows") {
			r.Rows = append(r.Rows, chart.Row{Name: anyText().Draw(t, "name"), Value: float64(anyCount().Draw(t, "value")), Share: anyShare().Draw(t, "part")})
		}
		checkTable(t, r)
		shown := r.Rows
		if r.Limit > 0 {
			shown = shown[:min(r.Limit, len(shown))]
		}
		longest := 0.0
		for _, row := range shown {
			longest = max(longest, row.Value)
		}
		bothForms(r.Draw(), func(svg string, _ bool) {
			marks := checkPlaces(t, svg)
			bars := areas(t, marks, "s")
			units := 0.0
			for _, bar := range bars {
				units = max(units, bar.w)
			}
			n := 0
			for _, row := range shown {
				if row.Value == 0 {
					continue
				}
				if n == len(bars) || !drawn(bars[n].w, row.Value/longest, units) || bars[n].x != bars[0].x {
					t.Fatalf("%v: bar %d of %v", row, n, bars)
				}
				n++
			}
			if n != len(bars) {
				t.Fatalf("%d bars for %d values", len(bars), n)
			}
		})
		if table := r.Table(); len(table.Rows) != len(r.Rows) {
			t.Fatalf("%d rows of %d in the table", len(table.Rows), len(r.Rows))
		}
	})
}

// TestStanding: a share is marked from 1.35 times the median, unless chance explains it.
func TestStanding(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		name   string
		values []float64
		shares []float64
		want   []bool
	}{
		{"one high", []float64{10_000, 10_000, 10_000}, []float64{0.04, 0.04, 0.054}, []bool{false, false, true}},
		{"below the factor", []float64{1e6, 1e6, 1e6}, []float64{0.04, 0.04, 0.0539}, []bool{false, false, false}},
		{"low counts", []float64{10_000, 10_000, 2}, []float64{0.04, 0.04, 0.5}, []bool{false, false, false}},
		{"no errors elsewhere", []float64{1000, 1000, 1000}, []float64{0, 0, 0.004}, []bool{false, false, true}},
		{"one error in all", []float64{1000, 1000, 1000}, []float64{0, 0, 0.001}, []bool{false, false, false}},
		{"one page", []float64{1000}, []float64{1}, []bool{false}},
		{"unknown", []float64{10_000, 10_000, 10_000}, []float64{0.04, nan, 0.9}, []bool{false, false, true}},
		{"none", nil, nil, nil},
	} {
		r := chart.Rows{Head: chart.Head{Title: "Top pages", Unit: "events"}, Item: "page", Share: "errors"}
		for i := range test.values {
			r.Rows = append(r.Rows, chart.Row{Name: strconv.Itoa(i), Value: test.values[i], Share: test.shares[i]})
		}
		if got := r.Standing(); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
		marked := strings.Count(r.Draw().Wide, `class="e b bad"`)
		if want := len(slices.DeleteFunc(slices.Clone(test.want), func(b bool) bool { return !b })); marked != want {
			t.Errorf("%s: %d figures are marked, want %d", test.name, marked, want)
		}
	}
}

// TestFactors: each bar is its share of the frame, red above the usual share, whose tick is in its place.
func TestFactors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := chart.Factors{Head: chart.Head{Title: "What was different", Unit: "share of the errors"}, Of: "the errors"}
		for range rapid.IntRange(0, 6).Draw(t, "rows") {
			share := anyShare().Draw(t, "part")
			if math.IsNaN(share) {
				share = 0
			}
			f.Rows = append(f.Rows, chart.Factor{Kind: anyText().Draw(t, "kind"), Name: anyText().Draw(t, "name"), Share: share, Usual: anyShare().Draw(t, "usual")})
		}
		checkTable(t, f)
		bothForms(f.Draw(), func(svg string, _ bool) {
			marks := checkPlaces(t, svg)
			frames, ticks := areas(t, marks, "grid"), areas(t, marks, "k")
			red, slate := areas(t, marks, "t8"), areas(t, marks, "s")
			for i, row := range f.Rows {
				frame := frames[i]
				left, units := frame.x-0.5, frame.w+1
				if row.Share > 0 {
					bars := &slate
					if row.Share > row.Usual {
						bars = &red
					}
					if len(*bars) == 0 || !drawn((*bars)[0].w, row.Share, units) || math.Abs((*bars)[0].x-left) > 0.11 {
						t.Fatalf("%v: %v in %v", row, *bars, frame)
					}
					*bars = (*bars)[1:]
				}
				if !math.IsNaN(row.Usual) {
					if len(ticks) == 0 || math.Abs(ticks[0].x+1-(left+row.Usual*units)) > 0.2 {
						t.Fatalf("%v: tick %v in %v", row, ticks, frame)
					}
					ticks = ticks[1:]
				}
			}
			if len(red)+len(slate)+len(ticks) > 0 {
				t.Fatalf("more bars or ticks than shares: %v %v %v", red, slate, ticks)
			}
		})
	})
}

// TestFunnel: each bar is its share of the first one, and between two is how many go on.
func TestFunnel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := chart.Funnel{Head: chart.Head{Title: "Funnel"}, Item: "sessions"}
		count := anyCount().Draw(t, "first")
		for range rapid.IntRange(0, 6).Draw(t, "steps") {
			f.Steps = append(f.Steps, chart.Step{Name: anyText().Draw(t, "name"), Count: count, Color: chart.Blue})
			count = rapid.Int64Range(0, count).Draw(t, "next")
		}
		checkTable(t, f)
		bothForms(f.Draw(), func(svg string, _ bool) {
			marks := checkPlaces(t, svg)
			bars := areas(t, marks, "t1")
			all := words(marks)
			for i, step := range f.Steps {
				if step.Count == 0 {
					continue
				}
				if i >= len(bars) || !drawn(bars[i].w, float64(step.Count)/float64(f.Steps[0].Count), bars[0].w) || bars[i].x != bars[0].x {
					t.Fatalf("step %d: %v", i, bars)
				}
				if i+1 < len(f.Steps) && !slices.Contains(all, "↓ "+chart.Percent(float64(f.Steps[i+1].Count)/float64(step.Count))+" go on") {
					t.Fatalf("step %d: %q", i, all)
				}
			}
		})
	})
}

var gridTip = regexp.MustCompile(`: ([\d,]+) events, [^,]* of all$`)

// TestGrid: all bars have one scale, and rows and columns that are not drawn alone are part of the others.
func TestGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := chart.Grid{Head: chart.Head{Title: "Device and browser"}, Item: "events", Down: "device", Across: "browser"}
		rows, columns := rapid.IntRange(0, 9).Draw(t, "rows"), rapid.IntRange(1, 9).Draw(t, "columns")
		sum := int64(0)
		for range columns {
			g.Columns = append(g.Columns, anyText().Draw(t, "column"))
		}
		for range rows {
			g.Rows = append(g.Rows, anyText().Draw(t, "row"))
			var counts []int64
			for range columns {
				counts = append(counts, anyCount().Draw(t, "count"))
				sum += counts[len(counts)-1]
			}
			g.Counts = append(g.Counts, counts)
		}
		checkTable(t, g)
		// The tips of the wide form have the counts of the bars, in their order.
		var counts []int64
		most, tipped := int64(0), int64(0)
		bothForms(g.Draw(), func(svg string, _ bool) {
			marks := checkPlaces(t, svg)
			for _, m := range marks {
				if tip := gridTip.FindStringSubmatch(m.text); tip != nil && m.name == "title" {
					count := int64(number(t, strings.ReplaceAll(tip[1], ",", "")))
					tipped += count
					most = max(most, count)
					if count > 0 {
						counts = append(counts, count)
					}
				}
			}
			bars := areas(t, marks, "s")
			if len(bars) != len(counts) || len(bars) > 30 {
				t.Fatalf("%d bars for %d counts", len(bars), len(counts))
			}
			units := 0.0
			for _, bar := range bars {
				units = max(units, bar.w)
			}
			for i, count := range counts {
				if !drawn(bars[i].w, float64(count)/float64(most), units) {
					t.Fatalf("%v for %v", bars, counts)
				}
			}
		})
		if tipped != sum {
			t.Fatalf("the bars have %d of %d", tipped, sum)
		}
		table, whole := g.Table(), int64(0)
		for _, row := range table.Rows {
			n, err := strconv.ParseInt(strings.ReplaceAll(row[2], ",", ""), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			whole += n
		}
		if whole != sum {
			t.Fatalf("the table has %d of %d", whole, sum)
		}
	})
}
