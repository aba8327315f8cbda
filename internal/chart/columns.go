package chart

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Columns are bars of one series: users a day below their mean over seven days, or the hours of a day with
// a tick for the usual value of each. Beyond a hundred bars each is the mean of a week, a month or a year.
type Columns struct {
	// Head.Unit is printed as it is, such as "active users".
	Head
	Format Format
	Color  Color
	Bars   []Bar
	// MeanOver is the number of whole bars in a row whose mean is drawn as a line, and MeanName its label,
	// such as "7-day mean". Zero: there is no line.
	MeanOver int
	MeanName string
	// UsualName is the label of the ticks at the bars' Usual, such as "usual hour". Empty: there are none.
	UsualName string
	// Mark names a bar. Nil: none.
	Mark *Mark
	// MarkNote is a second, muted line of the mark, such as "usual here: 32".
	MarkNote string
}

// Bar is the value of a span of time, an hour or a day.
type Bar struct {
	From, To time.Time
	State    State
	Value    float64
	Usual    float64
}

func (c Columns) hourly() bool {
	return len(c.Bars) > 0 && c.Bars[0].To.Sub(c.Bars[0].From) < 20*time.Hour
}

func (c Columns) bins() ([]bin, period) {
	if c.hourly() {
		bins := make([]bin, len(c.Bars))
		for i, b := range c.Bars {
			bins[i] = bin{b.From, b.To, b.State, []int{i}}
		}
		return bins, period{name: "hour"}
	}
	return group(len(c.Bars), func(i int) (time.Time, time.Time, State) {
		return c.Bars[i].From, c.Bars[i].To, c.Bars[i].State
	})
}

// over is the mean of a bar's whole members, and of all that have a value where none is whole.
func (c Columns) over(n bin) float64 {
	var whole, all, sum, sumWhole float64
	for _, i := range n.members {
		b := c.Bars[i]
		switch b.State {
		case Whole:
			whole++
			sumWhole += sane(b.Value)
			fallthrough
		case Unfinished:
			all++
			sum += sane(b.Value)
		}
	}
	switch {
	case whole > 0:
		return sumWhole / whole
	case all > 0:
		return sum / all
	}
	return 0
}

// meanAt is the mean over whole bars that end with bar i, if there are enough in a row.
func (c Columns) meanAt(i int) (float64, bool) {
	if c.MeanOver <= 0 || i+1 < c.MeanOver {
		return 0, false
	}
	sum := 0.0
	for k := i + 1 - c.MeanOver; k <= i; k++ {
		if c.Bars[k].State != Whole && c.Bars[k].State != Empty || k < i && !c.Bars[k].To.Equal(c.Bars[k+1].From) {
			return 0, false
		}
		if c.Bars[k].State == Whole {
			sum += sane(c.Bars[k].Value)
		}
	}
	return sum / float64(c.MeanOver), true
}

// Draw returns the bars.
func (c Columns) Draw() Drawing { return both(c.draw) }

func (c Columns) draw(f form) string {
	bins, unit := c.bins()
	most := 0.0
	for _, n := range bins {
		most = math.Max(most, c.over(n))
	}
	if c.UsualName != "" {
		for _, b := range c.Bars {
			most = math.Max(most, sane(b.Usual))
		}
	}
	for i := range c.Bars {
		if m, ok := c.meanAt(i); ok {
			most = math.Max(most, m)
		}
	}
	right := 6.0
	if c.MeanOver > 0 || c.UsualName != "" {
		right = pick(f, 112.0, 6.0)
	}
	p := newPlot(f, c.Head, c.describe(bins, unit), room{height: pick(f, 132.0, 126.0), right: right}, most, c.Format)
	words := c.Unit
	if unit.name != "day" && unit.name != "hour" {
		words += " (mean of a " + unit.name + ")"
	}
	b := newBands(len(bins), p.left, p.right-p.left)
	if !onlyEmpty(bins) {
		p.right = b.start(len(bins)) // a few bars have a short axis
	}
	p.axes(words)
	c.bars(p, b, bins)
	if onlyEmpty(bins) {
		p.blank(c.nothing())
	} else {
		p.blanks(blankRuns(b, bins))
	}
	c.mark(p, b, bins)
	c.usual(p, b, bins)
	p.zero()
	c.ticks(p, b, bins)
	c.mean(p, b, bins)
	if !f.narrow() {
		for i, n := range bins {
			p.tip(b.start(i), p.top, b.step, p.base-p.top, c.tipText(n, unit))
		}
	}
	return p.end()
}

