package human

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// units are the units of a duration and their names.
var units = map[string]time.Duration{
	"ns": time.Nanosecond, "us": time.Microsecond, "µs": time.Microsecond, "μs": time.Microsecond, "ms": time.Millisecond,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": day, "day": day, "days": day, "w": 7 * day, "week": 7 * day, "weeks": 7 * day,
}

const day = 24 * time.Hour

var (
	// term matches a number with or without a unit.
	term = regexp.MustCompile(`^\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(\pL*)\s*`)
	bare = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)
)

// Duration reads a duration with its units: 10m, 1h30m, 90s, 10d, 2w, "5 minutes", -5m. A day has
// 24 hours. 0 needs no unit. It fails with an *Error.
func Duration(text string) (time.Duration, error) {
	s := strings.TrimSpace(text)
	if bare.MatchString(s) {
		if strings.Trim(s, "+-0.") == "" {
			return 0, nil
		}
		return 0, &Error{text, "has no unit", []string{s + "m", s + "h"}, true}
	}
	d, ok, long := duration(s)
	switch {
	case long:
		return 0, &Error{text, "is too long", []string{"at most 36500d"}, true}
	case ok:
		return d, nil
	}
	return 0, &Error{Text: text, Problem: "is not a duration", Write: likelyDurations(s)}
}

// duration reads a sum of terms after an optional sign. long says that it is a duration, but too
// long for a time.Duration.
func duration(s string) (sum time.Duration, ok, long bool) {
	rest := strings.TrimLeft(s, "+-")
	if len(s)-len(rest) > 1 || rest == "" {
		return 0, false, false
	}
	var total float64
	for rest != "" {
		m := term.FindStringSubmatch(rest)
		if m == nil {
			return 0, false, false
		}
		unit, known := unitOf(m[2])
		if !known {
			return 0, false, false
		}
		rest = rest[len(m[0]):]
		if n, err := strconv.ParseInt(m[1], 10, 64); err == nil && n <= math.MaxInt64/int64(unit) {
			sum += time.Duration(n) * unit
			total += float64(n) * float64(unit)
			continue
		}
		f, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, false, true // out of range
		}
		total += f * float64(unit)
		if total < math.MaxInt64 {
			sum += time.Duration(math.Round(f * float64(unit)))
		}
	}
	if total > float64(36500*day) {
		return 0, true, true
	}
	if s[0] == '-' {
		sum = -sum
	}
	return sum, true, false
}

// unitOf returns the unit of that name, in any case. M is not a unit: it may mean minutes, months
// or a million.
func unitOf(name string) (time.Duration, bool) {
	if d, ok := units[name]; ok {
		return d, true
	}
	if name == "M" {
		return 0, false
	}
	d, ok := units[strings.ToLower(name)]
	return d, ok
}

// likelyDurations returns the durations that a user may have meant by s, or examples.
func likelyDurations(s string) []string {
	if m := term.FindStringSubmatch(s); m != nil && len(m[0]) == len(s) {
		n, err := strconv.ParseFloat(m[1], 64)
		unit := strings.ToLower(m[2])
		switch {
		case err != nil || n > 36500:
		case m[2] == "M":
			return []string{m[1] + "m"}
		case strings.HasPrefix("months", unit) && len(unit) > 1:
			return []string{strconv.Itoa(int(n*30)) + "d"}
		case strings.HasPrefix("years", unit):
			return []string{strconv.Itoa(int(n*365)) + "d"}
		default:
			return []string{m[1] + "m", m[1] + "h"}
		}
	}
	if point := strings.Replace(s, ",", ".", 1); point != s {
		if _, ok, long := duration(point); ok && !long {
			return []string{point}
		}
	}
	return []string{"10m", "2h"}
}
