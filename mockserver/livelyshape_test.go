package mockserver_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"datasync/mockserver"
)

var (
	bad   = time.Date(2026, 1, 20, 14, 0, 0, 0, time.UTC)
	quiet = time.Date(2026, 1, 11, 2, 0, 0, 0, time.UTC)
)

// place is where an error can be: a page in a browser.
type place struct{ page, browser string }

// look is what the events of a set add up to.
type look struct {
	hours    map[time.Time]int
	errors   map[time.Time]int
	pages    map[string]int
	bad      map[place]int // errors in the bad hour
	usual    map[place][2]int
	sessions map[uuid.UUID]*visit
	users    map[uuid.UUID]map[int]bool // the weeks in which each came
	perUser  map[uuid.UUID]int
	rejected map[mockserver.Malformed]int
}

// visit is a session, newest event first.
type visit struct {
	first, last time.Time
	types       []string
}

func lookAt(t *testing.T, d *mockserver.Dataset) *look {
	t.Helper()
	l := &look{
		hours: map[time.Time]int{}, errors: map[time.Time]int{}, pages: map[string]int{}, bad: map[place]int{}, usual: map[place][2]int{},
		sessions: map[uuid.UUID]*visit{}, users: map[uuid.UUID]map[int]bool{}, perUser: map[uuid.UUID]int{}, rejected: map[mockserver.Malformed]int{},
	}
	pages := map[string]string{} // by the properties
	for i := range d.Len() {
		e := d.Event(i)
		hour := e.Time().Truncate(time.Hour)
		if !d.Expected(i).Storable {
			l.rejected[e.Malformed]++
			if !hour.Equal(bad) {
				t.Errorf("a reject at %v", e.Time())
			}
		}
		page, known := pages[e.Properties]
		if !known || e.Type == "purchase" {
			page = propertiesOf(t, e)
			pages[e.Properties] = page
		}
		l.add(e, hour, page)
	}
	return l
}

// propertiesOf checks an event's properties and returns its page.
func propertiesOf(t *testing.T, e mockserver.Event) (page string) {
	t.Helper()
	var p struct {
		Page, Currency string
		Amount         *float64
	}
	if err := json.Unmarshal([]byte(e.Properties), &p); err != nil || p.Page == "" {
		t.Fatalf("%s: %v", e.Properties, err)
	}
	if has := p.Amount != nil || p.Currency != ""; has != (e.Type == "purchase") || has && (p.Amount == nil || p.Currency != "EUR") {
		t.Fatalf("%s has %s", e.Type, e.Properties)
	}
	if p.Amount != nil && (*p.Amount < 5 || *p.Amount > 2000) {
		t.Fatalf("%s", e.Properties)
	}
	return p.Page
}

func (l *look) add(e mockserver.Event, hour time.Time, page string) {
	at := place{page, e.Browser}
	l.hours[hour]++
	l.pages[page]++
	failed := 0
	if e.Type == "error" {
		failed = 1
		l.errors[hour]++
	}
	if hour.Equal(bad) {
		l.bad[at] += failed
	} else {
		n := l.usual[at]
		l.usual[at] = [2]int{n[0] + 1, n[1] + failed}
	}
	v := l.sessions[e.SessionID]
	if v == nil {
		v = &visit{last: e.Time()}
		l.sessions[e.SessionID] = v
	}
	v.first, v.types = e.Time(), append(v.types, e.Type)
	if l.users[e.UserID] == nil {
		l.users[e.UserID] = map[int]bool{}
	}
	l.users[e.UserID][int(e.Time().Sub(oldest)/(7*24*time.Hour))] = true
	l.perUser[e.UserID]++
}

// TestLivelyShape: the shape is the same in sets of all sizes, as far as they have enough events.
func TestLivelyShape(t *testing.T) {
	for _, tt := range []struct {
		n    int
		seed uint64
	}{{20_000, 0}, {100_000, 5}, {300_000, 1}, {3_000_000, 0}} {
		if testing.Short() && tt.n > 100_000 {
			continue
		}
		t.Run(fmt.Sprintf("%d events, seed %d", tt.n, tt.seed), func(t *testing.T) {
			opts := lively(tt.n)
			opts.Seed = tt.seed
			l := lookAt(t, mockserver.NewDataset(opts))
			t.Run("rhythm", l.checkRhythm)
			t.Run("sessions", l.checkSessions)
			t.Run("funnel", l.checkFunnel)
			t.Run("pages", l.checkPages)
			t.Run("bad hour", l.checkBadHour)
			t.Run("users", l.checkUsers)
		})
	}
}

