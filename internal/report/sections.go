package report

// sections are the parts of the page, in order.
func (r *Report) sections() []Section {
	return []Section{
		r.daysSection(), r.hoursSection(), r.weekSection(), r.errorsSection(), r.usersSection(), r.sessionsSection(), r.funnelSection(),
		r.retentionSection(), r.pagesSection(), r.devicesSection(), r.pullSection(), r.windowsSection(), r.rejectsSection(), r.fingerprintSection(), r.definitions(),
	}
}

// definitions say what the words of the page mean.
func (r *Report) definitions() Section {
	return Section{
		ID: "definitions", Short: "Definitions", Kicker: "Definitions", Headline: "What the words mean",
		Note: "Each figure can be computed again: datasync’s docs/report.md has the query of each.",
		Terms: []Term{
			{"Complete", "Every window was walked to its end. The API’s own count is compared, and is never the proof."},
			{"Session", "All events of the period with one session id. No time-out is applied."},
			{"Active user", "A user id with at least one event in the span."},
			{"Error", "An event of the type error."},
			{"Full day", "A day that is over, pulled and within the period. The file’s first and last events are within a quarter of an hour of its borders, or beyond them."},
			{"Usual, for an hour", "The median of the same hour on the file’s other weekdays, or weekend days. Without such a day: the median error rate of the period’s hours."},
			{"Usual, for a share", "The share of the file’s other errors."},
			{"Usual range, for a day", "The median rate of full days, plus and minus three standard deviations of a share of that many events."},
			{"Worst hour", "At least 10 errors, twice the usual, and six standard deviations above it; the farthest one."},
			{"Period before", "As many full days of the file, right before those that are compared."},
			{"Unusual page", "An error share of 1.35 times the median page or more, and more than chance explains."},
			{"Times", "In " + r.zone() + "."},
		},
	}
}
