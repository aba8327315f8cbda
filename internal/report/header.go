package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// Tone is how a badge or a fact of the trust strip looks.
type Tone string

// The tones: a mark, a word and a colour each, never a colour alone.
const (
	Good    Tone = "good"
	Caution Tone = "warn"
	Plain   Tone = "plain"
)

// Badge says whether the file is complete.
type Badge struct {
	Tone Tone
	Text string
}

// badge says whether the file is complete, and as of when.
func (r *Report) badge() Badge {
	t := r.Trust
	open := figures.NotYetPulled(t.Windows)
	switch {
	case len(t.Windows) == 0:
		return Badge{Plain, "No events yet. Start with: datasync pull"}
	case len(open) > 0:
		return Badge{Caution, "Incomplete: not yet pulled " + r.openSpans(open)}
	case t.Missing != nil && *t.Missing > 0:
		return Badge{Caution, fmt.Sprintf("At least %s missing", are(*t.Missing, "event"))}
	case t.Unusable:
		return Badge{Caution, "Incomplete: hardly any element could be stored as an event"}
	case !t.Complete:
		return Badge{Caution, "Incomplete: the closing check is left; run datasync pull"}
	}
	text := "Complete"
	if t.CompletedAt != nil {
		at := r.in(*t.CompletedAt)
		text += " as of " + at.Format("Mon 2 Jan 2006, 15:04:05 MST")
	}
	if t.From != nil {
		text += ", from " + chart.Stamp(r.in(*t.From)) + " on"
	}
	return Badge{Good, text}
}

// are writes a count with its verb: "1 event is", "3 events are".
func are(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return chart.Plural(n, noun) + " are"
}

// title heads the page.
func (r *Report) title() string {
	if r.Title != "" {
		return r.Title
	}
	p := r.Figures.Period
	if p.From.IsZero() {
		return "Events"
	}
	from, to := r.in(p.From), r.in(p.To.Add(-time.Microsecond))
	const long = "2 January 2006"
	if from.Format(long) == to.Format(long) || to.Before(from) {
		return "Events, " + from.Format(long)
	}
	if from.Year() == to.Year() {
		return "Events, " + from.Format("2 January") + " to " + to.Format(long)
	}
	return "Events, " + from.Format(long) + " to " + to.Format(long)
}

// subtitle says what the page is made of.
func (r *Report) subtitle() string {
	f := r.Figures
	zone := "All times are " + r.Zone.String() + "."
	if r.Zone == time.UTC {
		zone = "All times are UTC."
	}
	return fmt.Sprintf("%s of %s in %s. From %s, made %s by datasync %s. %s",
		chart.Plural(f.Counts.Events(), "event"), chart.Plural(f.Users.Count, "user"), chart.Plural(f.Sessions.Count, "session"),
		chart.Visible(r.File), r.in(r.Made).Format("Mon 2 Jan 2006, 15:04:05 MST"), r.Version, zone)
}

// KeyFigure is a figure of the last full days beside that of the days before.
type KeyFigure struct {
	Name, Value string
	// Change compares the value with that before, such as "3.6 %, from 74,717"; "" without days
	// to compare. Arrow is up, down, same or "".
	Change string
	Arrow  string
	// Tone says whether the change is for the better; Plain where neither way is better.
	Tone  Tone
	Spark chart.Drawing
}

// measure is a figure by day, and of the two spans that are compared.
type measure struct {
	name        string
	days        []float64 // of all days of the period
	before, now float64
	whole       float64 // of the whole period
	word        func(float64) string
	// better is 1 where more is better, -1 where less is, and 0 where neither is.
	better int
	// points says that the figure is a share, whose change is a difference of shares.
	points bool
}

