package decode

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"datasync/internal/model"
)

var instantCases = []struct {
	name   string
	text   string
	quoted bool
	want   string // RFC 3339; or "unreadable", or "too far"
}{
	{"milliseconds", "1769541612369", false, "2026-01-27T19:20:12.369Z"},
	{"zero", "0", false, "1970-01-01T00:00:00Z"},
	{"minus zero", "-0", false, "1970-01-01T00:00:00Z"},
	{"minus zero point zero", "-0.000e5", false, "1970-01-01T00:00:00Z"},
	{"zero with a large exponent", "0e999999999999999999999", false, "1970-01-01T00:00:00Z"},
	{"negative", "-1", false, "1969-12-31T23:59:59.999Z"},
	{"fifteen digits", "253402300799999", false, "9999-12-31T23:59:59.999Z"},
	{"sixteen digits", "1000000000000000", false, "33658-09-27T01:46:40Z"},
	{"seconds are not guessed", "1769541612", false, "1970-01-21T11:32:21.612Z"},
	{"fraction", "1769541612369.125", false, "2026-01-27T19:20:12.369125Z"},
	{"fraction cut toward the past", "1769541612369.9999", false, "2026-01-27T19:20:12.369999Z"},
	{"negative fraction cut toward the past", "-0.0001", false, "1969-12-31T23:59:59.999999Z"},
	{"negative whole microseconds", "-0.0010", false, "1969-12-31T23:59:59.999999Z"},
	{"exponent", "1.769541612369e12", false, "2026-01-27T19:20:12.369Z"},
	{"exponent with plus", "1.769541612369E+12", false, "2026-01-27T19:20:12.369Z"},
	{"negative exponent", "1769541612369000e-3", false, "2026-01-27T19:20:12.369Z"},
	{"zeros before the significant digits", "0.000001769541612369e18", false, "2026-01-27T19:20:12.369Z"},
	{"past what a float64 keeps apart", "9007199254740.993", false, "2255-06-05T23:47:34.740993Z"},
	{"tiny", "1e-999999999999999999999", false, "1970-01-01T00:00:00Z"},
	{"tiny and negative", "-1e-999999999", false, "1969-12-31T23:59:59.999999Z"},
	{"huge", "1e400", false, "too far"},
	{"huge exponent", "1e999999999999999999999", false, "too far"},
	{"huge and negative", "-1e400", false, "too far"},
	{"largest", "9223372036854775.807", false, "294247-01-10T04:00:54.775807Z"},
	{"past the largest", "9223372036854775.808", false, "too far"},
	{"smallest", "-9223372036854775.808", false, "-290308-12-21T19:59:05.224192Z"},
	{"past the smallest", "-9223372036854775.8081", false, "too far"},
	{"uint64 max", "18446744073709551615", false, "too far"},

	{"digits", "1769541612369", true, "2026-01-27T19:20:12.369Z"},
	{"digits with leading zeros", "00000000001769541612369", true, "2026-01-27T19:20:12.369Z"},
	{"digits that look like a date", "20260127", true, "1970-01-01T05:37:40.127Z"},
	{"too many digits", "99999999999999999999", true, "too far"},
	{"digits with a sign", "-1769541612369", true, "unreadable"},
	{"digits with a fraction", "1769541612369.5", true, "unreadable"},
	{"digits with an exponent", "1e12", true, "unreadable"},
	{"digits with a space", " 1769541612369", true, "unreadable"},
	{"digits of another script", "１７", true, "unreadable"},

	{"date-time", "2026-01-27T19:19:13.629Z", true, "2026-01-27T19:19:13.629Z"},
	{"no fraction", "2026-01-27T19:19:13Z", true, "2026-01-27T19:19:13Z"},
	{"one digit of a fraction", "2026-01-27T19:19:13.6Z", true, "2026-01-27T19:19:13.6Z"},
	{"microseconds", "2026-01-27T19:19:13.629841Z", true, "2026-01-27T19:19:13.629841Z"},
	{"nanoseconds are cut", "2026-01-27T19:19:13.629841999Z", true, "2026-01-27T19:19:13.629841Z"},
	{"cut toward the past before 1970", "1969-12-31T23:59:59.9999999Z", true, "1969-12-31T23:59:59.999999Z"},
	{"comma", "2026-01-27T19:19:13,5Z", true, "2026-01-27T19:19:13.5Z"},
	{"small letters", "2026-01-27t19:19:13z", true, "2026-01-27T19:19:13Z"},
	{"space", "2026-01-27 19:19:13Z", true, "2026-01-27T19:19:13Z"},
	{"offset", "2026-01-27T19:19:13+05:30", true, "2026-01-27T13:49:13Z"},
	{"offset without colon", "2026-01-27T19:19:13.5-0800", true, "2026-01-28T03:19:13.5Z"},
	{"offset of hours", "2026-01-27T19:19:13+14", true, "2026-01-27T05:19:13Z"},
	{"offset of minus zero", "2026-01-27T19:19:13-00:00", true, "2026-01-27T19:19:13Z"},
	{"largest offset", "2026-01-27T00:00:00+23:59", true, "2026-01-26T00:01:00Z"},
	{"leap second", "2016-12-31T23:59:60Z", true, "2017-01-01T00:00:00Z"},
	{"leap second with fraction and offset", "2016-12-31T18:59:60.25-05:00", true, "2017-01-01T00:00:00.25Z"},
	{"leap day", "2024-02-29T00:00:00Z", true, "2024-02-29T00:00:00Z"},
	{"leap day of 2000", "2000-02-29T00:00:00Z", true, "2000-02-29T00:00:00Z"},
	{"year 0", "0000-01-01T00:00:00Z", true, "0000-01-01T00:00:00Z"},
	{"year 9999", "9999-12-31T23:59:59.999999999Z", true, "9999-12-31T23:59:59.999999Z"},

	{"empty", "", true, "unreadable"},
	{"no leap day", "2025-02-29T00:00:00Z", true, "unreadable"},
	{"no leap day in 2100", "2100-02-29T00:00:00Z", true, "unreadable"},
	{"February 30", "2024-02-30T00:00:00Z", true, "unreadable"},
	{"April 31", "2024-04-31T00:00:00Z", true, "unreadable"},
	{"day 0", "2024-04-00T00:00:00Z", true, "unreadable"},
	{"month 0", "2024-00-01T00:00:00Z", true, "unreadable"},
	{"month 13", "2024-13-01T00:00:00Z", true, "unreadable"},
	{"hour 24", "2024-01-01T24:00:00Z", true, "unreadable"},
	{"minute 60", "2024-01-01T00:60:00Z", true, "unreadable"},
	{"second 61", "2024-01-01T00:00:61Z", true, "unreadable"},
	{"no offset", "2026-01-27T19:19:13.629", true, "unreadable"},
	{"no offset, no fraction", "2026-01-27T19:19:13", true, "unreadable"},
	{"offset of 24 hours", "2026-01-27T19:19:13+24:00", true, "unreadable"},
	{"offset of 60 minutes", "2026-01-27T19:19:13+00:60", true, "unreadable"},
	{"offset without sign", "2026-01-27T19:19:13 05:30", true, "unreadable"},
	{"offset by name", "2026-01-27T19:19:13CET", true, "unreadable"},
	{"offset twice", "2026-01-27T19:19:13Z+01:00", true, "unreadable"},
	{"offset with seconds", "2026-01-27T19:19:13+01:00:00", true, "unreadable"},
	{"offset with a wrong colon", "2026-01-27T19:19:13+1:000", true, "unreadable"},
	{"point without digits", "2026-01-27T19:19:13.Z", true, "unreadable"},
	{"no seconds", "2026-01-27T19:19Z", true, "unreadable"},
	{"date", "2026-01-27", true, "unreadable"},
	{"basic format", "20260127T191913Z", true, "unreadable"},
	{"week date", "2026-W05-2T19:19:13Z", true, "unreadable"},
	{"ordinal date", "2026-027T19:19:13Z", true, "unreadable"},
	{"year with letters", "20x6-01-27T19:19:13Z", true, "unreadable"},
	{"century with letters", "x026-01-27T19:19:13Z", true, "unreadable"},
	{"year with a sign", "+002026-01-27T19:19:13Z", true, "unreadable"},
	{"two spaces", "2026-01-27  19:19:13Z", true, "unreadable"},
	{"underscore", "2026-01-27_19:19:13Z", true, "unreadable"},
	{"space at the end", "2026-01-27T19:19:13Z ", true, "unreadable"},
	{"zero byte at the end", "2026-01-27T19:19:13Z\x00", true, "unreadable"},
	{"words", "yesterday", true, "unreadable"},
	{"as Go prints it", "2026-01-27 19:19:13 +0000 UTC", true, "unreadable"},
}

