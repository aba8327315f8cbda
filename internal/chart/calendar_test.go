package chart

import (
	"testing"
	"time"
)

// TestCalendarAdvances: in every zone the next day, week, month and year begin at the first instant of a later
// date. Some zones skip midnight or a whole day.
func TestCalendarAdvances(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Asia/Kathmandu", "Asia/Beirut",
		"Africa/Cairo", "Pacific/Apia", "Pacific/Kwajalein", "Australia/Lord_Howe", "America/Godthab", "Asia/Tehran", "Antarctica/Troll"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range periods {
			at := p.start(time.Date(1990, 1, 1, 12, 0, 0, 0, zone))
			for range 14000 {
				next := p.after(at)
				if !next.After(at) {
					t.Fatalf("%s: the %s after %v is %v", name, p.name, at, next)
				}
				if before := next.Add(-time.Nanosecond); sameDay(before, next) {
					t.Fatalf("%s: %v is no start of a day", name, next)
				}
				if got := p.start(next); !got.Equal(next) {
					t.Fatalf("%s: the %s of %v begins at %v", name, p.name, next, got)
				}
				if got := p.start(next.Add(-time.Nanosecond)); !got.Equal(at) {
					t.Fatalf("%s: the %s before %v begins at %v, not %v", name, p.name, next, got, at)
				}
				if longest := map[string]time.Duration{"day": 49, "week": 8 * 24, "month": 32 * 24, "year": 367 * 24}[p.name] * time.Hour; next.Sub(at) > longest {
					t.Fatalf("%s: the %s from %v ends at %v", name, p.name, at, next)
				}
				if next.Year() > 2027 {
					break
				}
				at = next
			}
		}
	}
}

// TestTicksAdvance: ticks are in order and never two at one time.
func TestTicksAdvance(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		rules := map[string]calendar{"day": daily, "week": mondays, "month": months(1), "quarter": months(3), "year": months(12)}
		for _, step := range clockSteps {
			rules[step.String()] = clock(step)
		}
		for rule, c := range rules {
			for _, from := range []time.Time{time.Date(2011, 12, 27, 22, 17, 3, 500, zone), time.Date(2026, 3, 27, 0, 0, 0, 0, zone), time.Date(2025, 10, 24, 23, 59, 59, 0, zone), time.Date(2025, 10, 31, 0, 0, 0, 0, zone)} {
				at := from
				for range 400 {
					next := c.next(at)
					if !next.After(at) {
						t.Fatalf("%s, %s: the tick after %v is %v", name, rule, at, next)
					}
					at = next
				}
			}
		}
	}
}
