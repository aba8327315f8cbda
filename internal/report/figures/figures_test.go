package figures_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"datasync/internal/report/figures"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// reference computes figures in Go, from the events alone.
type reference struct {
	zone   *time.Location
	events []event
}

// within are the events from one instant on and before another; zero is no bound.
func (r reference) within(from, to time.Time) reference {
	in := reference{zone: r.zone}
	for _, e := range r.events {
		if !e.at.Before(from) && (to.IsZero() || e.at.Before(to)) {
			in.events = append(in.events, e)
		}
	}
	return in
}

// date is the date of an instant in the zone, as figures.Day has it.
func (r reference) date(t time.Time) time.Time {
	y, m, d := t.In(r.zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// hour is when the hour of the clock begins that has an instant.
func (r reference) hour(t time.Time) time.Time {
	local := t.In(r.zone)
	return t.Add(-time.Duration(local.Minute())*time.Minute - time.Duration(local.Second())*time.Second - time.Duration(local.Nanosecond())).UTC()
}

func (r reference) count(is func(event) bool) (n int64) {
	for _, e := range r.events {
		if is(e) {
			n++
		}
	}
	return n
}

func (r reference) users() int64 {
	users := map[int]bool{}
	for _, e := range r.events {
		if e.user != 0 {
			users[e.user] = true
		}
	}
	return int64(len(users))
}

// session is the events of a session in order of time.
func (r reference) sessions() map[int][]event {
	all := map[int][]event{}
	for _, e := range r.events {
		all[e.session] = append(all[e.session], e)
	}
	for _, s := range all {
		slices.SortStableFunc(s, func(a, b event) int { return a.at.Compare(b.at) })
	}
	return all
}

func middle(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func length(s []event) time.Duration { return s[len(s)-1].at.Sub(s[0].at) }

func isError(e event) bool { return e.kind == "error" }

// measures are those of a span, of which sessions that began in it count.
func (r reference) measures(from, to time.Time) figures.Measures {
	in := r.within(from, to)
	m := figures.Measures{
		Events: int64(len(in.events)), Errors: in.count(isError), Users: in.users(),
		Purchases: in.count(func(e event) bool { return e.kind == "purchase" }),
	}
	var lengths []float64
	for _, s := range r.sessions() {
		if at := s[0].at; !at.Before(from) && at.Before(to) {
			m.Sessions++
			lengths = append(lengths, float64(length(s)))
		}
	}
	m.Median = time.Duration(middle(lengths))
	return m
}

// check compares figures with those of the events.
func (r reference) check(t *testing.T, f *figures.Figures, opts figures.Options) {
	t.Helper()
	same := func(what string, want, got any) {
		t.Helper()
		options := gocmp.Options{cmpopts.EquateEmpty(), gocmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() <= time.Microsecond })}
		if diff := gocmp.Diff(want, got, options); diff != "" {
			t.Errorf("%s (-want +got):\n%.2000s", what, diff)
		}
	}
	in := r.within(opts.Since, opts.Until)
	r.checkCounts(in, f, same)
	same("users", in.users(), f.Users.Count)
	same("events without a user", in.count(func(e event) bool { return e.user == 0 }), f.Users.Anonymous)
	for i, d := range f.Period.Days {
		day := in.within(d.Start, d.End)
		same("users of "+d.Date.Format(time.DateOnly), day.users(), f.Users.ByDay[i])
		if y, m, n := d.Start.In(r.zone).Date(); !d.Date.Equal(time.Date(y, m, n, 0, 0, 0, 0, time.UTC)) || !r.date(d.End).After(d.Date) || !r.date(d.End.Add(-1)).Equal(d.Date) {
			t.Errorf("%s is from %s to %s", d.Date, d.Start.In(r.zone), d.End.In(r.zone))
		}
	}
	var lengths, sizes []float64
	bins, bySize := make([]int64, len(figures.LengthBounds)+1), make([]int64, 16)
	var reached [4]int64
	for _, s := range in.sessions() {
		lengths, sizes = append(lengths, float64(length(s))), append(sizes, float64(len(s)))
		bin := 0
		for bin < len(figures.LengthBounds) && length(s) >= figures.LengthBounds[bin] {
			bin++
		}
		bins[bin]++
		bySize[min(len(s), 16)-1]++
		var at time.Time
		for step, kind := range figures.Steps {
			next := slices.IndexFunc(s, func(e event) bool { return e.kind == kind && (step == 0 || e.at.After(at)) })
			if next < 0 {
				break
			}
			at = s[next].at
			reached[step]++
		}
	}
	same("sessions", figures.Sessions{Count: int64(len(lengths)), Median: time.Duration(middle(lengths)), MedianEvents: middle(sizes), Lengths: bins, Sizes: bySize}, f.Sessions)
	same("funnel", reached[:], f.Funnel.Reached)
	r.checkRetention(in, f, same)
	c := f.Comparison
	for i, d := range slices.Concat(c.Before, c.Now) {
		same("measures of "+d.Date.Format(time.DateOnly), r.within(c.Before[0].Start, c.Now[len(c.Now)-1].End).measures(d.Start, d.End), c.ByDay[i])
	}
	if n := len(c.Now); n > 0 {
		compared := r.within(c.Before[0].Start, c.Now[n-1].End)
		same("before", compared.measures(c.Before[0].Start, c.Before[n-1].End), c.Was)
		same("now", compared.measures(c.Now[0].Start, c.Now[n-1].End), c.Is)
		if !c.Before[n-1].End.Equal(c.Now[0].Start) || c.Now[n-1].End.After(f.Period.To) {
			t.Errorf("compared: %v and %v", c.Before, c.Now)
		}
	}
}

type same func(what string, want, got any)

// checkCounts compares the additive figures.
func (r reference) checkCounts(in reference, f *figures.Figures, same same) {
	c := f.Counts
	same("events", int64(len(in.events)), c.Events())
	types, hours, errors := map[string]int64{}, map[time.Time]map[string]int64{}, map[time.Time]int64{}
	pages, devices := map[sql.NullString][2]int64{}, map[[2]sql.NullString][2]int64{}
	optional := func(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
	for _, e := range in.events {
		types[e.kind]++
		h := r.hour(e.at)
		if hours[h] == nil {
			hours[h] = map[string]int64{}
		}
		hours[h][e.kind]++
		var page sql.NullString
		if e.page != nil {
			page = sql.NullString{String: *e.page, Valid: true}
		}
		device := [2]sql.NullString{optional(e.device), optional(e.browser)}
		p, d := pages[page], devices[device]
		p[0]++
		d[0]++
		if isError(e) {
			errors[r.date(e.at)]++
			p[1]++
			d[1]++
		}
		pages[page], devices[device] = p, d
	}
	got := map[string]int64{}
	for _, each := range c.Types {
		got[each.Name] = each.Events
	}
	same("types", types, got)
	if !slices.IsSortedFunc(c.Types, func(a, b figures.Type) int { return cmp.Compare(b.Events, a.Events) }) {
		same("order of types", nil, c.Types)
	}
	gotHours := map[time.Time]map[string]int64{}
	for _, h := range c.Hours {
		gotHours[h.Start] = map[string]int64{}
		for i, n := range h.Events {
			if n > 0 {
				gotHours[h.Start][c.Types[i].Name] = n
			}
		}
		local := h.Start.In(r.zone)
		same("date of "+local.String(), r.date(h.Start), h.Date)
		same("hour of "+local.String(), local.Hour(), h.Of)
	}
	same("hours", hours, gotHours)
	gotPages, gotDevices := map[sql.NullString][2]int64{}, map[[2]sql.NullString][2]int64{}
	for _, p := range c.Pages {
		gotPages[p.Name] = [2]int64{p.Events, p.Errors}
	}
	for _, d := range c.Devices {
		gotDevices[[2]sql.NullString{d.Device, d.Browser}] = [2]int64{d.Events, d.Errors}
	}
	same("pages", pages, gotPages)
	same("devices", devices, gotDevices)
	for i, d := range f.ErrorDays() {
		same("errors of a day", errors[f.Period.Days[i].Date], d.Errors)
	}
}

// checkRetention compares the weeks.
func (r reference) checkRetention(in reference, f *figures.Figures, same same) {
	monday := func(t time.Time) time.Time {
		d := r.date(t)
		return d.AddDate(0, 0, -(int(d.Weekday())+6)%7)
	}
	weeks := map[int]map[time.Time]bool{}
	for _, e := range in.events {
		if e.user != 0 {
			if weeks[e.user] == nil {
				weeks[e.user] = map[time.Time]bool{}
			}
			weeks[e.user][monday(e.at)] = true
		}
	}
	want, got := map[string]int64{}, map[string]int64{}
	for _, active := range weeks {
		first := slices.MinFunc(slices.Collect(maps.Keys(active)), time.Time.Compare)
		for week := range active {
			want[fmt.Sprint(first.Format(time.DateOnly), " + ", int(week.Sub(first).Hours())/(7*24))]++
		}
	}
	for _, c := range f.Retention.Cohorts {
		for i, n := range c.Active {
			if n > 0 {
				got[fmt.Sprint(c.Week.Format(time.DateOnly), " + ", i)] = n
			}
		}
		if len(c.Active) > 0 && c.Active[0] != c.Users {
			same("users of a week", c.Active[0], c.Users)
		}
	}
	same("retention", want, got)
}

// TestFiguresAreThoseOfTheEvents: each figure equals the one that Go computes from the events, in any time
// zone, over a change of clocks, and for a part of the time.
func TestFiguresAreThoseOfTheEvents(t *testing.T) {
	for name, around := range places() {
		t.Run(name, func(t *testing.T) {
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			all := reference{zone, random(r, around, 40+r.IntN(1500))}
			path := file(t, all.events)
			for _, opts := range []figures.Options{
				{}, {Since: around.Add(-50 * time.Hour)}, {Until: around.Add(77 * time.Minute)},
				{Since: around.Add(-30 * time.Hour), Until: around.Add(45 * time.Hour)}, {Since: around.Add(100 * 24 * time.Hour)},
				{Since: around.Add(-100 * 24 * time.Hour), Until: around.Add(-99 * 24 * time.Hour)},
			} {
				all.check(t, read(t, path, name, opts), opts)
			}
		})
	}
}

// TestOneEventAndNone: a file of one event, and one of none, have figures.
func TestOneEventAndNone(t *testing.T) {
	at := time.Date(2026, 1, 20, 14, 5, 6, 7000, time.UTC)
	f := read(t, file(t, []event{{at: at, session: 1, user: 1, kind: "page_view"}}), "UTC", figures.Options{})
	(reference{time.UTC, []event{{at: at, session: 1, user: 1, kind: "page_view"}}}).check(t, f, figures.Options{})
	if len(f.Period.Days) != 1 || f.Period.Days[0].Whole || f.Worst != nil || len(f.Comparison.Now) != 0 || !f.Period.From.Equal(at) || !f.Period.To.Equal(at) {
		t.Errorf("%+v", f.Period)
	}
	empty := file(t, nil)
	f = read(t, empty, "UTC", figures.Options{})
	if len(f.Period.Days) != 0 || f.Counts.Events() != 0 || !f.Period.Pulling(at, at.Add(1)) || f.Period.Pulled(at, at.Add(1)) {
		t.Errorf("%+v", f.Period)
	}
	f = read(t, empty, "UTC", figures.Options{Since: at, Until: at.AddDate(0, 0, 2)})
	if len(f.Period.Days) != 3 || f.Counts.Events() != 0 {
		t.Errorf("%+v", f.Period)
	}
}
