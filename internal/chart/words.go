package chart

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// nbsp joins a figure to its unit, so that no line breaks between them.
const nbsp = "\u00a0"

// Format is how a chart writes its values.
type Format int

// The formats of values.
const (
	Counts   Format = iota // whole numbers: 12,804, on an axis 12.8k
	Percents               // shares from 0 to 1: 4.6 %
)

// Word writes a value with the digits that a reader compares.
func (f Format) Word(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	if f == Percents {
		return Percent(math.Max(math.Min(v, largest), -largest))
	}
	if math.Abs(v) > largest {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	if v != math.Trunc(v) {
		return Decimal(v)
	}
	return Count(int64(v))
}

// axis writes a tick.
func (f Format) axis(v, step float64) string {
	if f == Percents {
		digits := 0
		for s := step * 100; digits < 6 && math.Abs(s-math.Round(s)) > 1e-6; s *= 10 {
			digits++
		}
		return strconv.FormatFloat(v*100, 'f', digits, 64) + nbsp + "%"
	}
	return Short(v)
}

// Count writes a whole number with all digits: 310,987.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Decimal writes a mean: one digit after the point below 100, none above.
func Decimal(v float64) string {
	if math.Abs(v) >= 99.95 {
		return Count(int64(math.Round(v)))
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// Short writes a number as an axis shows it: 950, 1.5k, 12k, 2.25M.
func Short(v float64) string {
	for _, u := range []struct {
		at   float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= u.at {
			return strconv.FormatFloat(math.Round(v/u.at*100)/100, 'f', -1, 64) + u.name
		}
	}
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

// Percent writes a share from 0 to 1: 47 %, 4.6 %, 0.06 %. Only all is 100 %, and only none is 0 %.
func Percent(share float64) string {
	p := share * 100
	var s string
	switch a := math.Abs(p); {
	case p == 0 || math.IsNaN(p):
		s = "0"
	case a > 99 && a < 100:
		s = strconv.FormatFloat(math.Trunc(p*10)/10, 'f', -1, 64)
	case a >= 9.95:
		s = strconv.FormatFloat(p, 'f', 0, 64)
	case a >= 0.095:
		s = strconv.FormatFloat(p, 'f', 1, 64)
	case a >= 0.00095:
		s = strconv.FormatFloat(p, 'f', 1-int(math.Floor(math.Log10(a)))-1, 64)
	default:
		s = "<0.001"
	}
	return strings.Replace(s, "-", "−", 1) + nbsp + "%"
}

// Tenth writes a share from 0 to 1 with one digit after the point: 64.1 %.
func Tenth(share float64) string {
	p := share * 100
	if p > 0 && p < 0.05 || p > 99.95 && p < 100 {
		return Percent(share)
	}
	return strings.Replace(strconv.FormatFloat(p, 'f', 1, 64), "-", "−", 1) + nbsp + "%"
}

// Span writes a duration in its two largest units: 1 min 25 s.
func Span(d time.Duration) string {
	if d < 0 {
		return "−" + Span(-d)
	}
	if d < 10*time.Second && d%time.Second != 0 {
		if d < time.Second {
			return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + nbsp + "ms"
		}
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + nbsp + "s"
	}
	d = d.Round(time.Second)
	units := []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.of {
			continue
		}
		word := strconv.FormatInt(int64(d/u.of), 10) + nbsp + u.name
		if i+1 < len(units) {
			next := units[i+1]
			if rest := d % u.of / next.of; rest > 0 {
				word += " " + strconv.FormatInt(int64(rest), 10) + nbsp + next.name
			}
		}
		return word
	}
	return "0" + nbsp + "s"
}

// Plural writes a count and its noun: 1 event, 2,932 users. The noun is that of one.
func Plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Count(n) + " " + noun
}
