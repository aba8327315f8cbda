package report

import (
	"fmt"
	"math"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// usersSection shows the active users of each day.
func (r *Report) usersSection() Section {
	f := r.Figures
	columns := chart.Columns{
		Head:  chart.Head{Title: "Active users a day", Unit: "active users", Nothing: r.nothing()},
		Color: chart.Pale, MeanOver: 7, MeanName: "7-day mean",
	}
	totals := dayTotals(f)
	for i, d := range f.Period.Days {
		columns.Bars = append(columns.Bars, chart.Bar{From: r.in(d.Start), To: r.in(d.End), State: dayState(&f.Period, d, totals[i]), Value: float64(f.Users.ByDay[i])})
	}
	note := "Users with at least one event on the day. The mean begins once 7 full days are there."
	if f.Users.Anonymous > 0 {
		note += fmt.Sprintf(" %s without a user.", chart.Plural(f.Users.Anonymous, "event"))
	}
	return Section{ID: "users", Short: "Users", Kicker: "Daily active users", Headline: r.usersHeadline(), Note: note, Figures: []Figure{figure("", columns).byTime()}}
}

// usersHeadline states the mean of active users of the last full days against those before.
func (r *Report) usersHeadline() string {
	f := r.Figures
	c := f.Comparison
	days := len(c.Now)
	switch {
	case f.Users.Count == 0:
		return "No events with a user" + r.within()
	case days == 0:
		return chart.Plural(f.Users.Count, "user") + r.within()
	}
	mean := func(days []figures.Measures) float64 {
		sum := int64(0)
		for _, m := range days {
			sum += m.Users
		}
		return float64(sum) / float64(len(days))
	}
	now, before := mean(c.ByDay[days:]), mean(c.ByDay[:days])
	users := chart.Plural(int64(math.Round(now)), "user")
	switch days {
	case 7:
		return fmt.Sprintf("%s on an average day in the last full week, %s the week before", users, change(now, before))
	case 1:
		return fmt.Sprintf("%s on the last full day, %s the day before", users, change(now, before))
	}
	return fmt.Sprintf("%s on an average day in the last %d full days, %s the %d before", users, days, change(now, before), days)
}

// change says how a figure compares with an earlier one: "down 0.8 % against".
func change(now, before float64) string {
	switch {
	case before == 0:
		return "against none in"
	case math.Abs(now/before-1) < 0.0005:
		return "as many as in"
	case now > before:
		return "up " + chart.Percent(now/before-1) + " against"
	}
	return "down " + chart.Percent(1-now/before) + " against"
}

// retentionSection shows how many users come back in later weeks.
func (r *Report) retentionSection() Section {
	c := chart.Cohort{Head: chart.Head{Title: "Users that come back, by the week in which they were first seen", Nothing: "no events with a user"}, Item: "users", Ends: r.in(r.Figures.Period.Last)}
	for _, each := range r.Figures.Retention.Cohorts {
		week := chart.Week{Start: r.midnight(each.Week), Count: each.Users}
		for i, n := range each.Active {
			state := chart.Whole
			if each.Open && i == len(each.Active)-1 {
				state = chart.Unfinished
			}
			week.Back = append(week.Back, chart.Return{Count: n, State: state})
		}
		c.Weeks = append(c.Weeks, week)
	}
	return Section{
		ID: "retention", Short: "Retention", Kicker: "Retention", Headline: r.retentionHeadline(),
		Note: "“First seen” means in this period; what was before is not counted. Weeks begin on Monday.", Figures: []Figure{figure("", c).byTime()},
	}
}

// retentionHeadline states how many of a week's new users came back a week later: of the newest week for
// which that is known.
func (r *Report) retentionHeadline() string {
	all := r.Figures.Retention.Cohorts
	for i := len(all) - 1; i >= 0; i-- {
		c := all[i]
		last := len(c.Active) - 1
		if c.Users > 0 && (last > 1 || last == 1 && !c.Open) {
			return fmt.Sprintf("%s of the users first seen in the week of %s came back a week later",
				chart.Percent(float64(c.Active[1])/float64(c.Users)), joined(r.date(c.Week).Format("2 Jan")))
		}
	}
	return "Too short for retention: no week is over whose users could have come back a week later"
}

// midnight is when a date begins in the report's time zone.
func (r *Report) midnight(d time.Time) time.Time {
	y, m, day := d.Date()
	return time.Date(y, m, day, 0, 0, 0, 0, r.Zone)
}
