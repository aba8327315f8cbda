package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

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
		strip := chart.Strip{Endpoint: endpointName(each.endpoint), Reason: short(each.reason), Count: each.count, Ordered: each.ordered, Actual: each.actual}
		for _, span := range each.spans {
			strip.Spans = append(strip.Spans, chart.TimeSpan{From: r.in(span.From), To: r.in(span.To)})
		}
		c.Strips = append(c.Strips, strip)
	}
	c.Strips = append(c.Strips, r.refusals(p)...)
	if len(c.Steps)+len(c.Strips) > 0 {
		s.Figures = []Figure{figure("", c)}
	}
	return s
}

// slowdown is the time that one endpoint was closed for one reason.
type slowdown struct {
	endpoint, reason string
	count            int64
	ordered, actual  time.Duration
	waiting          time.Duration // without a request in flight
	spans            []figures.Span
}

// slowdowns adds up the waits by endpoint and reason. Those come first that kept the pull from sending requests the
// longest.
func slowdowns(p *figures.Pull) []slowdown {
	var all []slowdown
	for _, w := range p.Waits {
		at := slices.IndexFunc(all, func(s slowdown) bool { return s.endpoint == w.Endpoint && s.reason == w.Reason })
		if at < 0 {
			at = len(all)
			all = append(all, slowdown{endpoint: w.Endpoint, reason: w.Reason})
		}
		s := &all[at]
		s.count += w.Count
		s.ordered += w.Ordered
		s.actual += w.Actual
		s.waiting += w.Waiting
		s.spans = append(s.spans, figures.Span{From: w.From, To: w.To})
	}
	slices.SortStableFunc(all, func(a, b slowdown) int {
		return cmp.Or(cmp.Compare(b.waiting, a.waiting), cmp.Compare(b.actual, a.actual))
	})
	return all
}

// endpointName is short: events, feed, token.
func endpointName(endpoint string) string {
	if endpoint == "stream-access" {
		return "token"
	}
	return endpoint
}

// longName names an endpoint in a sentence.
func longName(endpoint string) string {
	switch endpoint {
	case "events":
		return "events endpoint"
	case "feed":
		return "feed"
	}
	return "token endpoint"
}

// leastFilled is the part of the time that an endpoint is closed from which on another fills it in.
const leastFilled = 0.1

// other names the endpoint that sent events while s closed the first one; "" if none did, or only for moments.
func other(p *figures.Pull, s slowdown) string {
	name, filled := "", time.Duration(0)
	for _, b := range p.Batches {
		if b.Endpoint == s.endpoint || b.Events == 0 || s.endpoint != "events" && s.endpoint != "feed" {
			continue
		}
		for _, span := range s.spans {
			from, to := later(b.CommittedAt.Add(-b.Took), span.From), b.CommittedAt
			if span.To.Before(to) {
				to = span.To
			}
			if to.After(from) {
				name, filled = longName(b.Endpoint), filled+to.Sub(from)
			}
		}
	}
	if float64(filled) < leastFilled*float64(s.actual) {
		return ""
	}
	return name
}

// limited says that the API's limits kept the endpoint closed.
func (s slowdown) limited() bool {
	return strings.Contains(s.reason, "limit") || s.reason == "pacing"
}

// both says that limits closed two endpoints alike, and at the same time.
func both(p *figures.Pull, all []slowdown) bool {
	if len(all) < 2 || !all[0].limited() || !all[1].limited() || all[0].endpoint == all[1].endpoint {
		return false
	}
	return 4*all[1].actual >= 3*all[0].actual && 2*p.Waiting >= all[0].actual
}

// refusals are strips of the answers by which the API refused requests: 429s first.
func (r *Report) refusals(p *figures.Pull) []chart.Strip {
	all := map[string]*chart.Strip{}
	for _, each := range p.Refusals {
		name := "429 answers"
		if each.Refused != "rate limit" {
			name = short(each.Refused) + " refused"
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

// pullHeadline states what slowed the pull.
func (r *Report) pullHeadline() string {
	p := r.Pull
	switch {
	case p == nil && len(r.Trust.Windows) == 0:
		return "No pull has stored anything yet"
	case p == nil:
		return "How this file was pulled is not known: an older version made it"
	}
	took := p.Ended.Sub(p.Began)
	all := slowdowns(p)
	if len(all) == 0 || all[0].actual < took/20 {
		if p.Outcome == "running" {
			return "What slowed the pull after its last commit is not recorded: it runs, or was killed"
		}
		var answers time.Duration
		for _, b := range p.Batches {
			answers += b.Took
		}
		if answers >= took/2 {
			return fmt.Sprintf("No limit slowed the pull: its %s went into the API’s answers", chart.Span(took))
		}
		return fmt.Sprintf("Nothing slowed the pull: it took %s", chart.Span(took))
	}
	s := all[0]
	var text string
	reason := chart.Visible(short(s.reason))
	closed := fmt.Sprintf("%s of %s", chart.Span(min(s.actual, took)), chart.Span(took))
	switch {
	case both(p, all):
		return fmt.Sprintf("Rate limits slowed the pull most: the %s spent %s closed, the %s %s",
			longName(s.endpoint), closed, longName(all[1].endpoint), chart.Span(min(all[1].actual, took)))
	case s.limited():
		text = fmt.Sprintf("The %s’s rate limit slowed the pull most: %s spent closed", longName(s.endpoint), closed)
	case s.reason == "token":
		text = fmt.Sprintf("The wait for a token slowed the pull most: %s", closed)
	case s.reason == "retry":
		text = fmt.Sprintf("Failures of the %s slowed the pull most: %s until it was asked again", longName(s.endpoint), closed)
	default:
		text = fmt.Sprintf("Waits of the %s slowed the pull most (%s): %s", longName(s.endpoint), reason, closed)
	}
	if other := other(p, s); other != "" {
		text += "; the " + other + " filled in"
	}
	return text
}

// shortestCompared is the shortest pull that is compared with the API's minimum. The time of a shorter one
// depends mostly on the machine.
const shortestCompared = 10 * time.Second

// pullNote says when the pull was, and how it compares with the fastest that the API allows.
func (r *Report) pullNote() string {
	p := r.Pull
	if p == nil {
		return "The next pull records it."
	}
	from, to := r.in(p.Began), r.in(p.Ended)
	text := fmt.Sprintf("%s, %s–%s %s.", chart.DayYear(from), chart.Clock(from), chart.Clock(to), from.Format("MST"))
	took := p.Ended.Sub(p.Began)
	switch {
	case p.Outcome == "running":
		text += " It has not ended; this is up to its last commit."
	case p.Outcome != "complete":
		text += " It did not reach the end: " + chart.Visible(short(p.Outcome)) + "."
	case p.Minimum.V >= time.Second && took >= max(p.Minimum.V, shortestCompared):
		text += fmt.Sprintf(" %.2f"+nbsp+"× the fastest that the API’s limits allow, %s.", float64(took)/float64(p.Minimum.V), chart.Span(p.Minimum.V))
	}
	if p.Waiting >= time.Millisecond {
		text += " No request was in flight for " + chart.Span(p.Waiting) + "."
	}
	if len(p.Waits) > 0 {
		text += " While one endpoint waits, the other may be read, so waits overlap."
	} else {
		text += " It waited for no endpoint."
	}
	if p.Reread > 0 {
		again := "was"
		if p.Reread > 1 {
			again = "were"
		}
		text += fmt.Sprintf(" %s with rejects %s requested again, to check them.", chart.Plural(p.Reread, "page"), again)
	}
	return text
}
