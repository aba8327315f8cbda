package report

import (
	"fmt"

	"datasync/internal/chart"
)

// Fact is a part of the trust strip.
type Fact struct {
	Tone        Tone
	Name, Value string
}

// wholeFile says that the trust strip is about the whole file where the page shows a part; "" else.
func (r *Report) wholeFile() string {
	if shown := r.Figures.Counts.Events(); shown != r.Trust.Events {
		return fmt.Sprintf("This strip is about the whole file, of which the page shows %s.", chart.Plural(shown, "event"))
	}
	return ""
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
	complete := Fact{Good, "Complete", fmt.Sprintf("%s of %s walked to the end", chart.Count(int64(done)), chart.Plural(int64(len(t.Windows)), "window"))}
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
			total.Value = fmt.Sprintf("none missing; the API has %s", chart.Count(*t.Total))
			if rejected > 0 {
				total.Value = fmt.Sprintf("none missing; with %s, the API has %s", chart.Plural(rejected, "reject"), chart.Count(*t.Total))
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
	reread := Fact{Good, "No re-read pages", chart.Plural(t.Pages, "page") + " read, none with known events only"}
	if t.Reread > 0 {
		reread = Fact{Plain, chart.Plural(t.Reread, "re-read page"), fmt.Sprintf("of %s; they had known events only", chart.Count(t.Pages))}
	}
	return []Fact{complete, total, rejects, conflicts, reread, {Good, "Fingerprint", ends(t.Fingerprint.Hash)}}
}

// ends is the beginning and the end of a hash.
func ends(hash string) string {
	if len(hash) <= 16 {
		return hash
	}
	return hash[:8] + "…" + hash[len(hash)-4:]
}