func TestParseInstant(t *testing.T) {
	for _, c := range instantCases {
		t.Run(c.name, func(t *testing.T) {
			got, read := parseInstant(c.text, c.quoted)
			text := got.Time().Format(time.RFC3339Nano)
			switch read {
			case unreadable:
				text = "unreadable"
			case beyondInstant:
				text = "too far"
			}
			if text != c.want {
				t.Errorf("parseInstant(%q, %v) = %s, want %s", c.text, c.quoted, text, c.want)
			}
			checkInstant(t, c.text, c.quoted)
		})
	}
}

// TestEveryDay compares the calendar with package time.
func TestEveryDay(t *testing.T) {
	t.Parallel()
	for day := time.Date(0, 1, 1, 23, 59, 59, 0, time.UTC); day.Year() < 10_000; day = day.AddDate(0, 0, 1) {
		text := day.Format("2006-01-02T15:04:05Z")
		if got, read := parseInstant(text, true); read != readable || got != model.InstantOf(day) {
			t.Fatalf("%s = %v, %v", text, int64(got), read)
		}
		if n := daysIn(day.Year(), int(day.Month())); day.Day() > n || day.Day() == n != (day.AddDate(0, 0, 1).Day() == 1) {
			t.Fatalf("%s: %d days", text, n)
		}
	}
}

