package chart_test

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"datasync/internal/chart"
)

// plain shows no-break spaces as spaces.
func plain(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

func TestNumberWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{chart.Count(0), "0"}, {chart.Count(999), "999"}, {chart.Count(1000), "1,000"}, {chart.Count(310987), "310,987"},
		{chart.Count(-1234567), "−1,234,567"}, {chart.Count(math.MaxInt64), "9,223,372,036,854,775,807"}, {chart.Count(math.MinInt64), "−9,223,372,036,854,775,808"},
		{chart.Short(0), "0"}, {chart.Short(250), "250"}, {chart.Short(1500), "1.5k"}, {chart.Short(12000), "12k"}, {chart.Short(2.25e6), "2.25M"}, {chart.Short(0.5), "0.5"},
		{chart.Percent(0), "0 %"}, {chart.Percent(1), "100 %"}, {chart.Percent(0.046), "4.6 %"}, {chart.Percent(0.47), "47 %"}, {chart.Percent(0.0994), "9.9 %"},
		{chart.Percent(0.00058), "0.06 %"}, {chart.Percent(0.0000579), "0.006 %"}, {chart.Percent(1e-9), "<0.001 %"}, {chart.Percent(0.9999), "99.9 %"}, {chart.Percent(0.0009), "0.09 %"}, {chart.Percent(0.01), "1.0 %"},
		{chart.Tenth(0.641), "64.1 %"}, {chart.Tenth(1), "100.0 %"}, {chart.Tenth(0.00001), "0.001 %"},
		{chart.Decimal(4.25), "4.2"}, {chart.Decimal(4), "4"}, {chart.Decimal(1234.5), "1,235"},
		{chart.Plural(1, "event"), "1 event"}, {chart.Plural(2932, "user"), "2,932 users"},
		{chart.Span(0), "0 s"}, {chart.Span(85 * time.Second), "1 min 25 s"}, {chart.Span(time.Hour), "1 h"}, {chart.Span(25 * time.Hour), "1 d 1 h"},
		{chart.Span(1500 * time.Millisecond), "1.5 s"}, {chart.Span(40 * time.Millisecond), "40 ms"}, {chart.Span(-2 * time.Second), "−2 s"}, {chart.Span(24*time.Hour + time.Minute), "1 d"},
	} {
		if plain(c.got) != c.want {
			t.Errorf("%q, not %q", plain(c.got), c.want)
		}
	}
}

func TestDateWords(t *testing.T) {
	utc := func(text string) time.Time {
		at, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	at := utc("2026-01-20 14:00")
	for _, c := range []struct{ got, want string }{
		{chart.Day(at), "Tue 20 Jan"}, {chart.DayYear(at), "Tue 20 Jan 2026"}, {chart.Hour(at), "Tue 20 Jan 14:00"},
		{chart.Stamp(at), "Tue 20 Jan 14:00 UTC"}, {chart.Clock(at), "14:00:00"},
		{chart.Stamp(at.In(location("Asia/Kathmandu"))), "Tue 20 Jan 19:45 +0545"},
		{chart.Between(utc("2026-01-11 01:00"), utc("2026-01-11 13:00")), "Sun 11 Jan 01:00–13:00"},
		{chart.Between(utc("2026-01-11 13:00"), utc("2026-01-12 00:00")), "Sun 11 Jan 13:00–24:00"},
		{chart.Between(utc("2026-01-11 00:00"), utc("2026-01-12 00:00")), "Sun 11 Jan"},
		{chart.Between(utc("2026-01-05 00:00"), utc("2026-01-12 00:00")), "Mon 5 – Sun 11 Jan"},
		{chart.Between(utc("2026-01-26 00:00"), utc("2026-02-02 00:00")), "Mon 26 Jan – Sun 1 Feb"},
		{chart.Between(utc("2025-12-29 00:00"), utc("2026-01-05 00:00")), "Mon 29 Dec 2025 – Sun 4 Jan 2026"},
		{chart.Between(utc("2025-12-28 18:33"), utc("2026-01-09 06:00")), "Sun 28 Dec 18:33 – Fri 9 Jan 06:00"},
		{chart.Between(at, at), "Tue 20 Jan 14:00"},
	} {
		if c.got != c.want {
			t.Errorf("%q, not %q", c.got, c.want)
		}
	}
}

func TestLabels(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"/home", "/home"},
		{"", "(empty text)"},
		{" ", `\u0020`},
		{"a b", "a b"},
		{" a  b ", `\u0020a \u0020b\u0020`},
		{"/\u202egpj.exe", `/\u202egpj.exe`},
		{"/tab\there\u200bzero", `/tab\u0009here\u200bzero`},
		{"a\nb\x00\x7f", `a\u000ab\u0000\u007f`},
		{"\xff\xfe", `\xff\xfe`},
		{"\U000e0041x", `\U000e0041x`},
		{"/naïve/表示/данные", "/naïve/表示/данные"},
		{"e\u0301", "e\u0301"},
		{"\u0301x", `\u0301x`},
		{"e\u0301\u0301\u0301\u0301", "e\u0301\u0301" + `\u0301\u0301`},
		{"a\u00a0b", `a\u00a0b`},
		{"\ufeff", `\ufeff`},
		{"<script>alert(1)</script>", "<script>alert(1)</script>"},
		{strings.Repeat("a", 33), strings.Repeat("a", 33)},
		{"/" + strings.Repeat("a", 90) + "/end", "/" + strings.Repeat("a", 20) + "…" + strings.Repeat("a", 7) + "/end"},
		{strings.Repeat("界", 17), strings.Repeat("界", 10) + "…" + strings.Repeat("界", 6)},
		{strings.Repeat("a", 20) + "\u202e" + strings.Repeat("b", 20), strings.Repeat("a", 20) + "…" + strings.Repeat("b", 12)},
	} {
		if got := chart.Label(c.text); got != c.want {
			t.Errorf("Label(%q) is %q, not %q", c.text, got, c.want)
		}
	}
}

// FuzzLabel: a label is valid, short, has only visible characters, and fits where it must.
func FuzzLabel(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		label := chart.Label(s)
		if !utf8.ValidString(label) || strings.ContainsAny(label, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200d\ufeff\n\r\t\x00") {
			t.Errorf("Label(%q) is %q", s, label)
		}
		if n := utf8.RuneCountInString(label); n > 33*3 {
			t.Errorf("Label(%q) has %d characters", s, n)
		}
		if label == "" || strings.TrimSpace(label) != label {
			t.Errorf("Label(%q) is %q", s, label)
		}
		for _, units := range []float64{40, 100, 200} {
			if fit := chart.Fit(s, units); chart.Width(fit) > units || fit == "" {
				t.Errorf("Fit(%q, %v) is %q, %.1f wide", s, units, fit, chart.Width(fit))
			}
			if fit := chart.FitBold(s, units); chart.BoldWidth(fit) > units {
				t.Errorf("FitBold(%q, %v) is %q, %.1f wide", s, units, fit, chart.BoldWidth(fit))
			}
		}
	})
}
