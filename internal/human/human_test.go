package human_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // zones whose clocks are set at midnight

	"datasync/internal/human"
)

func TestDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"10m": 10 * time.Minute, "1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute, "10d": 10 * day, "2w": 14 * day, "1d12h": 36 * time.Hour,
		"0": 0, "0.0": 0, "-5m": -5 * time.Minute, "+5m": 5 * time.Minute, "250ms": 250 * time.Millisecond, "3µs": 3 * time.Microsecond,
		"5 minutes": 5 * time.Minute, "10 min": 10 * time.Minute, "1 day": day, " 2 hours 5 s ": 2*time.Hour + 5*time.Second, "7D": 7 * day, "2H": 2 * time.Hour,
		".5s": 500 * time.Millisecond, "36500d": 36500 * day,
	} {
		if got, err := human.Duration(text); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestCount(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "7": 7, "-3": -3, "300000": 300_000, "300,000": 300_000, "1_000_000": 1_000_000, "300k": 300_000, "3M": 3_000_000, "3m": 3_000_000,
		"1.5M": 1_500_000, "2G": 2_000_000_000, "3e6": 3_000_000, "1.5e3": 1500, " 5 k ": 5000, "9223372036854775807": 1<<63 - 1,
	} {
		if got, err := human.Count(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1000": 1000, "100MB": 100_000_000, "100M": 100_000_000, "2GiB": 2 << 30, "1.5 gb": 1_500_000_000, "1k": 1000, "1024TiB": 1 << 50,
	} {
		if got, err := human.Bytes(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
}

// TestWrongValues: the message has a valid value, and continues a sentence that begins with an
// option's name.
func TestWrongValues(t *testing.T) {
	instant := func(s string) error { _, err := human.Instant(s, time.Unix(1e9, 0), time.UTC); return err }
	duration := func(s string) error { _, err := human.Duration(s); return err }
	count := func(s string) error { _, err := human.Count(s); return err }
	number := func(s string) error { _, err := human.Number(s); return err }
	size := func(s string) error { _, err := human.Bytes(s); return err }
	for _, tc := range []struct {
		read       func(string) error
		text, want string
	}{
		{duration, "5", "5 has no unit; write 5m or 5h"},
		{duration, "-1.5", "-1.5 has no unit; write -1.5m or -1.5h"},
		{duration, "5M", "5M is not a duration; write 5m"},
		{duration, "3mo", "3mo is not a duration; write 90d"},
		{duration, "1y", "1y is not a duration; write 365d"},
		{duration, "5x", "5x is not a duration; write 5m or 5h"},
		{duration, "1,5h", "1,5h is not a duration; write 1.5h"},
		{duration, "soon", "soon is not a duration; write 10m or 2h"},
		{duration, "", `"" is not a duration; write 10m or 2h`},
		{duration, "-", "- is not a duration; write 10m or 2h"},
		{duration, "5m!", "5m! is not a duration; write 10m or 2h"},
		{duration, "5\tfoo\n", `"5\tfoo\n" is not a duration; write 5m or 5h`},
		{duration, "99999999999999999999h", "99999999999999999999h is too long; write at most 36500d"},
		{duration, "36501d", "36501d is too long; write at most 36500d"},
		{count, "3mio", "3mio is not a count; write 3M"},
		{count, "2 thousand", `"2 thousand" is not a count; write 2k`},
		{count, "3bn", "3bn is not a count; write 3G"},
		{count, "300.000", "300.000 is not a count; write 300000 or 300k"},
		{count, "1'000'000", "1'000'000 is not a count; write 1000000 or 1000k"},
		{count, "30,00", "30,00 is not a count; write 3000 or 3k"},
		{count, "1.0005k", "1.0005k is not a count; write 300000 or 3M"},
		{count, "many", "many is not a count; write 300000 or 3M"},
		{count, "0x10", "0x10 is not a count; write 300000 or 3M"},
		{count, "99999999999999999999", "99999999999999999999 is too large; write at most 9G"},
		{size, "100XB", "100XB is not a size; write 100MB or 2GiB"},
		{size, "100mega", "100mega is not a size; write 100MB"},
		{size, "-1MB", "-1MB is not a size; write 100MB or 2GiB"},
		{size, "NaN", "NaN is not a size; write 100MB or 2GiB"},
		{size, "inf", "inf is not a size; write 100MB or 2GiB"},
		{size, "9999TB", "9999TB is too large; write at most 1024TiB"},
		{number, "5%", "5% is not a number; write 0.05"},
		{number, "0,5", "0,5 is not a number; write 0.5"},
		{number, "NaN", "NaN is not a number; write 0.5"},
		{number, "0x1p4", "0x1p4 is not a number; write 0.5"},
		{instant, "31.1.2026", "31.1.2026 is not a date; write 2026-01-31 or 7d"},
		{instant, "01/02/2026", "01/02/2026 is not a date; write 2026-01-02, 2026-02-01 or 7d"},
		{instant, "31/1/2026", "31/1/2026 is not a date; write 2026-01-31 or 7d"},
		{instant, "20260131", "20260131 is not a date; write 2026-01-31 or 7d"},
		{instant, "2026-1-31", "2026-1-31 is not a date; write 2026-01-31 or 7d"},
		{instant, "31 Jan 2026", `"31 Jan 2026" is not a date; write 2026-01-31 or 7d`},
		{instant, "2026-02-30", "2026-02-30 is not a date; write 2026-02-28 or 7d"},
		{instant, "2026-13-01", "2026-13-01 is not a date; write 2026-01-31 or 7d"},
		{instant, "1769817600", "1769817600 is not a date; write 2026-01-31T00:00:00Z or 7d"},
		{instant, "2026-01-31T25:00:00Z", "2026-01-31T25:00:00Z is not a date; write 2026-01-31 or 7d"},
		{instant, "5", "5 has no unit; write 5d or 5h"},
		{instant, "+7h", "+7h is not a date; write 2026-01-31 or 7d"},
		{instant, "last week", `"last week" is not a date; write 2026-01-31 or 7d`},
		{instant, "", `"" is not a date; write 2026-01-31 or 7d`},
	} {
		err := tc.read(tc.text)
		var wrong *human.Error
		if !errors.As(err, &wrong) || err.Error() != tc.want {
			t.Errorf("%q: %v, want %s", tc.text, err, tc.want)
			continue
		}
		if wrong.Text != tc.text {
			t.Errorf("%q: the error is about %q", tc.text, wrong.Text)
		}
		for _, right := range wrong.Write {
			if err := tc.read(strings.TrimPrefix(right, "at most ")); err != nil {
				t.Errorf("%q: the message says to write %s: %v", tc.text, right, err)
			}
		}
	}
}

func TestInstant(t *testing.T) {
	utc := "2026-03-31T15:04:05.5Z"
	for _, tc := range []struct{ zone, now, text, want string }{
		{"UTC", utc, "2026-01-31", "2026-01-31T00:00:00Z"},
		{"UTC", utc, "2026-01", "2026-01-01T00:00:00Z"},
		{"UTC", utc, "2026", "2026-01-01T00:00:00Z"},
		{"UTC", utc, "now", "2026-03-31T15:04:05.5Z"},
		{"UTC", utc, "Today", "2026-03-31T00:00:00Z"},
		{"UTC", utc, "yesterday", "2026-03-30T00:00:00Z"},
		{"UTC", utc, "tomorrow", "2026-04-01T00:00:00Z"},
		{"UTC", utc, "0d", "2026-03-31T00:00:00Z"},
		{"UTC", utc, "7d", "2026-03-24T00:00:00Z"},
		{"UTC", utc, "7 days ago", "2026-03-24T00:00:00Z"},
		{"UTC", utc, "-7d", "2026-03-24T00:00:00Z"},
		{"UTC", utc, "2w", "2026-03-17T00:00:00Z"},
		{"UTC", utc, "1mo", "2026-02-28T00:00:00Z"},
		{"UTC", utc, "2 months", "2026-01-31T00:00:00Z"},
		{"UTC", utc, "2y", "2024-03-31T00:00:00Z"},
		{"UTC", "2024-02-29T12:00:00Z", "1y", "2023-02-28T00:00:00Z"},
		{"UTC", utc, "12h", "2026-03-31T03:04:05.5Z"},
		{"UTC", utc, "1h30m ago", "2026-03-31T13:34:05.5Z"},
		{"UTC", utc, "-90s", "2026-03-31T15:02:35.5Z"},
		{"UTC", utc, "2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"},
		{"UTC", utc, "2026-01-31t12:00:00.25z", "2026-01-31T12:00:00.25Z"},
		{"UTC", utc, "2026-01-31 12:00:00+01", "2026-01-31T11:00:00Z"},
		{"UTC", utc, "2026-01-31 12:00:00 +0130", "2026-01-31T10:30:00Z"},
		{"UTC", utc, "2026-01-31 12:00 UTC", "2026-01-31T12:00:00Z"},
		{"Europe/Berlin", utc, "2026-01-31 12:00", "2026-01-31T11:00:00Z"},
		{"Europe/Berlin", utc, "2026-01-31 12:00:00Z", "2026-01-31T12:00:00Z"},
		{"Europe/Berlin", utc, "2026-07-01", "2026-06-30T22:00:00Z"},
		// The day of the zone counts, not that of UTC.
		{"Asia/Tokyo", "2026-03-31T20:00:00Z", "yesterday", "2026-03-30T15:00:00Z"},
		{"America/Los_Angeles", "2026-03-31T02:00:00Z", "yesterday", "2026-03-29T07:00:00Z"},
		// A day of 23 hours lies between.
		{"Europe/Berlin", "2026-03-30T10:00:00Z", "2d", "2026-03-27T23:00:00Z"},
		{"Europe/Berlin", "2026-03-30T10:00:00Z", "48h", "2026-03-28T10:00:00Z"},
		// Clocks go from 24:00 to 01:00, and from 24:00 back to 23:00.
		{"Africa/Cairo", "2024-04-26T10:00:00Z", "today", "2024-04-25T22:00:00Z"},
		{"Asia/Beirut", "2022-03-27T10:00:00Z", "today", "2022-03-26T22:00:00Z"},
		{"America/Havana", "2024-11-03T20:00:00Z", "today", "2024-11-03T04:00:00Z"},
		{"America/Havana", "2024-03-10T20:00:00Z", "today", "2024-03-10T05:00:00Z"},
		// The day after, and the day before.
		{"Asia/Beirut", "2022-03-28T10:00:00Z", "today", "2022-03-27T21:00:00Z"},
		{"Asia/Beirut", "2022-03-27T10:00:00Z", "yesterday", "2022-03-25T22:00:00Z"},
	} {
		zone, err := time.LoadLocation(tc.zone)
		if err != nil {
			t.Fatal(err)
		}
		now, _ := time.Parse(time.RFC3339Nano, tc.now)
		got, err := human.Instant(tc.text, now, zone)
		if text := got.UTC().Format(time.RFC3339Nano); err != nil || text != tc.want {
			t.Errorf("%s, %s, %q: %s, %v; want %s", tc.zone, tc.now, tc.text, text, err, tc.want)
		}
	}
}

// FuzzValues: no text causes a panic, and a refusal is one line that suggests a value.
func FuzzValues(f *testing.F) {
	for _, text := range []string{"7d", "1h30m ago", "3mio", "300.000", "2026-02-31", "1769817600", "5 \x00", "-"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := human.Instant(text, time.Unix(1e9, 0), time.UTC)
		_, errDuration := human.Duration(text)
		_, errCount := human.Count(text)
		_, errBytes := human.Bytes(text)
		for _, err := range []error{err, errDuration, errCount, errBytes} {
			var wrong *human.Error
			if err != nil && (!errors.As(err, &wrong) || len(wrong.Write) == 0 || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
