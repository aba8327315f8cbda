package chart

import "time"

// Day writes a date: Tue 20 Jan.
func Day(t time.Time) string { return t.Format("Mon 2 Jan") }

// DayYear writes a date with its year: Tue 20 Jan 2026.
func DayYear(t time.Time) string { return t.Format("Mon 2 Jan 2006") }

// Hour writes a date and a time of day: Tue 20 Jan 14:00.
func Hour(t time.Time) string { return t.Format("Mon 2 Jan 15:04") }

// Stamp writes an instant with its zone: Tue 20 Jan 14:00 UTC.
func Stamp(t time.Time) string { return t.Format("Mon 2 Jan 15:04 MST") }

// Clock writes a time of day with seconds: 19:21:04.
func Clock(t time.Time) string { return t.Format("15:04:05") }

// Between writes a range of time whose end is left out: "Sun 11 Jan 01:00–13:00" within a day,
// "Mon 5 – Sun 11 Jan" for whole days, "Sun 28 Dec 18:33 – Fri 9 Jan 06:00" otherwise.
func Between(from, to time.Time) string {
	last := to.Add(-1)
	switch {
	case !to.After(from):
		return Hour(from)
	case midnight(from) && midnight(to):
		if sameDay(from, last) {
			return Day(from)
		}
		if from.Year() != last.Year() {
			return DayYear(from) + " – " + DayYear(last)
		}
		if from.Month() == last.Month() {
			return from.Format("Mon 2") + " – " + Day(last)
		}
		return Day(from) + " – " + Day(last)
	case sameDay(from, last):
		if midnight(to) {
			return Hour(from) + "–24:00"
		}
		return Hour(from) + "–" + to.Format("15:04")
	default:
		return Hour(from) + " – " + Hour(to)
	}
}

func midnight(t time.Time) bool {
	h, m, s := t.Clock()
	// Some zones change their clocks at midnight, and a day begins at 01:00 there.
	return h == 0 && m == 0 && s == 0 && t.Nanosecond() == 0 || startOfDay(t).Equal(t)
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return ay == by && am == bm && ad == bd
}

// startOfDay is the first instant of t's date. Where clocks skip midnight that is 01:00.
func startOfDay(t time.Time) time.Time {
	y, m, d := t.Date()
	s := time.Date(y, m, d, 0, 0, 0, 0, t.Location())
	if s.Day() == d {
		// Where clocks go back over midnight, 00:00 comes twice, and the first one begins the day.
		if e := s.Add(-time.Hour); e.Day() == d {
			return e
		}
		return s
	}
	// time.Date gave the offset before the change: the day starts with the change, within two hours.
	for s.Day() != d {
		s = s.Add(30 * time.Minute)
	}
	return s
}

// noon is the middle of a date some days after t's. Days are counted from noon to noon, because midnight
// does not exist on some dates.
func noon(t time.Time, days int) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d+days, 12, 0, 0, 0, t.Location())
}

// nextDay is the first instant of the date after t's.
func nextDay(t time.Time) time.Time {
	return startOfDay(noon(t, 1))
}

// startOfWeek is the first instant of the Monday on or before t.
func startOfWeek(t time.Time) time.Time {
	return startOfDay(noon(t, -(int(t.Weekday())+6)%7))
}

// startOfMonth is the first instant of t's month.
func startOfMonth(t time.Time) time.Time {
	return startOfDay(time.Date(t.Year(), t.Month(), 1, 12, 0, 0, 0, t.Location()))
}
