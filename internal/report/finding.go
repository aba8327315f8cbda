package report

import "datasync/internal/chart"

// Finding is a headline at the top of the page that leads to its section.
type Finding struct {
	Section, Text string
	// Look is bad, gap or plain: the line beside it.
	Look string
}

const (
	// maxFindings is how many findings the page begins with.
	maxFindings = 3
	// leastRejected is the share of rejects from which on they are a finding.
	leastRejected = 0.001
)

// findings are the headlines that a reader must not miss, those of most weight first.
func (r *Report) findings() []Finding {
	var all []Finding
	add := func(section, text, look string) {
		if len(all) < maxFindings {
			all = append(all, Finding{section, text, look})
		}
	}
	t := r.Trust
	if !t.Complete {
		add("windows", r.windowsHeadline(), "gap")
	}
	if r.Figures.Counts.Events() == 0 {
		return all
	}
	if r.Figures.Worst != nil {
		add("errors", r.errorsHeadline(), "bad")
	}
	if g, ok := r.longestGap(); ok {
		add("hours", "No events for "+chart.Plural(int64(g.hours()), "hour")+", "+r.between(g.from, g.to)+"; the API had none", "gap")
	}
	if n := t.Rejects(); t.Conflicts > 0 || n > 0 && float64(n) >= leastRejected*float64(t.Events+n) {
		add("rejects", r.rejectsHeadline(), "plain")
	}
	if r.Pull != nil {
		add("pull", r.pullHeadline(), "plain")
	}
	add("days", r.daysHeadline(), "plain")
	add("users", r.usersHeadline(), "plain")
	add("pages", r.pagesHeadline(), "plain")
	return all
}
