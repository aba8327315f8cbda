package chart

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// Cohort is retention: how many of those first seen in a week come back in the weeks after it.
type Cohort struct {
	Head
	// Item names the things that are counted, such as "users".
	Item  string
	Weeks []Week
	// Ends is the end of the data, which a note names beside weeks that are not over.
	Ends time.Time
}

// Week is a row of a [Cohort].
type Week struct {
	Start time.Time // its first instant
	Count int64     // first seen in it
	// Back has the weeks from this one on: how many of Count are seen in each.
	Back []Return
}

// Return is a cell of a [Cohort].
type Return struct {
	Count int64
	State State // Whole, or Unfinished for a week that is not over
}

// A drawing has at most as many weeks as these; the table has all.
const (
	cohortRows    = 12
	cohortColumns = 12
	cohortNarrow  = 6

	cohortTop   = 24.0 // where the first row begins
	cohortPitch = 30.0 // from row to row
)

// name is the days of a week: "29 Dec–4 Jan", or "12–18 Jan".
func (w Week) name() string {
	last := w.Start.AddDate(0, 0, 6)
	if w.Start.Month() == last.Month() {
		return strconv.Itoa(w.Start.Day()) + "–" + last.Format("2 Jan")
	}
	return w.Start.Format("2 Jan") + "–" + last.Format("2 Jan")
}

// share is the part of a week's cohort that is seen in a later one.
func (w Week) share(r Return) float64 { return shareOf(float64(r.Count), float64(w.Count)) }

// drawn are the last weeks, as many as a drawing has.
func (c Cohort) drawn() []Week { return c.Weeks[max(0, len(c.Weeks)-cohortRows):] }

// columns is the number of weeks after the first that the table has, and the first itself.
func (c Cohort) columns(weeks []Week) int {
	n := 0
	for _, w := range weeks {
		n = max(n, len(w.Back))
	}
	return n
}

// cohortCounts is where the counts of the weeks end.
func cohortCounts(f form) float64 { return pick(f, 178.0, 100.0) }

// start is where the cells begin, and cell is how wide they are with the gap after them.
func (c Cohort) start(f form) float64 { return cohortCounts(f) + pick(f, 14.0, 8.0) }

func (c Cohort) cell(f form, columns int) float64 {
	return min((f.width-c.start(f))/float64(columns), pick(f, 104.0, 52.0))
}

// clean are the weeks with counts that a cell can have.
func (c Cohort) clean() Cohort {
	weeks := make([]Week, len(c.Weeks))
	for i, week := range c.Weeks {
		week.Count = countOf(week.Count)
		week.Back = slices.Clone(week.Back)
		for n := range week.Back {
			week.Back[n].Count = min(countOf(week.Back[n].Count), week.Count)
		}
		weeks[i] = week
	}
	c.Weeks = weeks
	return c
}

// Draw returns the drawing.
func (c Cohort) Draw() Drawing { return both(c.clean().draw) }

func (c Cohort) draw(f form) string {
	const top, pitch = cohortTop, cohortPitch
	weeks := c.drawn()
	columns := min(c.columns(weeks), pick(f, cohortColumns, cohortNarrow))
	notes := c.notes(f, columns)
	height := top + pitch*float64(max(len(weeks), 1)) + 18*float64(len(notes))
	if len(notes) > 0 {
		height += 4
	}
	v := newCanvas(f.class, f.width, height, c.Title, c.describe())
	if columns == 0 {
		v.line("axis", 0.5, top, 0.5, top+pitch)
		v.text("", 12, top+19, sentence(c.nothing(), f.width-12))
		return v.end()
	}
	counts := cohortCounts(f)
	start, cell := c.start(f), c.cell(f, columns)
	v.text("m", 0, 13, pick(f, "first seen in the week of", "week of"))
	if f.narrow() {
		v.text("m e", counts, 13, Fit(c.Item, 44))
	}
	for n := range columns {
		v.text("m c", start+(float64(n)+0.5)*cell-1, 13, columnName(n, cell))
	}
	c.cells(v, weeks, columns, start, cell)
	for i, week := range weeks {
		y := top + pitch*float64(i)
		name, count := week.name(), Count(week.Count)+" "+c.Item
		if f.narrow() {
			name, count = week.Start.Format("2 Jan"), Count(week.Count)
		}
		v.text("", 0, y+18, name)
		if Width(name)+10+Width(count) > counts {
			count = Short(float64(week.Count))
		}
		v.text("m e", counts, y+18, count)
	}
	for i, note := range notes {
		v.text("m", 0, height-4-18*float64(len(notes)-1-i), sentence(note, f.width))
	}
	return v.end()
}