func (l *look) checkRhythm(t *testing.T) {
	var weekend, workday, day, night int
	for hour, n := range l.hours {
		whole := int(hour.Sub(oldest)/(24*time.Hour)) < 28
		switch weekday := hour.Weekday(); {
		case !whole:
		case weekday == time.Saturday || weekday == time.Sunday:
			weekend += n
		default:
			workday += n
		}
		switch h := hour.Hour(); {
		case h >= 9 && h < 17:
			day += n
		case h < 5:
			night += n
		}
		if !hour.Before(quiet) && hour.Before(quiet.Add(4*time.Hour)) {
			t.Errorf("%d events in a quiet hour, %v", n, hour)
		}
	}
	if ratio := float64(workday) / 20 / (float64(weekend) / 8); ratio < 1.4 || ratio > 1.8 {
		t.Errorf("a working day has %.2f times the events of a day at the weekend", ratio)
	}
	if ratio := float64(day) / 8 / (float64(night) / 5); ratio < 6 || ratio > 14 {
		t.Errorf("an hour of the day has %.2f times the events of one of the night", ratio)
	}
	if n := l.hours[quiet.AddDate(0, 0, 7)]; n == 0 {
		t.Error("no event in the quiet hour a week later")
	}
}

func (l *look) checkSessions(t *testing.T) {
	var lengths []time.Duration
	var counts []int
	usual := 0
	for _, v := range l.sessions {
		lengths, counts = append(lengths, v.last.Sub(v.first)), append(counts, len(v.types))
		if n := len(v.types); n >= 3 && n <= 6 {
			usual++
		}
	}
	slices.Sort(lengths)
	slices.Sort(counts)
	if m := lengths[len(lengths)/2]; m < 2*time.Minute || m > 5*time.Minute {
		t.Errorf("median length %v", m)
	}
	if longest := lengths[len(lengths)-1]; longest > time.Hour {
		t.Errorf("longest session %v", longest)
	}
	if m := counts[len(counts)/2]; m < 3 || m > 6 {
		t.Errorf("median of %d events", m)
	}
	if share := float64(usual) / float64(len(counts)); share < 0.6 {
		t.Errorf("%.2f of the sessions have 3 to 6 events", share)
	}
}

var steps = []string{"page_view", "click", "form_submit", "purchase"}

// checkOrder: no session skips a step of the funnel. It returns how many reach each.
func (l *look) checkOrder(t *testing.T) (reached [4]int) {
	t.Helper()
	for id, v := range l.sessions {
		step := 0
		for _, kind := range slices.Backward(v.types) { // in the order of time
			if at := slices.Index(steps, kind); at > step {
				t.Fatalf("session %v: %v", id, v.types)
			} else if at == step {
				reached[step]++
				step++
			}
		}
	}
	return reached
}

// checkFunnel: each step has fewer sessions than the one before it.
func (l *look) checkFunnel(t *testing.T) {
	reached := l.checkOrder(t)
	if reached[0] != len(l.sessions) {
		t.Errorf("%d of %d sessions have a page_view", reached[0], len(l.sessions))
	}
	for i, least := range []float64{0.6, 0.3, 0.2} {
		if share := float64(reached[i+1]) / float64(reached[i]); share < least || share > least+0.25 {
			t.Errorf("%s follows %s in %.3f of its sessions", steps[i+1], steps[i], share)
		}
	}
}

// checkPages: the logarithm of a page's events falls with that of its rank, with slope -1.
func (l *look) checkPages(t *testing.T) {
	var counts []float64
	for _, n := range l.pages {
		counts = append(counts, float64(n))
	}
	slices.Sort(counts)
	slices.Reverse(counts)
	var x, y, xx, xy float64
	for i, n := range counts {
		u, v := math.Log(float64(i+1)), math.Log(n)
		x, y, xx, xy = x+u, y+v, xx+u*u, xy+u*v
	}
	n := float64(len(counts))
	if slope := (n*xy - x*y) / (n*xx - x*x); len(counts) != 24 || math.Abs(slope+1) > 0.08 {
		t.Errorf("%v pages, slope %.3f", n, slope)
	}
}

