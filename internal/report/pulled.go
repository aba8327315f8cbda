package report

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// named is a value of events as a chart shows it.
func named(s sql.NullString) string {
	if !s.Valid {
		return "(none)"
	}
	return s.String
}

// pullSection shows what a pull did by the clock.
func (r *Report) pullSection() Section {
	s := Section{ID: "pull", Short: "Pull", Kicker: "The pull itself", Headline: r.pullHeadline(), Note: r.pullNote()}
	p := r.Pull
	if p == nil || !p.Ended.After(p.Began) {
		return s
	}
	bucket := bucketOf(p.Ended.Sub(p.Began))
	c := chart.Pull{
		Head: chart.Head{Title: "The pull by the clock", Unit: "events a second"},
		From: r.in(p.Began), To: r.in(p.Ended), Bucket: bucket,
	}
	for _, endpoint := range []string{"events", "feed"} {
		if steps, ok := stepsOf(p, endpoint, bucket); ok {
			c.Steps = append(c.Steps, steps)
		}
	}
	for _, each := range slowdowns(p) {
		strip := chart.Strip{Endpoint: endpointName(each.endpoint), Reason: each.reason, Count: each.count, Ordered: each.ordered, Actual: each.actual}
		for _, span := range each.spans {
			strip.Spans = append(strip.Spans, chart.TimeSpan{From: r.in(span.From), To: r.in(span.To)})
		}
		c.Strips = append(c.Strips, strip)
	}
	c.Strips = append(c.Strips, r.refusals(p)...)
	s.Figures = []Figure{figure("", c)}
	return s
}

// refusals are strips of the answers by which the API refused requests: 429s first.
func (r *Report) refusals(p *figures.Pull) []chart.Strip {
	all := map[string]*chart.Strip{}
	for _, each := range p.Refusals {
		name := "429 answers"
		if each.Refused != "rate limit" {
			name = each.Refused + " refused"
		}
		if all[name] == nil {
			all[name] = &chart.Strip{Reason: name}
		}
		all[name].Count += each.Count
		all[name].Instants = append(all[name].Instants, r.in(each.From))
		if each.To.After(each.From) {
			all[name].Instants = append(all[name].Instants, r.in(each.To))
		}
	}
	var strips []chart.Strip
	for _, name := range slices.Sorted(maps.Keys(all)) {
		strips = append(strips, *all[name])
	}
	return strips
}

// bucketOf returns the span of a step: at most 100 steps for the whole time.
func bucketOf(took time.Duration) time.Duration {
	for _, b := range []time.Duration{
		time.Millisecond * 100, time.Millisecond * 200, time.Millisecond * 500, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 10 * time.Second,
		20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour,
	} {
		if took <= 100*b {
			return b
		}
	}
	return 24 * time.Hour
}

// stepsOf are the events a second of an endpoint: each batch is spread evenly over the time of its requests.
func stepsOf(p *figures.Pull, endpoint string, bucket time.Duration) (chart.Steps, bool) {
	n := int(p.Ended.Sub(p.Began)/bucket) + 1
	color := chart.Blue
	if endpoint == "feed" {
		color = chart.Teal
	}
	s := chart.Steps{Name: longName(endpoint), Color: color, Values: make([]float64, n)}
	total := int64(0)
	for _, b := range p.Batches {
		if b.Endpoint != endpoint || b.Events == 0 {
			continue
		}
		total += b.Events
		to := b.CommittedAt
		from := to.Add(-b.Took)
		if from.Before(p.Began) {
			from = p.Began
		}
		spread(s.Values, p.Began, bucket, from, to, float64(b.Events))
	}
	s.Note = chart.Plural(total, "event")
	return s, total > 0
}

// spread adds an amount to buckets in proportion to their part of a span, as an amount a second.
func spread(values []float64, began time.Time, bucket time.Duration, from, to time.Time, amount float64) {
	if !to.After(from) {
		from = to.Add(-time.Millisecond)
	}
	for i := range values {
		left := began.Add(time.Duration(i) * bucket)
		right := left.Add(bucket)
		if from.After(left) {
			left = from
		}
		if to.Before(right) {
			right = to
		}
		if right.After(left) {
			values[i] += amount * float64(right.Sub(left)) / float64(to.Sub(from)) / bucket.Seconds()
		}
	}
}

