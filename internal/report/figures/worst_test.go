package figures_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"datasync/internal/report/figures"
)

// traffic makes whole days of 100 events an hour, 3 of them errors on any page, and an event after them.
func traffic(from time.Time, days int) (events []event) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	for hour := range days * 24 {
		at := from.Add(time.Duration(hour) * time.Hour)
		for i := range 100 {
			page := pick("/home", "/products", "/search", "/checkout")
			e := event{at: at.Add(time.Duration(i) * 36 * time.Second), session: hour*20 + i/5, user: 1 + r.IntN(50), kind: "page_view", page: &page, device: pick("mobile", "desktop"), browser: pick("Chrome", "Chrome", "Safari")}
			if i%33 == 7 {
				e.kind = "error"
			}
			events = append(events, e)
		}
	}
	return append(events, event{at: from.AddDate(0, 0, days), session: 1_000_000, user: 1, kind: "page_view"})
}

// withBadHour adds errors on one page and browser.
func withBadHour(events []event, at time.Time) []event {
	page := "/checkout"
	for i := range 80 {
		events = append(events, event{at: at.Add(time.Duration(i) * 40 * time.Second), session: 900_000 + i, user: 1 + i, kind: "error", page: &page, device: []string{"mobile", "desktop"}[i%2], browser: "Safari"})
	}
	return events
}

// TestWorstHour: the bad hour is found with its page and browser, also by a report of its day alone, of a
// file of one day, and in another time zone. Without a bad hour, none is found.
func TestWorstHour(t *testing.T) {
	monday := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	bad := monday.AddDate(0, 0, 8).Add(14 * time.Hour)
	month, day := withBadHour(traffic(monday, 14), bad), withBadHour(traffic(bad.Truncate(24*time.Hour), 1), bad)
	for _, tc := range []struct {
		name, zone string
		events     []event
		opts       figures.Options
	}{
		{"two weeks", "UTC", month, figures.Options{}},
		{"two weeks in Kolkata", "Asia/Kolkata", month, figures.Options{}},
		{"the day of two weeks", "UTC", month, figures.Options{Since: bad.Truncate(24 * time.Hour), Until: bad.Truncate(24*time.Hour).AddDate(0, 0, 1)}},
		{"the hour of two weeks", "UTC", month, figures.Options{Since: bad, Until: bad.Add(time.Hour)}},
		{"a file of a day", "UTC", day, figures.Options{}},
	} {
		f := read(t, file(t, tc.events), tc.zone, tc.opts)
		w := f.Worst
		if w == nil || bad.Before(w.Start) || !bad.Before(w.Start.Add(time.Hour)) {
			t.Errorf("%s: %+v", tc.name, w)
			continue
		}
		page, _ := w.StandsOut("page")
		browser, _ := w.StandsOut("browser")
		if device, ok := w.StandsOut("device"); page != "/checkout" || browser != "Safari" || ok {
			t.Errorf("%s: %q, %q, %q", tc.name, page, browser, device)
		}
		if w.Errors < 40 || w.Usual > 6 || w.Day[w.Of] != w.Errors || w.UsualDay[w.Of] != w.Usual {
			t.Errorf("%s: %+v", tc.name, w)
		}
		if tc.opts == (figures.Options{}) {
			sameByCounts(t, tc.name, f, tc.zone)
		}
		for _, f := range w.Factors {
			if f.Kind == "device" || math.Abs(f.Share-f.Usual) < 0.1 {
				t.Errorf("%s names %+v", tc.name, f)
			}
		}
	}
	if w := read(t, file(t, traffic(monday, 14)), "UTC", figures.Options{}).Worst; w != nil {
		t.Errorf("without a bad hour: %+v", w)
	}
}

// sameByCounts compares the worst hour with that of the counts alone, which a running pull has.
func sameByCounts(t *testing.T, name string, f *figures.Figures, zone string) {
	t.Helper()
	in, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	want := *f.Worst
	want.Compared, want.Factors = false, nil
	if got := figures.Live(f.Counts, f.Period.First, f.Period.Last, nil, in).Worst; got == nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("%s, by the counts: %+v, want %+v", name, got, want)
	}
}

// TestManyTypes: types beyond 64 are counted together, but for those that figures need.
func TestManyTypes(t *testing.T) {
	at := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	var events []event
	for i := range 100 {
		for range 2 {
			events = append(events, event{at: at, session: i, user: 1, kind: fmt.Sprintf("type-%d", i)})
		}
	}
	for _, kind := range []string{"error", "purchase"} {
		events = append(events, event{at: at, session: 1, user: 1, kind: kind})
	}
	c := read(t, file(t, events), "UTC", figures.Options{}).Counts
	last := c.Types[len(c.Types)-1]
	h := &c.Hours[0]
	if len(c.Types) != 65 || last.Others != 38 || last.Events != 76 || last.Name != "" || c.Events() != 202 || c.Of(h, "error") != 1 || c.Of(h, "purchase") != 1 || c.Of(h, "") != 0 {
		t.Errorf("%d types, the last is %+v, %d events", len(c.Types), last, c.Events())
	}
}

// TestComparison: the days before the period are compared, where the file has them.
func TestComparison(t *testing.T) {
	monday := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	path := file(t, traffic(monday, 14))
	for _, tc := range []struct {
		name         string
		opts         figures.Options
		from, before time.Time
		days         int
	}{
		{"all", figures.Options{}, monday.AddDate(0, 0, 7), monday, 7},
		{"the last week", figures.Options{Since: monday.AddDate(0, 0, 7)}, monday.AddDate(0, 0, 7), monday, 7},
		{"a day", figures.Options{Since: monday.AddDate(0, 0, 3), Until: monday.AddDate(0, 0, 4)}, monday.AddDate(0, 0, 3), monday.AddDate(0, 0, 2), 1},
		{"a day that Since cuts", figures.Options{Since: monday.AddDate(0, 0, 3).Add(time.Hour), Until: monday.AddDate(0, 0, 5)}, monday.AddDate(0, 0, 4), monday.AddDate(0, 0, 3), 1},
		{"the first five days", figures.Options{Until: monday.AddDate(0, 0, 5)}, monday.AddDate(0, 0, 3), monday.AddDate(0, 0, 1), 2},
		{"the first day", figures.Options{Until: monday.AddDate(0, 0, 1)}, time.Time{}, time.Time{}, 0},
	} {
		c := read(t, path, "UTC", tc.opts).Comparison
		if len(c.Now) != tc.days || len(c.Before) != tc.days || len(c.ByDay) != 2*tc.days {
			t.Errorf("%s: %d and %d days", tc.name, len(c.Before), len(c.Now))
			continue
		}
		if tc.days > 0 && (!c.Now[0].Start.Equal(tc.from) || !c.Before[0].Start.Equal(tc.before)) {
			t.Errorf("%s: from %s, against %s", tc.name, c.Now[0].Start, c.Before[0].Start)
		}
		if tc.days > 0 && (c.Is.Events != int64(2400*tc.days) || c.Was.Events != c.Is.Events) {
			t.Errorf("%s: %+v", tc.name, c.Is)
		}
	}
}
