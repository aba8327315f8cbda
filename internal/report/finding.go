package report

import "datasync/internal/chart"

// Finding is a headline at the top of the page that leads to its section.
type Finding struct {
	Section, Text string
	// Look is bad, gap or plain: the line beside it.
	Look string
}

// maxFindings is how many findings the page begins with.
const maxFindings = 3

// findings are the headlines that a reader must not miss, those of most weight first.
func (r *Report) findings() []Finding {
	var all []Finding
	add := func(section, text, look string) {
		if len(all) < maxFindings {
			all = append(all, Finding{section, text, look})
		}
	}
	if r.Figures.Counts.Events() == 0 {
		return nil
	}
	if t := r.Trust; !t.Complete {
		add("windows", r.windowsHeadline(), "gap")
	}
	if r.Figures.Worst != nil {
		add("errors", r.errorsHeadline(), "bad")
	}
	if g, ok := r.longestGap(); ok {
		add("hours", "No events for "+chart.Plural(int64(g.hours()), "hour")+", "+chart.Between(r.in(g.from), r.in(g.to))+"; the API had none", "gap")
	}
	if p := r.Pull; p != nil && len(slowdowns(p)) > 0 {
		add("pull", r.pullHeadline(), "plain")
	}
	if t := r.Trust; t.Rejects() > 0 || t.Conflicts > 0 {
		add("rejects", r.rejectsHeadline(), "plain")
	}
	add("days", r.daysHeadline(), "plain")
	add("users", r.usersHeadline(), "plain")
	add("pages", r.pagesHeadline(), "plain")
	return all
}