// windowsSection shows which time is pulled.
func (r *Report) windowsSection() Section {
	s := Section{
		ID: "windows", Short: "Windows", Kicker: "Windows on the time axis of events", Headline: r.windowsHeadline(),
		Note: "Each pull opens a window from the newest event down into the one before. Where two overlap, each event is kept once.",
	}
	from, to := r.walked()
	p := r.Figures.Period
	for _, span := range p.Open {
		if !span.From.IsZero() && (from.IsZero() || span.From.Before(from)) {
			from = span.From
		}
		if span.To.After(to) {
			to = span.To
		}
	}
	if from.IsZero() || !to.After(from) {
		return s
	}
	lanes := chart.Lanes{Head: chart.Head{Title: "Windows on the time axis of events"}, From: r.in(from), To: r.in(to)}
	for _, w := range r.Trust.Windows {
		lane := chart.Lane{Name: fmt.Sprintf("window %d", w.Number)}
		if !w.PulledAt.IsZero() {
			lane.Note = "pulled " + chart.Hour(r.in(w.PulledAt))
		}
		add := func(a, b time.Time, state chart.State) {
			if a.IsZero() {
				a = from
			}
			if b.IsZero() {
				b = to
			}
			if b.After(a) {
				lane.Spans = append(lane.Spans, chart.LaneSpan{From: r.in(a), To: r.in(b), State: state})
			}
		}
		for _, span := range w.Walked {
			at := span.From
			for _, g := range r.lastGaps() {
				if g.from.Before(at) || span.To.Before(g.to) {
					continue
				}
				add(at, g.from, chart.Whole)
				add(g.from, g.to, chart.Empty)
				at = g.to
			}
			add(at, span.To, chart.Whole)
		}
		for _, span := range w.Open {
			add(span.From, span.To, chart.Unpulled)
		}
		slices.SortFunc(lane.Spans, func(a, b chart.LaneSpan) int { return a.From.Compare(b.From) })
		lanes.Lanes = append(lanes.Lanes, lane)
	}
	s.Figures = []Figure{figure("", lanes)}
	return s
}

// lastGaps are the stretches without events that are a finding.
func (r *Report) lastGaps() (all []gap) {
	if _, ok := r.longestGap(); !ok {
		return nil
	}
	for _, g := range r.gaps() {
		if g.hours() >= leastGap {
			all = append(all, g)
		}
	}
	return all
}

// rejectsSection shows what could not be stored, by reason, and copies and conflicts.
func (r *Report) rejectsSection() Section {
	t := r.Trust
	rows := chart.Rows{Head: chart.Head{Title: "Rejects by reason", Unit: "elements", Nothing: "no rejects"}, Item: "reason", Limit: topPages}
	reasons := slices.Sorted(maps.Keys(t.Rejected))
	slices.SortStableFunc(reasons, func(a, b string) int { return int(t.Rejected[b] - t.Rejected[a]) })
	for _, reason := range reasons {
		rows.Rows = append(rows.Rows, chart.Row{Name: reason, Value: float64(t.Rejected[reason]), Share: nan})
	}
	s := Section{
		ID: "rejects", Short: "Rejects", Kicker: "Rejects, copies and conflicts", Headline: r.rejectsHeadline(),
		Note: "A reject is kept with its text and reason. A copy is an event that the API served twice. A conflict is a copy with other contents.",
	}
	if len(rows.Rows) > 0 {
		s.Figures = append(s.Figures, figure("", rows))
	}
	s.Terms = []Term{
		{"Already stored", chart.Plural(t.Duplicates-t.Conflicts, "event") + " came again and changed nothing."},
		{"Conflicts", chart.Plural(t.Conflicts, "event") + " came again with other contents; the first one is kept."},
		{"Copies", copies(t.Copies) + " in the API’s own count."},
	}
	return s
}

// fingerprintSection identifies the events.
func (r *Report) fingerprintSection() Section {
	return Section{
		ID: "fingerprint", Short: "Fingerprint", Kicker: "Fingerprint", Headline: "Two files with this fingerprint hold the same events",
		Note:  "It is computed from all stored events, and does not depend on the order in which they were pulled.",
		Terms: []Term{{"Hash", r.Trust.Fingerprint.Hash}, {"Events", chart.Count(r.Trust.Fingerprint.Events)}, {"Again", "datasync verify computes it."}},
	}
}

// definitions say what the words of the page mean.
func (r *Report) definitions() Section {
	return Section{
		ID: "definitions", Short: "Definitions", Kicker: "Definitions", Headline: "What the words mean",
		Note: "Each figure is the result of one query on the file.",
		Terms: []Term{
			{"Complete", "Every window was walked to its end. The API’s own count is compared, and is never the proof."},
			{"Session", "All events with one session id. No time-out is applied."},
			{"Active user", "A user id with at least one event in the span."},
			{"Error", "An event of the type error."},
			{"Usual, for an hour", "The median of the same hour on the other weekdays, or weekend days, of the period."},
			{"Usual range, for a day", "The median rate of full days, plus and minus three standard deviations of a share of that many events."},
			{"Worst hour", "At least 10 errors, twice the usual, and six standard deviations above it; the farthest one."},
			{"Period before", "As many full days as are compared, right before them."},
			{"Times", "In " + r.zone() + "."},
		},
	}
}

// sections are the parts of the page, in order.
func (r *Report) sections() []Section {
	return []Section{
		r.daysSection(), r.hoursSection(), r.weekSection(), r.errorsSection(), r.usersSection(), r.sessionsSection(), r.funnelSection(),
		r.retentionSection(), r.pagesSection(), r.devicesSection(), r.pullSection(), r.windowsSection(), r.rejectsSection(), r.fingerprintSection(), r.definitions(),
	}
}
