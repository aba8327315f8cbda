package report

import (
	"regexp"
	"strings"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// nbsp joins the parts of a date, so that no line breaks between them.
const nbsp = "\u00a0"

// joined keeps the words of a date on one line. A line may break before a time of day, as a date with a year,
// a time and a zone is wider than the rail, and at the dash of a range.
func joined(date string) string {
	date = strings.ReplaceAll(strings.ReplaceAll(date, " ", nbsp), nbsp+"–"+nbsp, nbsp+"– ")
	return timeOfDay.ReplaceAllString(date, " $1")
}

var timeOfDay = regexp.MustCompile(nbsp + `(\d\d:\d\d)`)

// year is the part of a layout that has the year, where the period is so long that dates need it.
func (r *Report) year() string {
	if p := r.Figures.Period; p.To.Sub(p.From) > 300*24*time.Hour {
		return " 2006"
	}
	return ""
}

// day names the date of a figures.Day: Tue 20 Jan.
func (r *Report) day(d time.Time) string { return joined(r.date(d).Format("Mon 2 Jan" + r.year())) }

// hour names an instant to the minute: Tue 20 Jan 14:00.
func (r *Report) hour(t time.Time) string {
	return joined(r.in(t).Format("Mon 2 Jan" + r.year() + " 15:04"))
}

// stamp names an instant with its zone: Tue 20 Jan 14:00 UTC.
func (r *Report) stamp(t time.Time) string { return r.hour(t) + nbsp + r.in(t).Format("MST") }

// exactly names an instant to the second, with year and zone.
func (r *Report) exactly(t time.Time) string {
	return joined(r.in(t).Format("Mon 2 Jan 2006,")) + " " + joined(r.in(t).Format("15:04:05 MST"))
}

// between names a range of time whose end is left out.
func (r *Report) between(from, to time.Time) string {
	return joined(chart.Between(r.in(from), r.in(to)))
}

// betweenDays names the range of some days.
func (r *Report) betweenDays(days []figures.Day) string {
	return r.between(days[0].Start, days[len(days)-1].End)
}

// period names the period, such as "28 December 2025 to 27 January 2026"; "" if there is none. It has the
// time of day where a bound that was asked for is within a day.
func (r *Report) period() string {
	p := r.Figures.Period
	if p.From.IsZero() {
		return ""
	}
	from, to := r.in(p.From), r.in(later(p.From, p.To.Add(-time.Microsecond)))
	first, last := from.Format("2 January 2006"), to.Format("2 January 2006")
	if r.cutsDay() {
		end := r.in(p.To)
		if first == last {
			return joined(first) + ", " + from.Format("15:04") + " to " + end.Format("15:04")
		}
		return joined(first+", "+from.Format("15:04")) + " to " + joined(end.Format("2 January 2006, 15:04"))
	}
	switch {
	case first == last:
		return joined(first)
	case from.Year() == to.Year() && from.Month() == to.Month():
		return from.Format("2") + " to " + joined(last)
	case from.Year() == to.Year():
		return joined(from.Format("2 January")) + " to " + joined(last)
	}
	return joined(first) + " to " + joined(last)
}

// cutsDay reports whether the period begins or ends within a day where events are on both sides.
func (r *Report) cutsDay() bool {
	p := r.Figures.Period
	if len(p.Days) == 0 || p.First.IsZero() {
		return false
	}
	first, last := p.Days[0], p.Days[len(p.Days)-1]
	asked := !p.From.Equal(p.First) && !p.From.Equal(first.Start) || !p.To.Equal(p.Last) && !p.To.Equal(last.End)
	return asked && !p.Pulling(p.From, p.To)
}

// within names the period at the end of a sentence.
func (r *Report) within() string {
	period := r.period()
	switch {
	case period == "":
		return ""
	case strings.Contains(period, " to "):
		return " from " + period
	}
	return " on " + period
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// nothing is the sentence of a chart without values.
func (r *Report) nothing() string {
	return strings.ReplaceAll("no events"+r.within(), nbsp, " ") // a drawing shows characters that cannot be seen
}

// zone names the time zone in a sentence.
func (r *Report) zone() string {
	if r.Zone == time.UTC {
		return "UTC"
	}
	return chart.Visible(r.Zone.String())
}
