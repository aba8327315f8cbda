package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// slowdown is the time that one endpoint was closed for one reason.
type slowdown struct {
	endpoint, reason string
	count            int64
	ordered, actual  time.Duration
	spans            []figures.Span
}

// name is how the charts call it: "feed: rate limit".
func (s slowdown) name() string { return endpointName(s.endpoint) + ": " + s.reason }

// endpointName is short: events, feed, token.
func endpointName(endpoint string) string {
	if endpoint == "stream-access" {
		return "token"
	}
	return endpoint
}

// slowdowns adds up the waits by endpoint and reason, the longest first.
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
		s.spans = append(s.spans, figures.Span{From: w.From, To: w.To})
	}
	slices.SortStableFunc(all, func(a, b slowdown) int { return int(b.actual/time.Millisecond - a.actual/time.Millisecond) })
	return all
}

// pullHeadline states what slowed the pull.
func (r *Report) pullHeadline() string {
	p := r.Pull
	if p == nil {
		return "How this file was pulled is not known: an older version made it"
	}
	took := p.Ended.Sub(p.Began)
	all := slowdowns(p)
	if len(all) == 0 || all[0].actual < took/20 {
		return fmt.Sprintf("Nothing slowed the pull: it took %s", chart.Span(took))
	}
	s := all[0]
	var text string
	closed := fmt.Sprintf("%s of %s", chart.Span(min(s.actual, took)), chart.Span(took))
	switch {
	case strings.Contains(s.reason, "limit") || s.reason == "pacing":
		text = fmt.Sprintf("The %s’s rate limit slowed the pull most: %s spent closed", longName(s.endpoint), closed)
	case s.reason == "token":
		text = fmt.Sprintf("The wait for a token slowed the pull most: %s", closed)
	case s.reason == "retry":
		text = fmt.Sprintf("Failures of the %s slowed the pull most: %s until it was asked again", longName(s.endpoint), closed)
	default:
		text = fmt.Sprintf("Waits of the %s slowed the pull most (%s): %s", longName(s.endpoint), s.reason, closed)
	}
	if other := other(p, s); other != "" {
		text += "; the " + other + " filled in"
	}
	return text
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

// other names the endpoint that sent events while s closed the first one; "" if none did.
func other(p *figures.Pull, s slowdown) string {
	for _, b := range p.Batches {
		if b.Endpoint != s.endpoint && b.Events > 0 && (s.endpoint == "events" || s.endpoint == "feed") {
			for _, span := range s.spans {
				if b.CommittedAt.After(span.From) && b.CommittedAt.Add(-b.Took).Before(span.To) {
					return longName(b.Endpoint)
				}
			}
		}
	}
	return ""
}

// pullNote says when the pull was, and how it compares with the fastest that the API allows.
func (r *Report) pullNote() string {
	p := r.Pull
	if p == nil {
		return "The next pull records it."
	}
	from, to := r.in(p.Began), r.in(p.Ended)
	text := fmt.Sprintf("%s, %s–%s %s.", chart.DayYear(from), chart.Clock(from), chart.Clock(to), from.Format("MST"))
	if took := p.Ended.Sub(p.Began); p.Minimum.Valid && p.Minimum.V > 0 && p.Outcome == "complete" {
		text += fmt.Sprintf(" %.2f × the fastest that the API’s limits allow.", max(1, float64(took)/float64(p.Minimum.V)))
	}
	if len(p.Waits) > 0 {
		text += " While one endpoint waits, the other may be read, so waits overlap."
	}
	return text
}

// windowsHeadline states what is pulled and what is not.
func (r *Report) windowsHeadline() string {
	windows := r.Trust.Windows
	if len(windows) == 0 {
		return "Nothing is pulled yet"
	}
	open := figures.NotYetPulled(windows)
	if len(open) == 0 {
		from, to := r.walked()
		if from.IsZero() || !to.After(from) {
			return "Every window was walked to its end; nothing is left to pull"
		}
		return fmt.Sprintf("Everything from %s to %s was walked; nothing is left to pull", chart.Hour(r.in(from)), chart.Hour(r.in(to)))
	}
	return "Not yet pulled: " + r.openSpans(open)
}

// walked returns the oldest and the newest instant of all windows.
func (r *Report) walked() (from, to time.Time) {
	for _, w := range r.Trust.Windows {
		for _, s := range w.Walked {
			if !s.From.IsZero() && (from.IsZero() || s.From.Before(from)) {
				from = s.From
			}
			if s.To.After(to) {
				to = s.To
			}
		}
	}
	return from, to
}

// openSpans names the spans that are not yet pulled, at most three.
func (r *Report) openSpans(open []figures.Span) string {
	var texts []string
	for i, s := range open {
		if i == 3 {
			texts = append(texts, fmt.Sprintf("%d more", len(open)-i))
			break
		}
		switch {
		case s.From.IsZero() && s.To.IsZero():
			texts = append(texts, "all events")
		case s.From.IsZero():
			texts = append(texts, "before "+chart.Hour(r.in(s.To)))
		case s.To.IsZero():
			texts = append(texts, "after "+chart.Hour(r.in(s.From)))
		default:
			texts = append(texts, chart.Between(r.in(s.From), r.in(s.To)))
		}
	}
	return strings.Join(texts, ", ")
}

// rejectsHeadline states what could not be stored, and how copies compare.
func (r *Report) rejectsHeadline() string {
	t := r.Trust
	rejected := t.Rejects()
	text := "Every element became an event"
	if rejected > 0 {
		text = fmt.Sprintf("%s could not be stored", chart.Plural(rejected, "element"))
	}
	switch {
	case t.Conflicts > 0:
		text += fmt.Sprintf("; %s came again with other contents", chart.Plural(t.Conflicts, "event"))
	case t.Copies > 0:
		text += fmt.Sprintf("; the API counts %s", copies(t.Copies))
	case rejected == 0:
		text += "; none came with other contents a second time"
	}
	return text
}

func copies(n int64) string {
	if n == 1 {
		return "1 exact copy"
	}
	return chart.Count(n) + " exact copies"
}
