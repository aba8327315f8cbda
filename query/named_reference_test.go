package query_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// event is an event as the named queries see it. Empty texts and user 0 are NULL.
type event struct {
	at                    time.Time
	session, user         int
	kind, device, browser string
	properties            string // JSON
}

// question is values for the parameters of all named queries.
type question struct {
	since, until time.Time // zero: all
	limit        int       // 0: all
	days         int
	gap, within  time.Duration // 0: none
	steps        []string
	kind         string // a view
	errors       []string
	by           string
}

// given formats the values like a user.
func (q question) given() map[string]string {
	bound := func(t time.Time, all string) string {
		if t.IsZero() {
			return all
		}
		return t.Format("2006-01-02 15:04:05.999999Z07:00")
	}
	interval := func(d time.Duration) string {
		if d == 0 {
			return "none"
		}
		return fmt.Sprintf("%d microseconds", d.Microseconds())
	}
	list := func(texts []string) string {
		quoted := make([]string, len(texts))
		for i, s := range texts {
			if quoted[i] = s; strings.Contains(s, ",") {
				quoted[i] = "'" + s + "'"
			}
		}
		return strings.Join(quoted, ",")
	}
	limit := "all"
	if q.limit > 0 {
		limit = strconv.Itoa(q.limit)
	}
	return map[string]string{
		"since": bound(q.since, "-infinity"), "until": bound(q.until, "infinity"), "limit": limit, "days": strconv.Itoa(q.days),
		"gap": interval(q.gap), "within": interval(q.within), "steps": list(q.steps), "type": q.kind, "errors": list(q.errors), "by": q.by,
	}
}

func (q question) covers(t time.Time) bool {
	return !t.Before(q.since) && (q.until.IsZero() || t.Before(q.until))
}

func (q question) chosen(events []event) []event {
	return slices.DeleteFunc(slices.Clone(events), func(e event) bool { return !q.covers(e.at) })
}

func (q question) cut(rows [][]string) [][]string {
	if q.limit > 0 && len(rows) > q.limit {
		return rows[:q.limit]
	}
	return rows
}

// references computes in Go the results of each named query.
func references() map[string]func([]event, question, *time.Location) [][]string {
	return map[string]func([]event, question, *time.Location) [][]string{
		"events_per_hour": eventsPerHour, "error_rate": errorRate, "daily_active_users": dailyActiveUsers, "sessions": sessionLengths,
		"funnel": funnel, "retention": retention, "top_pages": topPages,
		"devices": func(events []event, q question, _ *time.Location) [][]string {
			return shares(events, q, func(e event) string { return e.device })
		},
		"browsers": func(events []event, q question, _ *time.Location) [][]string {
			return shares(events, q, func(e event) string { return e.browser })
		},
	}
}

func count(n int) string { return strconv.Itoa(n) }

func share(part, whole int) string {
	if whole == 0 {
		return "NULL"
	}
	return rounded(float64(part)/float64(whole), 4)
}

func rounded(v float64, digits int) string {
	scale := math.Pow10(digits)
	return number(math.Round(v*scale) / scale)
}

func date(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.DateOnly) }

// hour returns the beginning of t's hour by the clock of its zone.
func hour(t time.Time, zone *time.Location) time.Time {
	l := t.In(zone)
	return l.Add(-time.Duration(l.Minute())*time.Minute - time.Duration(l.Second())*time.Second - time.Duration(l.Nanosecond()))
}

// midnight returns the beginning of t's day in its zone, even if clocks skip 0:00.
func midnight(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	begin := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if begin.Day() != d {
		begin = begin.Add(time.Hour)
	}
	return begin
}

// distinct counts different values other than zero.
func distinct[T comparable](events []event, of func(event) T) int {
	var none T
	seen := map[T]bool{}
	for _, e := range events {
		if v := of(e); v != none {
			seen[v] = true
		}
	}
	return len(seen)
}

