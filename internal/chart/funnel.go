package chart

import "strconv"

// Funnel is how many go from step to step. Its bars begin at one edge, so that they compare by length.
type Funnel struct {
	Head
	// Item names the things that are counted, such as "sessions".
	Item  string
	Steps []Step
}

// Step is one bar of a [Funnel]. Its count is at most that of the step before.
type Step struct {
	Name  string
	Count int64
	Color Color
}

// clean are the steps with counts that a bar can have.
func (f Funnel) clean() Funnel {
	steps := make([]Step, len(f.Steps))
	for i, step := range f.Steps {
		step.Count = countOf(step.Count)
		steps[i] = step
	}
	f.Steps = steps
	return f
}

// Draw returns the drawing.
func (f Funnel) Draw() Drawing { return both(f.clean().draw) }

func (f Funnel) draw(form form) string {
	pitch, thick := pick(form, 50.0, 62.0), pick(form, 26.0, 20.0)
	steps := f.Steps
	first := int64(0)
	if len(steps) > 0 {
		first = steps[0].Count
	}
	height := pitch*float64(max(len(steps), 1)) - 16
	c := newCanvas(form.class, form.width, height, f.Title, f.describe())
	if first == 0 {
		c.line("axis", 0.5, 0, 0.5, height)
		c.text("", 12, height/2+4, sentence(f.nothing(), form.width-12))
		return c.end()
	}
	start, bars, counts := 0.0, form.width, 0.0
	if !form.narrow() {
		for _, step := range steps {
			start = max(start, BoldWidth(Label(step.Name)))
			counts = max(counts, BoldWidth(Count(step.Count)))
		}
		start = min(start, 170) + 14
		bars = form.width - start - counts - 12 - Width("99.9 % of all") - 20
	}
	for i, step := range steps {
		y := pitch * float64(i)
		bar := y
		if form.narrow() {
			bar = y + 17
		}
		share := float64(step.Count) / float64(first)
		c.track(start, bar, bars, thick)
		c.bar(step.Color, start, bar, barLength(float64(step.Count), float64(first), bars), thick)
		if form.narrow() {
			figures := Count(step.Count) + " · " + ofAll(i, share)
			c.text("e", form.width, y+12, figures)
			c.text(nameClass("b", step.Name), 0, y+12, FitBold(step.Name, form.width-Width(figures)-12))
		} else {
			c.text(nameClass("b", step.Name), 0, bar+17, FitBold(step.Name, start-14))
			c.text("b", start+bars+12, bar+17, Count(step.Count))
			c.text("m e", form.width, bar+17, ofAll(i, share))
			c.tip(0, bar, form.width, thick, fullText(step.Name)+": "+Count(step.Count)+" "+f.Item+", "+tenthOfAll(share))
		}
		if i+1 < len(steps) && step.Count > 0 {
			c.text("m", start, bar+thick+13, goOn(step, steps[i+1]))
		}
	}
	return c.end()
}

func ofAll(step int, share float64) string {
	if step == 0 {
		return "all"
	}
	return tenthOfAll(share)
}

func tenthOfAll(share float64) string {
	if share == 0 {
		return "0" + nbsp + "% of all"
	}
	return Tenth(share) + " of all"
}

func goOn(from, to Step) string {
	return "↓ " + Percent(float64(to.Count)/float64(from.Count)) + " go on"
}

func (f Funnel) describe() string {
	if len(f.Steps) == 0 || f.Steps[0].Count == 0 {
		return f.nothing() + "."
	}
	s := strconv.Itoa(len(f.Steps)) + " steps."
	for i, step := range f.Steps {
		s += " " + fullText(step.Name) + ": " + Count(step.Count)
		if i > 0 {
			s += ", " + tenthOfAll(shareOf(float64(step.Count), float64(f.Steps[0].Count)))
		}
		s += "."
	}
	return s
}

// Table returns each step with its shares of all and of the step before.
func (f Funnel) Table() Table {
	f = f.clean()
	t := Table{Name: lowerFirst(f.Title), Columns: []Column{{Name: "step"}, {Name: f.Item, Number: true}, {Name: "of all", Number: true}, {Name: "of the step before", Number: true}}}
	for i, step := range f.Steps {
		before := "–"
		if i > 0 && f.Steps[i-1].Count > 0 {
			before = Tenth(float64(step.Count) / float64(f.Steps[i-1].Count))
		}
		t.Rows = append(t.Rows, []string{fullText(step.Name), Count(step.Count), Tenth(shareOf(float64(step.Count), float64(f.Steps[0].Count))), before})
	}
	return t
}
