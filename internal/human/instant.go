package human

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// layouts are the layouts of an instant, with and without a zone. Seconds may have a fraction.
var (
	zoned = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07",
		"2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700", "2006-01-02T15:04Z07"}
	local = []string{"2006-01-02T15:04:05", "2006-01-02T15:04"}
	// foreign are the layouts of dates that are refused, with a valid date in the error.
	foreign = []string{"2.1.2006", "2.1.06", "2006/1/2", "2006.1.2", "2006-1-2", "20060102", "1/2/2006", "2/1/2006",
		"2-1-2006", "2 Jan 2006", "Jan 2, 2006", "Jan 2 2006", "2 January 2006", "January 2, 2006"}
)

var (
	isoDay   = regexp.MustCompile(`^([0-9]{4})-([0-9]{2})-([0-9]{2})$`)
	isoMonth = regexp.MustCompile(`^([0-9]{4})-([0-9]{2})$`)
	isoYear  = regexp.MustCompile(`^(19[7-9][0-9]|20[0-9]{2})$`)
	// between separates a day from a time, and a time from its offset.
	between  = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]+([0-9:.,]+) *([Zz]|UTC|[+-][0-9:]+)?$`)
	relative = regexp.MustCompile(`(?i)^-?\s*([0-9]+)\s*(d|days?|w|weeks?|mo|months?|y|years?)(\s+ago)?$`)
	months   = regexp.MustCompile(`^-?([0-9]+) ?M( ago)?$`)
	ago      = regexp.MustCompile(`(?i)\s+ago$`)
	unix     = regexp.MustCompile(`^[0-9]{10}([0-9]{3})?$`)
)

// Instant reads an instant, by the calendar and clock of zone where it does not name its own:
//
//   - 2026-01-31, 2026-01, 2026, today, yesterday and tomorrow are the instant at which that day, month
//     or year begins
//   - 7d, 2w, 3mo and 1y (also "7 days", "7 days ago") are the start of the day that many days, weeks,
//     months or years before today, so that the days between are whole
//   - 12h, 1h30m, 90s and now are that long before now
//   - 2026-01-31T12:00:00Z, 2026-01-31 12:00:00+01, and 2026-01-31 12:00 in zone
//
// It fails with an *Error.
func Instant(text string, now time.Time, zone *time.Location) (time.Time, error) {
	s, now := strings.TrimSpace(text), now.In(zone)
	if t, ok := named(s, now); ok {
		return t, nil
	}
	if t, ok := calendar(s, zone); ok {
		return t, nil
	}
	if bare.MatchString(s) && !unix.MatchString(s) && len(s) < 8 {
		return time.Time{}, &Error{text, "has no unit", []string{s + "d", s + "h"}, true}
	}
	if d, ok, long := duration(ago.ReplaceAllString(strings.TrimPrefix(s, "-"), "")); ok && !long && d >= 0 && s[0] != '+' {
		return now.Add(-d), nil
	}
	if m := months.FindStringSubmatch(s); m != nil {
		return time.Time{}, &Error{text, "is not a date", []string{m[1] + "mo for months", m[1] + "m for minutes"}, true}
	}
	return time.Time{}, &Error{Text: text, Problem: "is not a date", Write: append(likelyDates(s), "7d")}
}

// named reads an instant that depends on the present day, and "now".
func named(s string, now time.Time) (time.Time, bool) {
	year, month, today := now.Date()
	switch strings.ToLower(s) {
	case "now":
		return now, true
	case "today":
		return begin(year, month, today, now.Location()), true
	case "yesterday":
		return begin(year, month, today-1, now.Location()), true
	case "tomorrow":
		return begin(year, month, today+1, now.Location()), true
	}
	m := relative.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n > 36500 {
		return time.Time{}, false
	}
	switch m[2][0] | 0x20 {
	case 'd':
		return begin(year, month, today-n, now.Location()), true
	case 'w':
		return begin(year, month, today-7*n, now.Location()), true
	case 'y':
		n *= 12
	}
	// A month ago on the 31st is the last day of a shorter month.
	last := time.Date(year, month-time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return begin(year, month-time.Month(n), min(today, last), now.Location()), true
}

// calendar reads a year, a month, a day or an instant of the calendar.
func calendar(s string, zone *time.Location) (time.Time, bool) {
	for i, form := range []*regexp.Regexp{isoYear, isoMonth, isoDay} {
		m := form.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		if t, err := time.Parse(time.DateOnly, (s + "-01-01")[:10]); err == nil && i < 3 {
			return begin(t.Year(), t.Month(), t.Day(), zone), true
		}
	}
	m := between.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	offset := strings.ToUpper(m[3])
	if offset == "UTC" {
		offset = "Z"
	}
	for _, layout := range append(zoned[:len(zoned):len(zoned)], local...) {
		if t, err := time.ParseInLocation(layout, m[1]+"T"+m[2]+offset, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// begin returns the first instant of a day. Where clocks change at midnight, it is not 00:00, or the
// earlier of two.
func begin(year int, month time.Month, date int, zone *time.Location) time.Time {
	t := time.Date(year, month, date, 0, 0, 0, 0, zone)
	want := time.Date(year, month, date, 0, 0, 0, 0, time.UTC).Day()
	start, end := t.ZoneBounds()
	if t.Day() != want { // 00:00 is skipped, and t is before the gap
		return end.In(zone)
	}
	if start.IsZero() {
		return t
	}
	_, offset := t.Zone()
	_, before := start.Add(-1).Zone()
	if gap := t.Sub(start); before < offset && gap < time.Duration(offset-before)*time.Second {
		return start.In(zone) // 00:00 is skipped, and t is behind the gap
	}
	if first := t.Add(time.Duration(offset-before) * time.Second); before > offset && first.Before(start) {
		return first // 00:00 comes twice
	}
	return t
}

// likelyDates returns the date that a user may have meant by s, or an example.
func likelyDates(s string) []string {
	if m := isoDay.FindStringSubmatch(s); m != nil {
		year, _ := strconv.Atoi(m[1])
		if month, _ := strconv.Atoi(m[2]); month >= 1 && month <= 12 && m[3] > "28" { // 30 February
			return []string{time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)}
		}
	}
	if unix.MatchString(s) {
		n, _ := strconv.ParseInt(s[:10], 10, 64)
		return []string{time.Unix(n, 0).UTC().Format(time.RFC3339)}
	}
	var likely []string
	for _, layout := range foreign {
		if t, err := time.Parse(layout, s); err == nil {
			if d := t.Format(time.DateOnly); len(likely) == 0 || likely[0] != d {
				likely = append(likely, d)
			}
		}
	}
	if len(likely) == 0 {
		return []string{"2026-01-31"}
	}
	return likely
}
