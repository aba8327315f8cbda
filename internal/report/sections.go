package report

// Parts are the sections of the page, in order.
func (r *Report) Parts() []Part {
	return []Part{
		{"days", r.daysSection}, {"hours", r.hoursSection}, {"week", r.weekSection}, {"errors", r.errorsSection}, {"users", r.usersSection},
		{"sessions", r.sessionsSection}, {"funnel", r.funnelSection}, {"retention", r.retentionSection}, {"pages", r.pagesSection}, {"devices", r.devicesSection},
		{"pull", r.pullSection}, {"windows", r.windowsSection}, {"rejects", r.rejectsSection}, {"fingerprint", r.fingerprintSection}, {"definitions", r.definitions},
	}
}

// sections draws all parts.
func (r *Report) sections() (all []Section) {
	for _, part := range r.Parts() {
		all = append(all, part.Draw())
	}
	return all
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
