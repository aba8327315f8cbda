package report

import (
	"fmt"
	"path/filepath"
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
		text += " as of " + r.exactly(*t.CompletedAt)
	}
	if t.From != nil {
		text += ", from " + r.stamp(*t.From) + " on"
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
		return chart.Visible(short(r.Title))
	}
	if period := r.period(); period != "" {
		return "Events, " + period
	}
	return "Events"
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
		chart.Visible(short(filepath.Base(r.File))), r.exactly(r.Made), r.Version, zone)
}