// cells draws the shares: the fills first, so that texts are above them, and the tooltips last.
func (c Cohort) cells(v *canvas, weeks []Week, columns int, start, cell float64) {
	fills, frames, bars := "", "", ""
	each := func(do func(week Week, n int, back Return, x, y, w, h float64)) {
		for i, week := range weeks {
			for n, back := range week.Back[:min(len(week.Back), columns)] {
				do(week, n, back, start+float64(n)*cell, cohortTop+cohortPitch*float64(i), cell-2, cohortPitch-2)
			}
		}
	}
	each(func(week Week, _ int, back Return, x, y, w, h float64) {
		fills += box(x, y, w, h)
		bars += box(x, y+h-4, barLength(week.share(back), 1, w), 4)
		if back.State == Unfinished {
			frames += box(x+0.5, y+0.5, w-1, h-1)
		}
	})
	v.path("band", fills)
	v.path(string(Slate), bars)
	v.path("frame", frames)
	each(func(week Week, _ int, back Return, x, y, w, _ float64) {
		v.text("c", x+w/2, y+16, atLeast(0.01, week.share(back)))
	})
	if v.w == NarrowUnits {
		return
	}
	each(func(week Week, n int, back Return, x, y, w, h float64) {
		v.tip(x, y, w, h, c.cellWords(week, n, back))
	})
}

// columnName heads the cells of a week: "same week", "1 week later", or "+1" where that has no room.
func columnName(n int, cell float64) string {
	name := Plural(int64(n), "week") + " later"
	if n == 0 {
		name = "same week"
	}
	switch {
	case Width("12 weeks later") <= cell-4:
		return name
	case n == 0:
		return "same"
	default:
		return "+" + strconv.Itoa(n)
	}
}

// notes say what the drawing cannot, a line each.
func (c Cohort) notes(f form, columns int) []string {
	var notes []string
	weeks := c.drawn()
	dashed := false
	for _, w := range weeks {
		for _, back := range w.Back[:min(len(w.Back), columns)] {
			dashed = dashed || back.State == Unfinished
		}
	}
	if columns > 1 && columnName(1, c.cell(f, columns)) == "+1" {
		notes = append(notes, "+1: a week later.")
	}
	if dashed && f.narrow() {
		notes = append(notes, "Dashed: week not over.")
	} else if dashed {
		notes = append(notes, "Dashed: week not over, the data end "+Hour(c.Ends)+".")
	}
	if f.narrow() && len(notes) == 2 {
		notes = []string{notes[0] + " " + notes[1]}
	}
	if all := c.columns(c.Weeks); all > columns || len(weeks) < len(c.Weeks) {
		notes = append(notes, "The table has all "+Plural(int64(len(c.Weeks)), "week")+".")
	}
	return notes
}

// cellWords is a cell in words.
func (c Cohort) cellWords(week Week, n int, back Return) string {
	s := week.name() + ", " + lowerFirst(columnName(n, math.Inf(1))) + ": " + Count(back.Count) + " of " + Count(week.Count) + " " + c.Item + ", " + Percent(week.share(back))
	if back.State == Unfinished {
		s += ", week not over"
	}
	return s
}

func (c Cohort) describe() string {
	if c.columns(c.Weeks) == 0 {
		return c.nothing() + "."
	}
	s := Plural(int64(len(c.Weeks)), "week") + ", and how many of each come back in the weeks after it."
	for i := len(c.Weeks) - 1; i >= 0; i-- {
		// The last week with a whole one after it is the newest answer to "who comes back".
		if back := c.Weeks[i].Back; len(back) > 1 && back[1].State == Whole {
			return s + " " + c.cellWords(c.Weeks[i], 1, back[1]) + "."
		}
	}
	return s
}

// Table returns all weeks: counts with their shares, and * on a week that is not over.
func (c Cohort) Table() Table {
	c = c.clean()
	t := Table{Name: lowerFirst(c.Title), Columns: []Column{{Name: "first seen in the week of"}, {Name: c.Item, Number: true}}}
	columns := c.columns(c.Weeks)
	for n := range columns {
		t.Columns = append(t.Columns, Column{Name: columnName(n, math.Inf(1)), Number: true})
	}
	star := false
	for _, week := range c.Weeks {
		cells := []string{week.name(), Count(week.Count)}
		for n := range columns {
			word := ""
			if n < len(week.Back) {
				back := week.Back[n]
				word = Count(back.Count) + " (" + Percent(week.share(back)) + ")"
				if back.State == Unfinished {
					word += "*"
					star = true
				}
			}
			cells = append(cells, word)
		}
		t.Rows = append(t.Rows, cells)
	}
	if star {
		t.Note = "* is a week that is not over; the data end " + Stamp(c.Ends) + "."
	}
	return t
}