func (c Columns) describe(bins []bin, unit period) string {
	best := -1
	for i, n := range bins {
		if n.state != Empty && n.state != Unpulled && (best < 0 || c.over(n) > c.over(bins[best])) {
			best = i
		}
	}
	if best < 0 {
		return "Bars. " + c.nothing() + "."
	}
	return "Bars, one a " + unit.name + ", from " + c.name(bins[0], unit) + " to " + c.name(bins[len(bins)-1], unit) +
		". The largest is " + c.Format.Word(c.over(bins[best])) + ", " + c.name(bins[best], unit) + "."
}

func (c Columns) name(n bin, unit period) string {
	if unit.name == "hour" {
		return Stamp(n.from)
	}
	return binName(n, unit)
}

func (c Columns) tipText(n bin, unit period) string {
	text := c.name(n, unit) + ": "
	if n.state == Empty || n.state == Unpulled {
		return text + n.state.String()
	}
	text += c.Format.Word(c.over(n))
	if n.state == Unfinished {
		text += ", " + n.state.String()
	}
	if c.UsualName != "" && len(n.members) == 1 {
		text += "\n" + c.UsualName + ": " + c.Format.Word(c.Bars[n.members[0]].Usual)
	}
	return text
}

func (c Columns) bars(p *plot, b bands, bins []bin) {
	var boxes, stripes strings.Builder
	for i, n := range bins {
		if n.state == Empty || n.state == Unpulled {
			continue
		}
		h := p.height(c.over(n))
		boxes.WriteString(box(b.x(i), p.base-h, b.bar, h))
		if n.state == Unfinished {
			stripes.WriteString(stripe(b.x(i), p.base-h, b.bar, h))
		}
	}
	p.path(string(c.Color), boxes.String())
	p.path("stripe", stripes.String())
}

// usual draws a tick at the usual value of each bar, on a halo that keeps it apart from the bar.
func (c Columns) usual(p *plot, b bands, bins []bin) {
	if c.UsualName == "" {
		return
	}
	var marks strings.Builder
	for i, n := range bins {
		if len(n.members) == 1 && n.state != Unpulled {
			y := math.Min(p.y(sane(c.Bars[n.members[0]].Usual)), p.base-1)
			marks.WriteString("M" + num(b.x(i)-0.5) + " " + num(y) + "h" + num(b.bar+1))
		}
	}
	p.path("halo", marks.String())
	p.path("usual l-k", marks.String())
	p.key(c.UsualName, "", p.right+10, p.y(c.lastUsual()))
}

func (c Columns) lastUsual() float64 {
	if len(c.Bars) == 0 {
		return 0
	}
	return sane(c.Bars[len(c.Bars)-1].Usual)
}

// key names a line: beside its end in the wide form, after a sample in the first row of the narrow one.
func (p *plot) key(name, value string, x, y float64) {
	if p.narrow() {
		words := strings.TrimSpace(name + " " + value)
		at := p.w - 2 - Width(words)
		if !p.free("", at-26, unitRow, words) {
			return // the unit is long; the words below the chart name the line too
		}
		p.write("", at, unitRow, words)
		p.line("line l-k", at-20, unitRow-4, at-5, unitRow-4)
		return
	}
	y = math.Min(math.Max(y, p.top+4), p.base-16)
	for _, move := range []float64{-32, 32, -64, 64} {
		if p.free("", x, y-3, name) && p.free("b", x, y+12, name) {
			break
		}
		y = math.Min(math.Max(y+move, p.top+4), p.base-16) // beside another key
	}
	if value == "" {
		p.line("line l-k", x, y, x+12, y)
		p.write("", x+17, y+4, name)
		return
	}
	p.write("", x, y-3, name)
	p.write("b", x, y+12, value)
}

func (c Columns) ticks(p *plot, b bands, bins []bin) {
	if len(bins) == 0 {
		return
	}
	from, to, x := bins[0].from, bins[len(bins)-1].to, timeToBand(b, bins)
	if !c.hourly() {
		p.timeAxis(timeTicks(from, to, 24*time.Hour, x, 0, p.w))
		return
	}
	if !sameDay(from, to.Add(-1)) {
		p.timeAxis(timeTicks(from, to, time.Hour, x, 0, p.w))
		return
	}
	for _, step := range []int{1, 2, 3, 6, 12} {
		if ticks, ok := hoursOfDay(step).place(from, to, x, 0, p.w); ok {
			p.timeAxis(ticks)
			return
		}
	}
}

