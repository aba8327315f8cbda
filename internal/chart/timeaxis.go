package chart

import "time"

// tick is a place on a time axis and what may be written there.
type tick struct {
	x     float64
	label string // empty: a tick alone
}

// calendar is a rule for ticks: where they are, and how each is written, longest form first. last is the time of
// the label before, and zero for the first one.
type calendar struct {
	next  func(time.Time) time.Time // the first tick after a time
	words []func(t, last time.Time) string
}

// clockSteps are the distances between ticks within days.
var clockSteps = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// timeTicks places ticks from one time to another, at least a span apart. x maps a time to its coordinate.
// Labels are centred at their tick, stay between min and max, and never touch.
func timeTicks(from, to time.Time, least time.Duration, x func(time.Time) float64, min, max float64) []tick {
	span := to.Sub(from)
	days := span.Hours() / 24
	switch {
	case days <= 3.1 && least <= 12*time.Hour:
		for _, step := range clockSteps {
			if step < least || span/step > 60 {
				continue
			}
			if ticks, ok := clock(step).place(from, to, x, min, max); ok {
				return ticks
			}
		}
		return daily.thin(from, to, x, min, max)
	case days <= 16.1:
		return daily.thin(from, to, x, min, max)
	case days <= 125:
		return mondays.thin(from, to, x, min, max)
	case days <= 5*366:
		for _, step := range []int{1, 2, 3, 6} {
			if ticks, ok := months(step).place(from, to, x, min, max); ok {
				return ticks
			}
		}
		return months(12).thin(from, to, x, min, max)
	default:
		return months(12).thin(from, to, x, min, max)
	}
}

// ticksOf lists the ticks of a rule in a range, its start among them.
func (c calendar) ticksOf(from, to time.Time) []time.Time {
	var all []time.Time
	for t := c.next(from.Add(-1)); t.Before(to) && len(all) < 500; t = c.next(t) {
		all = append(all, t)
	}
	return all
}

// place writes all labels of a rule in the longest form in which none touches its neighbour.
func (c calendar) place(from, to time.Time, x func(time.Time) float64, min, max float64) ([]tick, bool) {
	all := c.ticksOf(from, to)
	for _, word := range c.words {
		if ticks, ok := write(all, word, 1, x, min, max); ok {
			return ticks, len(all) > 0
		}
	}
	return nil, false
}

// thin is place, and where no form fits it leaves out labels, every second first.
func (c calendar) thin(from, to time.Time, x func(time.Time) float64, min, max float64) []tick {
	if ticks, ok := c.place(from, to, x, min, max); ok {
		return ticks
	}
	all := c.ticksOf(from, to)
	shortest := c.words[len(c.words)-1]
	for stride := 2; stride < len(all); stride++ {
		if ticks, ok := write(all, shortest, stride, x, min, max); ok {
			return ticks
		}
	}
	if len(all) == 0 {
		return nil
	}
	ticks, _ := write(all[:1], shortest, 1, x, min, max)
	return ticks
}

// write labels every stride-th time, and says whether all labels have room.
func write(all []time.Time, word func(t, last time.Time) string, stride int, x func(time.Time) float64, min, max float64) ([]tick, bool) {
	const apart = 7.0
	ticks := make([]tick, 0, len(all))
	edge := min - apart
	var last time.Time
	for i, t := range all {
		k := tick{x: x(t)}
		if i%stride == 0 {
			k.label = word(t, last)
			last = t
		}
		ticks = append(ticks, k)
		if k.label == "" {
			continue
		}
		start, end := clamp(k.x, Width(k.label), min, max)
		if start < edge+apart-0.01 {
			return nil, false
		}
		edge = end
	}
	return ticks, true
}

// clamp centres a text of some width at x and moves it between min and max.
func clamp(x, width, min, max float64) (start, end float64) {
	start = x - width/2
	if start+width > max {
		start = max - width
	}
	if start < min {
		start = min
	}
	return start, start + width
}

// clock has a tick at each multiple of step on the wall clock: 03:00 is a tick also on days when clocks change.
// Midnight shows the date.
func clock(step time.Duration) calendar {
	layout := "15:04"
	if step < time.Minute {
		layout = "15:04:05"
	}
	next := func(t time.Time) time.Time {
		day := startOfDay(t)
		y, m, d := day.Date()
		if step < time.Hour {
			// Offsets are multiples of a quarter of an hour, so short steps follow the instant.
			n := t.Sub(day)/step + 1
			if at := day.Add(n * step); at.Before(nextDay(t)) {
				return at
			}
			return nextDay(t)
		}
		for h := 0; h < 24; h += int(step / time.Hour) {
			if at := time.Date(y, m, d, h, 0, 0, 0, t.Location()); at.After(t) && at.Hour() == h {
				return at
			}
		}
		return nextDay(t)
	}
	short := func(t, _ time.Time) string {
		if startOfDay(t).Equal(t) && step >= time.Hour {
			return t.Format("2 Jan")
		}
		return t.Format(layout)
	}
	long := func(t, last time.Time) string {
		if startOfDay(t).Equal(t) && step >= time.Hour {
			return Day(t)
		}
		return short(t, last)
	}
	return calendar{next, []func(t, last time.Time) string{long, short}}
}

// hoursOfDay is clock for a chart of a single day, where midnight is 00:00.
func hoursOfDay(step int) calendar {
	c := clock(time.Duration(step) * time.Hour)
	c.words = []func(t, last time.Time) string{func(t, _ time.Time) string { return t.Format("15:04") }}
	return c
}

func dayLong(t, _ time.Time) string  { return Day(t) }
func dayShort(t, _ time.Time) string { return t.Format("2 Jan") }

var (
	daily = calendar{nextDay, []func(t, last time.Time) string{dayLong, dayShort, func(t, last time.Time) string {
		if last.IsZero() || t.Month() != last.Month() {
			return t.Format("2 Jan")
		}
		return t.Format("2")
	}}}
	mondays = calendar{
		func(t time.Time) time.Time { return startOfWeek(noon(t, 7)) },
		[]func(t, last time.Time) string{dayLong, dayShort},
	}
)

// months has a tick each step months, counted from January. January shows the year.
func months(step int) calendar {
	next := func(t time.Time) time.Time {
		y, m, _ := t.Date()
		at := int(m)
		for {
			at++
			if (at-1)%step == 0 {
				return startOfMonth(time.Date(y, time.Month(at), 1, 12, 0, 0, 0, t.Location()))
			}
		}
	}
	if step%12 == 0 {
		return calendar{next, []func(t, last time.Time) string{func(t, _ time.Time) string { return t.Format("2006") }}}
	}
	full := func(t, last time.Time) string {
		if last.IsZero() || t.Month() == time.January {
			return t.Format("January 2006")
		}
		return t.Format("January")
	}
	withYear := func(t, last time.Time) string {
		if last.IsZero() || t.Month() == time.January {
			return t.Format("Jan 2006")
		}
		return t.Format("Jan")
	}
	year := func(t, _ time.Time) string {
		if t.Month() == time.January {
			return t.Format("2006")
		}
		return t.Format("Jan")
	}
	return calendar{next, []func(t, last time.Time) string{full, withYear, year}}
}
