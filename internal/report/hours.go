package report

import (
	"fmt"
	"time"

	"datasync/internal/chart"
)

// hoursSection shows the events of each hour.
func (r *Report) hoursSection() Section {
	line := chart.Line{
		Head: chart.Head{Title: "Events an hour", Unit: "events an hour", Nothing: r.nothing()}, Color: chart.Slate, Area: true, Points: r.hourPoints(),
	}
	return Section{
		ID: "hours", Short: "Hours", Kicker: "Events an hour", Headline: r.hoursHeadline(),
		Note:    "The line breaks where there is nothing to draw. Hours that are not whole are left out. Hours in " + r.zone() + ".",
		Figures: []Figure{figure("", line).byTime()},
	}
}

// hoursHeadline states the longest stretch without events and the busiest hour.
func (r *Report) hoursHeadline() string {
	hours := r.Figures.Counts.Hours
	if len(hours) == 0 {
		return "No events" + r.within()
	}
	busiest := &hours[0]
	for i := range hours {
		if hours[i].Total() > busiest.Total() {
			busiest = &hours[i]
		}
	}
	if len(hours) == 1 {
		return fmt.Sprintf("%s, all in the hour from %s on", chart.Plural(busiest.Total(), "event"), r.hour(busiest.Start))
	}
	most := fmt.Sprintf("%s an hour, most on %s", chart.Plural(busiest.Total(), "event"), r.hour(busiest.Start))
	if g, ok := r.longestGap(); ok {
		return fmt.Sprintf("No events for %s on %s; otherwise up to %s", chart.Plural(int64(g.hours()), "hour"), joined(r.in(g.from).Format("Mon 2 Jan"+r.year())), most)
	}
	return "Up to " + most
}

// hourPoints are all hours of the period. A stretch without events is a gap where that is unusual, and a row
// of zeros otherwise.
func (r *Report) hourPoints() []chart.Point {
	p := &r.Figures.Period
	hours := r.Figures.Counts.Hours
	if len(hours) == 0 {
		return nil
	}
	b := blanks{r: r, dense: r.dense()}
	next := hours[0].Start
	if p.From.Before(next) {
		b.add(next.Add(-next.Sub(p.From).Truncate(time.Hour)), next)
	}
	for i := range hours {
		h := &hours[i]
		b.add(next, h.Start)
		next = h.Start.Add(time.Hour)
		point := chart.Point{From: r.in(h.Start), To: r.in(next), Value: float64(h.Total())}
		if h.Start.Before(p.First) && i == 0 || next.After(p.Last) || p.Pulling(h.Start, next) {
			point.State = chart.Unfinished
		}
		b.points = append(b.points, point)
	}
	b.add(next, p.To.Truncate(15*time.Minute))
	drawSome(b.points)
	return b.points
}

// blanks adds hours without events to points.
type blanks struct {
	r      *Report
	dense  bool // says that an hour without events is unusual
	points []chart.Point
}

// maxBlank is the longest stretch without events that has each of its hours: five years.
const maxBlank = 5 * 366 * 24 * time.Hour

// add adds the hours of a stretch.
func (b *blanks) add(from, to time.Time) {
	pulled := chart.Whole
	if b.dense && to.Sub(from) >= leastGap*time.Hour {
		pulled = chart.Empty
	}
	long := to.Sub(from) > maxBlank
	for from.Before(to) {
		end := from.Add(time.Hour)
		if long && len(b.points) > 0 {
			end = to
		}
		state := pulled
		if !b.r.Figures.Period.Pulled(from, end) {
			state = chart.Unpulled
		}
		b.points = append(b.points, chart.Point{From: b.r.in(from), To: b.r.in(end), State: state})
		from = end
	}
}

// drawSome has all hours drawn where none is whole: a period of an hour is no empty chart.
func drawSome(points []chart.Point) {
	for _, p := range points {
		if p.State == chart.Whole {
			return
		}
	}
	for i := range points {
		if points[i].State == chart.Unfinished {
			points[i].State = chart.Whole
		}
	}
}

// gap is a stretch of whole hours without events.
type gap struct{ from, to time.Time }

func (g gap) hours() int { return int(g.to.Sub(g.from) / time.Hour) }

// leastGap is the number of hours from which on a stretch without events is a finding.
const leastGap = 3

// longestGap returns the longest stretch of at least leastGap hours without events inside the data that
// is pulled, if an hour without an event is unusual.
func (r *Report) longestGap() (longest gap, ok bool) {
	for _, g := range r.gaps() {
		if g.hours() > longest.hours() {
			longest = g
		}
	}
	return longest, longest.hours() >= leastGap && r.dense()
}

// dense reports whether an hour without events is unusual.
func (r *Report) dense() bool {
	hours := 0
	for _, g := range r.gaps() {
		hours += g.hours()
	}
	return hours < len(r.Figures.Counts.Hours)/4
}

// gaps are the stretches of whole hours without events that were pulled, from old to new.
func (r *Report) gaps() (all []gap) {
	hours := r.Figures.Counts.Hours
	for i := 1; i < len(hours); i++ {
		g := gap{hours[i-1].Start.Add(time.Hour), hours[i].Start}
		if g.hours() > 0 && !r.Figures.Period.Pulling(g.from, g.to) {
			all = append(all, g)
		}
	}
	return all
}