func TestParseInstantOfMuchText(t *testing.T) {
	const n = 1 << 20
	zeros := strings.Repeat("0", n)
	for name, c := range map[string]struct {
		text   string
		quoted bool
		want   model.Instant
	}{
		"fraction":         {"1." + zeros + "1", false, 1000},
		"small":            {"-0." + zeros + "1", false, -1},
		"undone exponent":  {"0." + zeros + "1e1048578", false, 10_000},
		"undone zeros":     {"1" + zeros + "e-1048576", false, 1000},
		"digits":           {zeros + "7", true, 7000},
		"date-time":        {"1970-01-01T00:00:00." + zeros + "1Z", true, 0},
		"exponent of much": {"1e-" + zeros + "3", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got, read := parseInstant(c.text, c.quoted); got != c.want || read != readable {
				t.Errorf("got %v, %v, want %v", got, read, c.want)
			}
		})
	}
}

func TestParseInstantDoesNotAllocate(t *testing.T) {
	for _, c := range instantCases {
		if n := testing.AllocsPerRun(10, func() { parseInstant(c.text, c.quoted) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func FuzzParseInstant(f *testing.F) {
	for _, c := range instantCases {
		f.Add(c.text, c.quoted)
	}
	f.Fuzz(func(t *testing.T, text string, quoted bool) {
		if quoted || isJSONNumber(text) {
			checkInstant(t, text, quoted)
		}
	})
}

func isJSONNumber(text string) bool {
	return text != "" && strings.IndexByte("-0123456789", text[0]) >= 0 && json.Valid([]byte(text)) &&
		strings.TrimSpace(text) == text
}

// checkInstant fails if parseInstant and the reference differ. An unquoted text must be a JSON number.
func checkInstant(t *testing.T, text string, quoted bool) {
	t.Helper()
	want, ok := refInstant(text, quoted)
	got, read := parseInstant(text, quoted)
	switch {
	case !ok:
		if read != unreadable {
			t.Errorf("parseInstant(%q, %v) = %v, %v, but it is not a timestamp", text, quoted, int64(got), read)
		}
	case !want.IsInt64():
		if read != beyondInstant {
			t.Errorf("parseInstant(%q, %v) = %v, %v, but no instant holds %v", text, quoted, int64(got), read, want)
		}
	case read != readable || int64(got) != want.Int64():
		t.Errorf("parseInstant(%q, %v) = %v, %v, want %v", text, quoted, int64(got), read, want)
	}
}

func dateTimeOf(ms int64, layout string) string { return time.UnixMilli(ms).UTC().Format(layout) }
