package chart

import "math"

// scale maps values from zero to top onto y coordinates from base up.
type scale struct {
	max   float64 // the largest value
	top   float64 // the value of the highest tick
	step  float64 // between two ticks
	base  float64 // y of zero
	units float64 // height of top above base
}

// newScale makes a scale of three to five ticks, zero among them, with room for max. Counts have ticks of
// whole numbers.
func newScale(max float64, whole bool, base, height float64) scale {
	max = sane(max)
	s := scale{max: max, base: base, units: height}
	s.step = niceStep(max, whole)
	s.top = math.Ceil(max/s.step-1e-9) * s.step
	if !(s.top > 0) {
		s.top = s.step
	}
	return s
}

// largest is the value beyond which axes and words have no room. A count that a file holds is far below it.
const largest = 1e14

// sane is a value that can be drawn: zero for a negative one or none, and at most the largest.
func sane(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return math.Min(v, largest)
}

// niceStep returns the step with which max takes two to four steps: 1, 2, 2.5 or 5 times a power of ten.
func niceStep(max float64, whole bool) float64 {
	if !(max > 0) || math.IsInf(max, 0) {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(max/4)))
	for _, m := range []float64{1, 2, 2.5, 5, 10, 20} {
		step := m * unit
		if whole && step != math.Trunc(step) {
			continue
		}
		if math.Ceil(max/step-1e-9) <= 4 {
			return step
		}
	}
	return math.Max(1, math.Ceil(max/4)) // whole numbers below four
}

// y is the coordinate of a value.
func (s scale) y(v float64) float64 { return s.base - s.height(v) }

// height is the number of units of a value, at most those of the scale.
func (s scale) height(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return math.Min(v, s.top) / s.top * s.units
}

// ticks are the values with a grid line, zero first.
func (s scale) ticks() []float64 {
	var ticks []float64
	for i := 0; ; i++ {
		v := float64(i) * s.step
		if v > s.top*(1+1e-9) {
			return ticks
		}
		ticks = append(ticks, v)
	}
}
