package report

import (
	"fmt"
	"math"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// dayTotals are the events of each day of the period.
func dayTotals(f *figures.Figures) []int64 {
	totals := make([]int64, len(f.Period.Days))
	for i, d := range f.ErrorDays() {
		totals[i] = d.Events
	}
	return totals
}

// daysHeadline states what weekdays and weekends bring, and the busiest day.
func (r *Report) daysHeadline() string {
	f := r.Figures
	totals := dayTotals(f)
	busiest, sum, days := -1, [2]int64{}, [2]int64{}
	for i, d := range f.Period.Days {
		if totals[i] > 0 && (busiest < 0 || totals[i] > totals[busiest]) {
			busiest = i
		}
		if d.Whole {
			kind := 0
			if w := d.Date.Weekday(); w == time.Saturday || w == time.Sunday {
				kind = 1
			}
			sum[kind] += totals[i]
			days[kind]++
		}
	}
	if busiest < 0 {
		return "No events" + r.within()
	}
	day := chart.Day(r.date(f.Period.Days[busiest].Date))
	switch {
	case len(f.Period.Days) == 1:
		return chart.Plural(totals[busiest], "event") + " on " + day
	case days[0] > 0 && days[1] > 0:
		return fmt.Sprintf("Weekdays bring %s, weekends %s; the busiest day was %s: %s",
			chart.Plural(sum[0]/days[0], "event"), chart.Count(sum[1]/days[1]), day, chart.Count(totals[busiest]))
	case days[0]+days[1] > 0:
		return fmt.Sprintf("A full day brings %s; the busiest day was %s: %s",
			chart.Plural((sum[0]+sum[1])/(days[0]+days[1]), "event"), day, chart.Count(totals[busiest]))
	}
	return fmt.Sprintf("The busiest day was %s: %s", day, chart.Plural(totals[busiest], "event"))
}

// within names the period in a sentence.
func (r *Report) within() string {
	p := r.Figures.Period
	if p.From.IsZero() {
		return ""
	}
	return ", " + chart.Between(r.in(p.From), r.in(p.To))
}

// gap is a stretch of whole hours without events.
type gap struct{ from, to time.Time }

func (g gap) hours() int { return int(g.to.Sub(g.from) / time.Hour) }

// leastGap is the number of hours from which on a stretch without events is a finding.
const leastGap = 3

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
	most := fmt.Sprintf("%s an hour, most on %s", chart.Count(busiest.Total()), chart.Hour(r.in(busiest.Start)))
	if g, ok := r.longestGap(); ok {
		return fmt.Sprintf("No events for %s on %s; otherwise up to %s", chart.Plural(int64(g.hours()), "hour"), chart.Day(r.in(g.from)), most)
	}
	return "Up to " + most
}

// longestGap returns the longest stretch of at least leastGap hours without events inside the data that
// is pulled, if an hour without an event is unusual.
func (r *Report) longestGap() (longest gap, ok bool) {
	all := r.gaps()
	hours := 0
	for _, g := range all {
		hours += g.hours()
		if g.hours() > longest.hours() {
			longest = g
		}
	}
	return longest, longest.hours() >= leastGap && hours < len(r.Figures.Counts.Hours)/4
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

// weekCell is the mean number of events in an hour of the week.
type weekCell struct {
	// hours is the number of whole hours of this kind in the period, events those in them.
	hours, events int64
}

// mean is not a number for an hour that no full day has.
func (c weekCell) mean() float64 {
	if c.hours == 0 {
		return math.NaN()
	}
	return float64(c.events) / float64(c.hours)
}

// week adds up whole hours by weekday, from Monday on, and hour. Hours without events count as zero
// where the day is whole.
func week(f *figures.Figures) (cells [7][24]weekCell) {
	events := map[time.Time]*[24]int64{}
	for i := range f.Counts.Hours {
		h := &f.Counts.Hours[i]
		if events[h.Date] == nil {
			events[h.Date] = &[24]int64{}
		}
		events[h.Date][h.Of] += h.Total()
	}
	for _, d := range f.Period.Days {
		if !d.Whole {
			continue
		}
		row := &cells[(int(d.Date.Weekday())+6)%7]
		for of := range row {
			row[of].hours++
			if day := events[d.Date]; day != nil {
				row[of].events += day[of]
			}
		}
	}
	return cells
}

// weekHeadline states the busiest and the quietest hour of the week.
func (r *Report) weekHeadline() string {
	cells := week(r.Figures)
	var most, least weekCell
	var mostAt, leastAt string
	for day := range cells {
		for of, c := range cells[day] {
			if c.hours == 0 {
				continue
			}
			at := fmt.Sprintf("%s %02d:00", weekdays[day], of)
			if mostAt == "" || c.mean() > most.mean() {
				most, mostAt = c, at
			}
			if leastAt == "" || c.mean() < least.mean() {
				least, leastAt = c, at
			}
		}
	}
	switch {
	case mostAt == "":
		return "No full day yet, so no hour of the week can be compared"
	case most.events == 0:
		return "No events" + r.within()
	}
	return fmt.Sprintf("The busiest hour of the week is %s, %s an hour; the quietest %s, %s",
		mostAt, chart.Plural(int64(most.mean()+0.5), "event"), leastAt, chart.Count(int64(least.mean()+0.5)))
}

var weekdays = [7]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
