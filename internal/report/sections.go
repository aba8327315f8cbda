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
			{"Window", "The time of events that a pull walks through page by page, from the newest event back to the window before."},
			{"Complete", "Every window was walked to its end. The API’s own total is compared, too, but it is no proof."},
			{"Rate limit, pacing", "After an answer 429, a pull waits until the API’s rate limit opens. Pacing is its wait before that, to keep to the limit."},
			{"Session", "All events of the period with one session id. No time-out is applied."},
			{"Active user", "A user id with at least one event in the span."},
			{"Error", "An event of the type error."},
			{"Full day", "A day that is over, pulled and within the period. The file’s first day is full if its events begin by 00:15, its last one if they end after 23:45."},
			{"Usual, for an hour", "The median of the same hour on the file’s other weekdays; for a weekend, on its other weekend days. Without such a day: the median error rate of the period’s hours."},
			{"Usual, for a share", "The same share among all other errors of the file."},
			{"Usual range, for a day", "The median rate of full days, plus and minus three standard deviations: what chance alone does to as many events as the day has."},
			{"Worst hour", "The hour farthest above its usual errors: at least 10 errors, twice the usual, and six standard deviations above it."},
			{"Period before", "As many full days, directly before the last ones."},
			{"Unusual page", "Its error share is at least 1.35 times that of the median page, and higher than chance explains."},
			{"Times", "In " + r.zone() + "."},
		},
	}
}