func users(events []event) int    { return distinct(events, func(e event) int { return e.user }) }
func sessions(events []event) int { return distinct(events, func(e event) int { return e.session }) }

func grouped[K comparable](events []event, by func(event) K) map[K][]event {
	groups := map[K][]event{}
	for _, e := range events {
		groups[by(e)] = append(groups[by(e)], e)
	}
	return groups
}

func eventsPerHour(events []event, q question, zone *time.Location) (rows [][]string) {
	type key struct {
		begin time.Time
		kind  string
	}
	groups := grouped(q.chosen(events), func(e event) key { return key{hour(e.at, zone), e.kind} })
	keys := slices.SortedFunc(maps.Keys(groups), func(a, b key) int {
		return cmp.Or(b.begin.Compare(a.begin), len(groups[b])-len(groups[a]), strings.Compare(a.kind, b.kind))
	})
	for _, k := range keys {
		rows = append(rows, []string{k.begin.Format(time.RFC3339Nano), k.kind, count(len(groups[k]))})
	}
	return q.cut(rows)
}

func errorRate(events []event, q question, zone *time.Location) (rows [][]string) {
	begin := midnight
	if q.by == "hour" {
		begin = hour
	}
	groups := grouped(q.chosen(events), func(e event) time.Time { return begin(e.at, zone) })
	for _, k := range slices.SortedFunc(maps.Keys(groups), func(a, b time.Time) int { return b.Compare(a) }) {
		n := 0
		for _, e := range groups[k] {
			if slices.Contains(q.errors, e.kind) {
				n++
			}
		}
		rows = append(rows, []string{k.Format(time.RFC3339Nano), count(n), count(len(groups[k])), share(n, len(groups[k]))})
	}
	return q.cut(rows)
}

// newestFirst sorts dates.
func newestFirst[V any](groups map[string]V) []string {
	return slices.SortedFunc(maps.Keys(groups), func(a, b string) int { return strings.Compare(b, a) })
}

func dailyActiveUsers(events []event, q question, zone *time.Location) (rows [][]string) {
	groups := grouped(q.chosen(events), func(e event) string { return date(e.at, zone) })
	for _, day := range newestFirst(groups) {
		anonymous := 0
		for _, session := range grouped(groups[day], func(e event) int { return e.session }) {
			if users(session) == 0 {
				anonymous++
			}
		}
		rows = append(rows, []string{day, count(users(groups[day])), count(sessions(groups[day])), count(anonymous), count(len(groups[day]))})
	}
	return rows
}

func inTime(events []event) []event {
	return slices.SortedStableFunc(slices.Values(events), func(a, b event) int { return a.at.Compare(b.at) })
}

func sessionLengths(events []event, q question, zone *time.Location) (rows [][]string) {
	days := map[string][][]event{}
	add := func(session []event) {
		if q.covers(session[0].at) {
			day := date(session[0].at, zone)
			days[day] = append(days[day], session)
		}
	}
	for _, all := range grouped(events, func(e event) int { return e.session }) {
		all = inTime(all)
		for i := len(all) - 1; i > 0; i-- {
			if q.gap > 0 && all[i].at.Sub(all[i-1].at) > q.gap {
				add(all[i:])
				all = all[:i]
			}
		}
		add(all)
	}
	for _, day := range newestFirst(days) {
		var lengths []int64
		sum, n, bounced := int64(0), 0, 0
		for _, s := range days[day] {
			length := s[len(s)-1].at.Sub(s[0].at).Microseconds()
			lengths, sum, n = append(lengths, length), sum+length, n+len(s)
			if len(s) == 1 {
				bounced++
			}
		}
		slices.Sort(lengths)
		of := len(lengths)
		rows = append(rows, []string{day, count(of), rounded(float64(lengths[(of-1)/2]+lengths[of/2])/2/1e6, 3), rounded(float64(sum)/float64(of)/1e6, 3),
			rounded(float64(lengths[(95*of+99)/100-1])/1e6, 3), rounded(float64(n)/float64(of), 2), share(bounced, of)})
	}
	return rows
}