// checkBadHour: an hour has the highest error rate, nearly all of its errors are at one place, and
// that place is as good as others at other times.
func (l *look) checkBadHour(t *testing.T) {
	var events, errors int
	for hour, n := range l.hours {
		if !hour.Equal(bad) {
			events, errors = events+n, errors+l.errors[hour]
		}
	}
	usual := float64(errors) / float64(events)
	if usual < 0.02 || usual > 0.05 {
		t.Errorf("%.3f of the events are errors", usual)
	}
	rate := func(hour time.Time) float64 { return float64(l.errors[hour]) / float64(l.hours[hour]) }
	if r := rate(bad); r < 6*usual {
		t.Errorf("error rate %.3f in the bad hour, %.3f usually", r, usual)
	}
	for hour, n := range l.hours {
		most := 1.0 // of few events, a large share may be errors by chance
		if n >= 200 {
			most = 0.5
		}
		if n >= 40 && !hour.Equal(bad) && rate(hour) > most*rate(bad) {
			t.Errorf("error rate %.3f at %v, %.3f in the bad hour", rate(hour), hour, rate(bad))
		}
	}
	at := place{"/checkout", "Safari"}
	if share := float64(l.bad[at]) / float64(l.errors[bad]); share < 0.8 {
		t.Errorf("%.2f of the errors are at %v: %v", share, at, l.bad)
	}
	if n := l.usual[at]; float64(n[1])/float64(n[0]) > 2*usual {
		t.Errorf("%d of %d events are errors at %v in other hours", n[1], n[0], at)
	}
	rejected := 0
	for _, n := range l.rejected {
		rejected += n
	}
	if want := l.hours[bad] / 100; rejected < want || rejected > want+1 || len(l.rejected) != min(rejected, 4) {
		t.Errorf("%d rejects, %v, among %d events", rejected, l.rejected, l.hours[bad])
	}
}

// checkUsers: a few users have many events, and of the users who come in a week for the first time,
// fewer come back with every week.
func (l *look) checkUsers(t *testing.T) {
	var counts []int
	total := 0
	var back [4]int // of the users of the second week
	for user, weeks := range l.users {
		counts, total = append(counts, l.perUser[user]), total+l.perUser[user]
		if weeks[0] || !weeks[1] {
			continue
		}
		for week := range 3 {
			if weeks[week+1] {
				back[week]++
			}
		}
	}
	slices.Sort(counts)
	top := 0
	for _, n := range counts[len(counts)*9/10:] {
		top += n
	}
	if share := float64(top) / float64(total); share < 0.25 || share > 0.7 {
		t.Errorf("a tenth of the users has %.2f of the events", share)
	}
	first := float64(back[0])
	if next, then := float64(back[1])/first, float64(back[2])/first; next > 0.8 || next < then+0.05 || then < 0.1 {
		t.Errorf("of the users of a week, %.2f come a week later, and %.2f two weeks later", next, then)
	}
	if mean := float64(total) / float64(len(counts)); mean < 20 || mean > 60 {
		t.Errorf("%.1f events a user", mean)
	}
}

// TestLivelyShapeOfSmallSets: few events still are sessions of minutes on many days.
func TestLivelyShapeOfSmallSets(t *testing.T) {
	for n, want := range map[int]struct{ sessions, days int }{10: {2, 2}, 100: {15, 10}, 1000: {180, 28}} {
		l := lookAt(t, mockserver.NewDataset(lively(n)))
		days := map[time.Time]bool{}
		for hour := range l.hours {
			days[hour.Truncate(24*time.Hour)] = true
		}
		if len(l.sessions) < want.sessions || len(days) < want.days {
			t.Errorf("%d events: %d sessions on %d days", n, len(l.sessions), len(days))
		}
		for id, v := range l.sessions {
			if length := v.last.Sub(v.first); length > time.Hour || len(v.types) > 12 {
				t.Errorf("%d events: session %v of %v and %d events", n, id, length, len(v.types))
			}
		}
		l.checkOrder(t)
	}
}
