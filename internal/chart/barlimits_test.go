package chart_test

import (
	"fmt"
	"math"
	"testing"

	"datasync/internal/chart"
)

// TestUnexpectedBars: the largest count, values that are no number or below zero, and charts without any.
func TestUnexpectedBars(t *testing.T) {
	head := chart.Head{Title: "t", Unit: "u"}
	for _, v := range []float64{0, -5, 1, 1e-9, 0.3, 1.5, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 9.99e5} {
		for n := range 4 {
			name := fmt.Sprintf("%v, %d times", v, n)
			rows := chart.Rows{Head: head, Item: "page", Share: "errors", Limit: 2}
			factors := chart.Factors{Head: head, Of: "the errors"}
			heat := chart.Heat{Head: head}
			for i := range n {
				rows.Rows = append(rows.Rows, chart.Row{Name: "/", Value: v, Share: v}, chart.Row{Name: "/b", Value: 5, Share: 0.1})
				factors.Rows = append(factors.Rows, chart.Factor{Kind: "page", Name: "/", Share: v, Usual: v}, chart.Factor{Kind: "page", Name: "/", Share: 0.5, Usual: v})
				heat.Cells[i][i*3], heat.Cells[6-i][i] = v, 3
			}
			whole(t, "rows of "+name, rows)
			rows.Share, rows.Limit = "", 0
			whole(t, "rows without shares of "+name, rows)
			whole(t, "factors of "+name, factors)
			whole(t, "heat of "+name, heat)
		}
	}
	for _, v := range []int64{math.MinInt64, -1, 0, 1, 2, math.MaxInt64 / 8, math.MaxInt64} {
		name := fmt.Sprint(v)
		funnel := chart.Funnel{Head: head, Item: "sessions"}
		histogram := chart.Histogram{Head: head, Item: "sessions", Size: "length", Edges: true}
		cohort := chart.Cohort{Head: head, Item: "users", Ends: start}
		grid := chart.Grid{Head: head, Item: "events", Down: "device", Across: "browser"}
		for i := range 3 {
			funnel.Steps = append(funnel.Steps, chart.Step{Name: "a", Count: v, Color: chart.Other}, chart.Step{Name: "b", Count: 2, Color: chart.Blue})
			histogram.Bins = append(histogram.Bins, chart.Bin{Name: "a", Mark: "a", Count: v}, chart.Bin{Name: "b", Mark: "b", Count: 2})
			cohort.Weeks = append(cohort.Weeks, chart.Week{Start: start.AddDate(0, 0, 7*i), Count: v, Back: []chart.Return{{Count: 3}, {Count: v, State: chart.Unfinished}}})
			grid.Rows, grid.Columns = append(grid.Rows, "a"), append(grid.Columns, "b")
			grid.Counts = append(grid.Counts, []int64{v, 1, v})
		}
		whole(t, "funnel of "+name, funnel)
		whole(t, "histogram of "+name, histogram)
		whole(t, "cohort of "+name, cohort)
		whole(t, "grid of "+name, grid)
	}
	for _, c := range []chart.Chart{chart.Rows{Head: head}, chart.Factors{Head: head}, chart.Funnel{Head: head}, chart.Histogram{Head: head}, chart.Cohort{Head: head}, chart.Grid{Head: head},
		chart.Cohort{Head: head, Weeks: []chart.Week{{}}}, chart.Grid{Head: head, Rows: []string{"a"}}, chart.Grid{Head: head, Rows: []string{"a"}, Columns: []string{"b"}}} {
		whole(t, fmt.Sprintf("%T without values", c), c)
	}
}