// funnel tries each event of the first type, followed by the earliest later event of each further
// type.
func funnel(events []event, q question, _ *time.Location) (rows [][]string) {
	reached := make([]int, len(q.steps)+1)
	for _, session := range grouped(q.chosen(events), func(e event) int { return e.session }) {
		session = inTime(session)
		best := 0
		for i, first := range session {
			if len(q.steps) == 0 || first.kind != q.steps[0] {
				continue
			}
			depth, last := 1, first.at
			for _, e := range session[i:] {
				if depth < len(q.steps) && e.kind == q.steps[depth] && e.at.After(last) && (q.within == 0 || e.at.Sub(first.at) <= q.within) {
					depth, last = depth+1, e.at
				}
			}
			best = max(best, depth)
		}
		for i := range best {
			reached[i]++
		}
	}
	for i, kind := range q.steps {
		rows = append(rows, []string{count(i + 1), kind, count(reached[i]), share(reached[i], reached[0]), share(reached[i], reached[max(0, i-1)])})
	}
	return rows
}

func retention(events []event, q question, zone *time.Location) (rows [][]string) {
	if len(events) == 0 {
		return nil
	}
	cohorts := map[string][][]event{}
	for user, all := range grouped(events, func(e event) int { return e.user }) {
		if all = inTime(all); user != 0 && q.covers(all[0].at) {
			day := date(all[0].at, zone)
			cohorts[day] = append(cohorts[day], all)
		}
	}
	newest := date(slices.MaxFunc(events, func(a, b event) int { return a.at.Compare(b.at) }).at, zone)
	for _, cohort := range newestFirst(cohorts) {
		begin, _ := time.Parse(time.DateOnly, cohort)
		for i := 0; i <= q.days; i++ {
			day := begin.AddDate(0, 0, i).Format(time.DateOnly)
			if day > newest {
				break
			}
			active := 0
			for _, all := range cohorts[cohort] {
				if slices.ContainsFunc(all, func(e event) bool { return date(e.at, zone) == day }) {
					active++
				}
			}
			of := len(cohorts[cohort])
			rows = append(rows, []string{cohort, count(i), count(of), count(active), share(active, of)})
		}
	}
	return q.cut(rows)
}

// page returns the page of an event's properties, as JSON if it is not a text.
func page(e event) string {
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(e.properties), &object) != nil || string(object["page"]) == "null" || object["page"] == nil {
		return "NULL"
	}
	var text string
	if json.Unmarshal(object["page"], &text) != nil {
		return string(object["page"])
	}
	return text
}

// byName sorts names, NULL last.
func byName(a, b string) int {
	if (a == "NULL") != (b == "NULL") {
		if a == "NULL" {
			return 1
		}
		return -1
	}
	return strings.Compare(a, b)
}

func topPages(events []event, q question, _ *time.Location) (rows [][]string) {
	views := slices.DeleteFunc(q.chosen(events), func(e event) bool { return e.kind != q.kind })
	groups := grouped(views, page)
	names := slices.SortedFunc(maps.Keys(groups), func(a, b string) int { return cmp.Or(len(groups[b])-len(groups[a]), byName(a, b)) })
	for _, name := range names {
		g := groups[name]
		rows = append(rows, []string{name, count(len(g)), count(users(g)), count(sessions(g)), share(len(g), len(views))})
	}
	return q.cut(rows)
}

func shares(events []event, q question, of func(event) string) (rows [][]string) {
	chosen := q.chosen(events)
	groups := grouped(chosen, func(e event) string { return cmp.Or(of(e), "NULL") })
	names := slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(sessions(groups[b])-sessions(groups[a]), len(groups[b])-len(groups[a]), byName(a, b))
	})
	for _, name := range names {
		g := groups[name]
		rows = append(rows, []string{name, count(sessions(g)), share(sessions(g), sessions(chosen)), count(users(g)), count(len(g)), share(len(g), len(chosen))})
	}
	return q.cut(rows)
}