// keyFigures are the figures at the top of the page.
func (r *Report) keyFigures() []KeyFigure {
	f := r.Figures
	before, now := f.Period.Comparison()
	var all []KeyFigure
	for _, m := range r.measures(before, now) {
		k := KeyFigure{Name: m.name, Tone: Plain}
		if len(now) == 0 {
			k.Value = m.word(m.whole)
		} else {
			k.Value = m.word(m.now)
			m.compare(&k)
			first := index(f.Period.Days, before[0])
			k.Spark = chart.Spark{
				Title:  m.name + " by day, " + chart.Between(r.in(before[0].Start), r.in(now[len(now)-1].End)),
				Before: m.days[first : first+len(before)], Now: m.days[first+len(before) : first+2*len(now)],
			}.Draw()
		}
		all = append(all, k)
	}
	return all
}

// index returns the number of a day of the period.
func index(days []figures.Day, day figures.Day) int {
	for i, d := range days {
		if d.Date.Equal(day.Date) {
			return i
		}
	}
	return 0
}

// compare sets how the figure has changed.
func (m measure) compare(k *KeyFigure) {
	diff := m.now - m.before
	relative := diff / m.before
	var size string
	switch {
	case m.points:
		size = fmt.Sprintf("%s points", strings.TrimSuffix(fmt.Sprintf("%.1f", math.Abs(100*diff)), ".0"))
		relative = diff * 10
	case m.before == 0:
		size = ""
		relative = math.Copysign(1, diff)
	default:
		size = chart.Percent(math.Abs(relative))
	}
	switch {
	case diff == 0 || math.Abs(relative) < 0.005:
		k.Arrow = "same"
	case diff > 0:
		k.Arrow = "up"
	default:
		k.Arrow = "down"
	}
	from := "from " + m.word(m.before)
	if size == "" {
		k.Change = from
	} else {
		k.Change = size + ", " + from
	}
	if k.Arrow == "same" || m.better == 0 {
		return
	}
	if (k.Arrow == "up") == (m.better > 0) {
		k.Tone = Good
	} else {
		k.Tone = Caution
	}
}

// measures are the figures that the page begins with.
func (r *Report) measures(before, now []figures.Day) []measure {
	f := r.Figures
	n := len(f.Period.Days)
	errorDays := f.ErrorDays()
	purchases := make([]float64, n)
	eventDays, rates, users, sessions, medians := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	byDate := map[time.Time]int{}
	for i, d := range f.Period.Days {
		byDate[d.Date] = i
		eventDays[i], rates[i] = float64(errorDays[i].Events), errorDays[i].Rate()
		users[i] = float64(f.Users.ByDay[i])
		sessions[i], medians[i] = float64(f.Sessions.ByDay[i].Count), f.Sessions.ByDay[i].Median.Seconds()
	}
	for i := range f.Counts.Hours {
		h := &f.Counts.Hours[i]
		if at, ok := byDate[h.Date]; ok {
			purchases[at] += float64(f.Counts.Of(h, purchaseType))
		}
	}
	sum := func(values []float64, days []figures.Day) (total float64) {
		for _, d := range days {
			total += values[byDate[d.Date]]
		}
		return total
	}
	rateOf := func(days []figures.Day) float64 {
		var e figures.DayErrors
		for _, d := range days {
			e.Events += errorDays[byDate[d.Date]].Events
			e.Errors += errorDays[byDate[d.Date]].Errors
		}
		return e.Rate()
	}
	count := func(v float64) string { return chart.Count(int64(math.Round(v))) }
	span := func(v float64) string { return chart.Span(time.Duration(v * float64(time.Second))) }
	all := f.Period.Days
	c := f.Sessions.Compared
	return []measure{
		{name: "Events", days: eventDays, before: sum(eventDays, before), now: sum(eventDays, now), whole: sum(eventDays, all), word: count},
		{name: "Active users", days: users, before: float64(f.Users.Compared[0]), now: float64(f.Users.Compared[1]), whole: float64(f.Users.Count), word: count},
		{name: "Sessions", days: sessions, before: float64(c[0].Count), now: float64(c[1].Count), whole: float64(f.Sessions.Count), word: count},
		{name: "Median session", days: medians, before: c[0].Median.Seconds(), now: c[1].Median.Seconds(), whole: f.Sessions.Median.Seconds(), word: span},
		{name: "Purchases", days: purchases, before: sum(purchases, before), now: sum(purchases, now), whole: sum(purchases, all), word: count, better: 1},
		{name: "Error rate", days: rates, before: rateOf(before), now: rateOf(now), whole: rateOf(all), word: chart.Percent, better: -1, points: true},
	}
}

