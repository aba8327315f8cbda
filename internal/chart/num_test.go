package chart_test

import (
	"math"
	"strconv"
	"testing"

	"datasync/internal/chart"
)

// TestNum: a coordinate is the shortest decimal of its rounded value.
func TestNum(t *testing.T) {
	values := []float64{0, math.Copysign(0, -1), 0.04, -0.04, 0.05, -0.05, -0.5, 0.1, 9.95, 99.96, 720, -720, 12.34, 1e14, 3e15, -3e15, 1e300, math.MaxFloat64 / 100}
	for n := range 4000 {
		values = append(values, float64(n-2000)/16)
	}
	for _, v := range values {
		want := "0"
		if rounded := math.Round(v*10) / 10; rounded != 0 {
			want = strconv.FormatFloat(rounded, 'f', -1, 64)
		}
		if got := chart.Num(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got := chart.Num(v); got != "0" {
			t.Errorf("%v: %s", v, got)
		}
	}
}