// mean draws the mean of whole bars. Each of its points is at the last of them.
func (c Columns) mean(p *plot, b bands, bins []bin) {
	var line [][2]float64
	var all strings.Builder
	var last float64
	var alone [][2]float64
	flush := func() {
		if len(line) > 1 {
			all.WriteString(polyline(line))
		} else {
			alone = append(alone, line...)
		}
		line = nil
	}
	for k, n := range bins {
		for j, i := range n.members {
			m, ok := c.meanAt(i)
			if !ok {
				flush()
				continue
			}
			// A bar of several days has points of several of them, two units apart: more would not be seen.
			if apart := 2 * float64(len(n.members)) / b.step; apart > 1 && i < len(c.Bars)-1 && j%int(apart) > 0 {
				continue
			}
			x := b.start(k) + b.step*(float64(j)+0.5)/float64(len(n.members))
			line = append(line, [2]float64{x, p.y(m)})
			last = m
		}
	}
	flush()
	if all.Len() == 0 && len(alone) == 0 || onlyEmpty(bins) {
		return
	}
	p.path("under", all.String())
	p.path("mean l-k", all.String())
	for _, at := range alone {
		p.dot("ringed", at[0], at[1], 3.6)
	}
	p.key(c.MeanName, c.Format.Word(math.Round(last*1000)/1000), p.right+10, p.y(last))
}

// mark names a bar beside its top. A bar that is alone has its value above it.
func (c Columns) mark(p *plot, b bands, bins []bin) {
	if c.Mark == nil {
		if len(bins) == 1 && bins[0].state != Empty && bins[0].state != Unpulled {
			class, x, word, y := "b c", b.mid(0), c.Format.Word(c.over(bins[0])), p.y(c.over(bins[0]))-5
			if !p.free(class, x, y, word) {
				class, x = "b", b.x(0)
			}
			p.write(class, x, y, word)
		}
		return
	}
	at := slices.IndexFunc(bins, func(n bin) bool { return !c.Mark.At.Before(n.from) && c.Mark.At.Before(n.to) })
	if at < 0 {
		return
	}
	y := p.y(c.over(bins[at])) + 10
	class, x := "e", b.x(at)-8
	if x-math.Max(BoldWidth(c.Mark.Words), Width(c.MarkNote)) < p.left {
		class, x = "", b.x(at)+b.bar+8
	}
	p.write(strings.TrimSpace("b halo "+class), x, y, c.Mark.Words)
	if c.MarkNote != "" {
		p.write(strings.TrimSpace("m halo "+class), x, y+15, c.MarkNote)
	}
}

// Table returns a row a bar.
func (c Columns) Table() Table {
	bins, unit := c.bins()
	head := capital(unit.name)
	if len(bins) > 0 {
		head += " (" + zoneName(bins[0].from) + ")"
	}
	t := Table{Name: c.Unit, Columns: []Column{{head, false}, {c.Unit, true}}}
	if c.MeanOver > 0 && unit.name == "day" {
		t.Columns = append(t.Columns, Column{c.MeanName, true})
	}
	if c.UsualName != "" {
		t.Columns = append(t.Columns, Column{c.UsualName, true})
	}
	var notes marks
	for _, n := range bins {
		row := []string{notes.row(n, unit)}
		if unit.name == "hour" {
			row[0] = strings.Replace(row[0], DayYear(n.from), Hour(n.from), 1)
		}
		switch n.state {
		case Unpulled:
			row = append(row, "–")
			notes.gap = true
		case Empty:
			row = append(row, c.Format.Word(0))
		default:
			row = append(row, c.Format.Word(math.Round(c.over(n)*1e4)/1e4))
		}
		if c.MeanOver > 0 && unit.name == "day" {
			cell := "–"
			if m, ok := c.meanAt(n.members[0]); ok {
				cell = c.Format.Word(m)
			}
			row = append(row, cell)
		}
		if c.UsualName != "" {
			row = append(row, c.Format.Word(c.Bars[n.members[0]].Usual))
		}
		t.Rows = append(t.Rows, row)
	}
	t.Note = notes.String()
	return t
}