// purchaseType is the type of the events that are purchases.
const purchaseType = "purchase"

// comparison says which days the key figures compare.
func (r *Report) comparison() string {
	before, now := r.Figures.Period.Comparison()
	if len(now) == 0 {
		return "Of the whole period: it has too few full days to compare."
	}
	between := func(days []figures.Day) string {
		return chart.Between(r.in(days[0].Start), r.in(days[len(days)-1].End))
	}
	return fmt.Sprintf("%s (solid), %s, against %s (hollow).", between(now), lastDays(len(now)), between(before))
}

func lastDays(n int) string {
	if n == 1 {
		return "the last full day"
	}
	return fmt.Sprintf("the last %d full days", n)
}

// Fact is a part of the trust strip.
type Fact struct {
	Tone        Tone
	Name, Value string
}

// facts say how far the file can be relied on.
func (r *Report) facts() []Fact {
	t := r.Trust
	done := 0
	for _, w := range t.Windows {
		if w.Done {
			done++
		}
	}
	complete := Fact{Good, "Complete", fmt.Sprintf("%d of %s walked to the end", done, chart.Plural(int64(len(t.Windows)), "window"))}
	if !t.Complete {
		complete.Tone, complete.Name = Caution, "Incomplete"
	}
	total := Fact{Plain, chart.Plural(t.Events, "event"), "the API did not say how many it has"}
	rejected := t.Rejects()
	if t.Total != nil {
		total = Fact{Good, chart.Plural(t.Events, "event"), ""}
		switch {
		case t.Missing == nil || t.Gone > 0:
			total.Tone, total.Value = Plain, fmt.Sprintf("the API counted %s", chart.Count(*t.Total))
		case *t.Missing > 0:
			total.Tone, total.Value = Caution, fmt.Sprintf("at least %s missing of %s at the API", chart.Count(*t.Missing), chart.Count(*t.Total))
		default:
			total.Value = fmt.Sprintf("none of the API’s %s is missing", chart.Count(*t.Total))
			if rejected > 0 {
				total.Value = fmt.Sprintf("with %s none of the API’s %s is missing", chart.Plural(rejected, "reject"), chart.Count(*t.Total))
			}
		}
	}
	rejects := Fact{Good, "No rejects", "every element became an event"}
	if rejected > 0 {
		rejects = Fact{Caution, chart.Count(rejected) + " rejected", chart.Percent(float64(rejected)/float64(rejected+t.Events)) + " of all, listed below"}
	}
	conflicts := Fact{Good, "No conflicts", "no event came with other contents"}
	if t.Conflicts > 0 {
		conflicts = Fact{Caution, chart.Plural(t.Conflicts, "conflict"), "came again with other contents; the first is kept"}
	} else if t.Copies > 0 {
		conflicts.Value = copies(t.Copies) + ", each kept once"
	}
	reread := Fact{Good, "No re-read pages", chart.Plural(t.Pages, "page") + ", none asked for twice"}
	if t.Reread > 0 {
		reread = Fact{Plain, chart.Plural(t.Reread, "re-read page"), fmt.Sprintf("of %s; their events are kept once", chart.Count(t.Pages))}
	}
	return []Fact{complete, total, rejects, conflicts, reread, {Good, "Fingerprint", short(t.Fingerprint.Hash)}}
}

// short is the beginning and the end of a hash.
func short(hash string) string {
	if len(hash) <= 16 {
		return hash
	}
	return hash[:8] + "…" + hash[len(hash)-4:]
}
