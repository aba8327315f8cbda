package chart

import (
	"math"
	"slices"
	"strings"
	"time"
)

// mostBars is the number of bars beyond which days become weeks, weeks months, and months years.
const mostBars = 100

// bin is the span of a bar and the values that it sums up.
type bin struct {
	from, to time.Time
	state    State
	members  []int // indexes of the values, in order of time
}

// period is a span of the calendar by which values are grouped.
type period struct {
	name  string // of one: "day"
	start func(time.Time) time.Time
	after func(time.Time) time.Time // the start of the next one
}

var periods = [...]period{
	{"day", startOfDay, nextDay},
	{"week", startOfWeek, func(t time.Time) time.Time { return startOfWeek(noon(t, 7)) }},
	{"month", startOfMonth, func(t time.Time) time.Time { return startOfMonth(noon(startOfMonth(t), 40)) }},
	{"year", startOfYear, func(t time.Time) time.Time { return startOfYear(noon(startOfYear(t), 400)) }},
}

func startOfYear(t time.Time) time.Time {
	return startOfDay(time.Date(t.Year(), 1, 1, 12, 0, 0, 0, t.Location()))
}

// group sums up n days to at most about a hundred bars, and returns the period of one. span returns a day
// and its state.
func group(n int, span func(int) (from, to time.Time, state State)) ([]bin, period) {
	for i, p := range periods {
		bins := groupBy(n, span, p)
		if len(bins) <= mostBars || i == len(periods)-1 {
			return bins, p
		}
	}
	panic("unreachable: the last period is accepted")
}

func groupBy(n int, span func(int) (time.Time, time.Time, State), p period) []bin {
	var bins []bin
	var states [][4]int
	var starts []time.Time
	for i := range n {
		from, to, state := span(i)
		start := p.start(from)
		if k := len(bins) - 1; k < 0 || !starts[k].Equal(start) {
			bins = append(bins, bin{from: from})
			states = append(states, [4]int{})
			starts = append(starts, start)
		}
		k := len(bins) - 1
		bins[k].to = to
		bins[k].members = append(bins[k].members, i)
		states[k][min(max(state, Whole), Unpulled)]++
	}
	for k := range bins {
		bins[k].state = together(states[k])
		// The first and the last week are rarely seven days of the period.
		cut := p.name != "day" && (bins[k].from.After(starts[k]) || bins[k].to.Before(p.after(bins[k].from)))
		if bins[k].state == Whole && cut {
			bins[k].state = Unfinished
		}
	}
	return bins
}

// together is the state of a span from the number of its parts in each state.
func together(n [4]int) State {
	switch {
	case n[Whole]+n[Unfinished] == 0 && n[Unpulled] > 0:
		return Unpulled
	case n[Whole]+n[Unfinished] == 0:
		return Empty
	case n[Unfinished]+n[Unpulled] > 0:
		return Unfinished
	default:
		return Whole
	}
}

// bands divide a plot into equal columns, one a bar. A day of 23 hours is as wide as one of 25.
type bands struct {
	left, step, bar float64
}

// newBands makes n bands in at most units. A few bars do not become blocks: the rest stays free.
func newBands(n int, left, units float64) bands {
	const widest, bar = 88.0, 52.0
	step := math.Min(units/float64(max(n, 1)), widest)
	return bands{left, step, math.Min(step-math.Min(math.Max(step*0.16, 0.5), 3), bar)}
}

func (b bands) start(i int) float64 { return b.left + float64(i)*b.step }
func (b bands) mid(i int) float64   { return b.start(i) + b.step/2 }

// x is where the bar of band i starts.
func (b bands) x(i int) float64 { return b.mid(i) - b.bar/2 }

// timeToBand maps a time to the middle of the bar that has it.
func timeToBand(b bands, bins []bin) func(time.Time) float64 {
	return func(t time.Time) float64 {
		at := 0
		for i := range bins {
			if !bins[i].from.After(t) {
				at = i
			}
		}
		return b.mid(at)
	}
}

// onlyEmpty says that a chart has nothing to show but the sentence that nothing is there.
func onlyEmpty(bins []bin) bool {
	return !slices.ContainsFunc(bins, func(n bin) bool { return n.state != Empty })
}

// blankRuns joins neighbours without values to runs.
func blankRuns(b bands, bins []bin) []run {
	var runs []run
	var from []time.Time
	for i, n := range bins {
		if n.state != Empty && n.state != Unpulled {
			continue
		}
		if k := len(runs) - 1; k >= 0 && runs[k].state == n.state && math.Abs(runs[k].x2-b.start(i)) < 0.01 {
			runs[k].x2 = b.start(i + 1)
			runs[k].words = runWords(n.state, from[k], n.to)
			continue
		}
		runs = append(runs, run{b.start(i), b.start(i + 1), n.state, runWords(n.state, n.from, n.to)})
		from = append(from, n.from)
	}
	return runs
}

// runWords names a span without events, in its long and its short form.
func runWords(state State, from, to time.Time) []string {
	if state != Empty {
		return nil
	}
	long := Between(from, to)
	return []string{state.String() + ", " + long, state.String() + ", " + withoutWeekdays(long)}
}

func withoutWeekdays(s string) string {
	for d := time.Sunday; d <= time.Saturday; d++ {
		s = strings.ReplaceAll(s, d.String()[:3]+" ", "")
	}
	return s
}

// binName names the span of a bar: a day, "week of Mon 5 Jan 2026", "January 2026".
func binName(n bin, p period) string {
	switch p.name {
	case "day", "hour":
		return DayYear(n.from)
	case "week":
		return "week of " + DayYear(p.start(n.from))
	case "month":
		return n.from.Format("January 2006")
	default:
		return n.from.Format("2006")
	}
}

// zoneName is the name of the zone of a time, as table heads show it.
func zoneName(t time.Time) string {
	if name := t.Location().String(); name != "Local" && name != "" {
		return name
	}
	return t.Format("MST")
}
