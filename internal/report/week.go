package report

import (
	"fmt"
	"math"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// weekSection shows the mean of each hour of the week.
func (r *Report) weekSection() Section {
	heat := chart.Heat{Head: chart.Head{Title: "Mean events an hour by weekday and hour", Unit: "events an hour, mean", Nothing: "no full day yet"}}
	cells := week(r.Figures)
	for day := range cells {
		for of, c := range cells[day] {
			heat.Cells[day][of] = c.mean()
		}
	}
	return Section{
		ID: "week", Short: "Week", Kicker: "Hour of day by weekday", Headline: r.weekHeadline(),
		Note: "Mean of all full days in the period, in " + r.zone() + ". Days that are not whole do not count.", Figures: []Figure{figure("", heat)},
	}
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
			at := fmt.Sprintf("%s"+nbsp+"%02d:00", weekdays[day], of)
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
	of := "The busiest hour of the week is"
	for i := range cells {
		if cells[i][0].hours == 0 {
			of = "Of the full days, the busiest hour is" // not of a whole week
		}
	}
	return fmt.Sprintf("%s %s, %s an hour; the quietest %s, %s",
		of, mostAt, chart.Plural(int64(most.mean()+0.5), "event"), leastAt, chart.Count(int64(least.mean()+0.5)))
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

var weekdays = [7]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
