package chart

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Pull is what a pull did on one axis of clock time: a step chart for each endpoint, all on one scale, and
// below them a strip for each reason to wait.
type Pull struct {
	// Head.Unit is that of the steps, such as "events a second".
	Head
	From, To time.Time
	// Bucket is the span of one value of the steps. The first one starts at From.
	Bucket time.Duration
	Steps  []Steps
	Strips []Strip
}

// Steps is the course of one endpoint.
type Steps struct {
	Name  string
	Note  string // a second line, such as "127,834 events"
	Color Color
	// Values are means over a bucket, in the chart's unit.
	Values []float64
}

// Strip is a row of spans, such as the waits of an endpoint for one reason, or of instants, such as its 429
// answers.
type Strip struct {
	Endpoint string // empty: all
	Reason   string
	// Count, Ordered and Actual are sums for the note and the table. Zero Count hides the strip's note.
	Count           int64
	Ordered, Actual time.Duration
	Spans           []TimeSpan
	Instants        []time.Time
}

// TimeSpan is a range of time.
type TimeSpan struct{ From, To time.Time }

func (s Strip) name() string {
	if s.Endpoint == "" {
		return Visible(s.Reason)
	}
	return Visible(s.Endpoint) + ": " + Visible(s.Reason)
}

func (s Strip) note() string {
	switch {
	case s.Count == 0:
		return ""
	case len(s.Instants) > 0:
		return Count(s.Count)
	default:
		return Plural(s.Count, "wait") + ", " + Span(s.Actual)
	}
}

// Draw returns the steps and the strips.
func (c Pull) Draw() Drawing { return both(c.draw) }

// pullDrawing is a pull on its canvas.
type pullDrawing struct {
	Pull
	*canvas
	form
	left, right float64 // of the time axis
}

func (d pullDrawing) x(t time.Time) float64 {
	span := max(d.To.Sub(d.From), time.Second)
	at := float64(t.Sub(d.From)) / float64(span)
	return d.left + math.Min(math.Max(at, 0), 1)*(d.right-d.left)
}

// buckets joins neighbours until they fit in a form. It returns their values, and the span of one.
func (c Pull) buckets(values []float64, limit int) ([]float64, time.Duration) {
	most := int(max(c.To.Sub(c.From), time.Second)/max(c.Bucket, time.Millisecond)) + 1
	join := max(1, (most+limit-1)/limit)
	var joined []float64
	for part := range slices.Chunk(values, join) {
		sum := 0.0
		for _, v := range part {
			sum += sane(v)
		}
		joined = append(joined, sum/float64(len(part)))
	}
	return joined, time.Duration(join) * c.Bucket
}

func (c Pull) draw(f form) string {
	stepHeight, stripHeight := pick(f, 84.0, 106.0), pick(f, 24.0, 35.0)
	top := pick(f, 8.0, 4.0)
	strips := top + stepHeight*float64(len(c.Steps)) + pick(f, 22.0, 28.0)
	axis := strips + stripHeight*float64(len(c.Strips)) + 4
	d := pullDrawing{c, newCanvas(f.class, f.width, axis+26, c.Title, c.describe()), f,
		pick(f, 172.0, 44.0), pick(f, f.width-138, f.width-4)}
	limit := pick(f, 110, 75)
	most := 0.0
	span := c.Bucket
	values := make([][]float64, len(c.Steps))
	for i, s := range c.Steps {
		values[i], span = c.buckets(s.Values, limit)
		most = math.Max(most, slices.Max(append(values[i], 0)))
	}
	for i, s := range c.Steps {
		d.steps(s, values[i], span, most, top+stepHeight*float64(i), stepHeight)
	}
	if len(c.Steps) > 0 {
		d.text("m", pick(f, d.left, 0), strips-pick(f, 10.0, 18.0), c.Unit+", mean of "+Span(span))
	}
	for i, s := range c.Strips {
		d.strip(s, strips+stripHeight*float64(i), stripHeight)
	}
	d.axis(axis)
	return d.end()
}

func (c Pull) describe() string {
	var parts []string
	for _, s := range c.Steps {
		parts = append(parts, Label(s.Name)+" "+s.Note)
	}
	for _, s := range c.Strips {
		parts = append(parts, s.name()+" "+s.note())
	}
	return "Steps and strips over the clock time of a pull, " + Stamp(c.From) + " to " + Stamp(c.To) + ": " + strings.Join(parts, "; ") + "."
}

// steps draws one endpoint. Columns touch, because each value is a mean over its whole span.
func (d pullDrawing) steps(s Steps, values []float64, span time.Duration, most, top, height float64) {
	p := &plot{canvas: d.canvas, form: d.form, left: d.left, right: d.right, top: top + pick(d.form, 4.0, 24.0), base: top + height - pick(d.form, 14.0, 14.0)}
	p.scale = newScale(most, false, p.base, p.base-p.top)
	// Two lines are enough for a small chart.
	if len(p.ticks()) > 3 {
		p.step = p.scale.top / 2
	}
	if d.narrow() {
		d.text("m e", d.w, top+8, s.Note)
		d.text("b", 0, top+8, FitBold(s.Name, d.w-Width(s.Note)-12))
	} else {
		d.text("b", 0, p.top+8, FitBold(s.Name, d.left-48))
		for i, l := range wrap(s.Note, d.left-48) {
			d.text("m", 0, p.top+25+15*float64(i), l)
		}
	}
	var grid, boxes strings.Builder
	ticks := p.ticks()
	if p.max == 0 {
		ticks = ticks[:1]
	}
	for _, v := range ticks {
		y := math.Round(p.y(v))
		if v > 0 {
			grid.WriteString("M" + num(d.left) + " " + num(y) + "H" + num(d.right))
		}
		d.text("m e", d.left-7, y+4, Short(v))
	}
	for i, v := range values {
		x1, x2 := d.x(d.From.Add(time.Duration(i)*span)), d.x(d.From.Add(time.Duration(i+1)*span))
		boxes.WriteString(box(x1, p.y(v), x2-x1, p.base-p.y(v)))
	}
	d.path("grid", grid.String())
	d.path(string(s.Color), boxes.String())
	p.zero()
}

// strip draws one row. Spans thinner than a unit are one unit wide, and those that touch are one.
func (d pullDrawing) strip(s Strip, top, height float64) {
	base := top + height - 7
	note := s.note()
	if d.narrow() {
		d.text("m e", d.w, top+6, note)
		d.text("", 0, top+6, Fit(s.name(), d.w-Width(note)-12))
	} else {
		d.text("m e", d.w, base-1, note)
		d.text("", 0, base-1, Fit(s.name(), d.left-14))
	}
	d.line("grid", d.left, base+1.5, d.right, base+1.5)
	spans := make([][2]float64, 0, len(s.Spans))
	for _, w := range s.Spans {
		x1, x2 := d.x(w.From), d.x(w.To)
		if x2-x1 < 1.2 {
			x1 = math.Min(x1, d.right-1.2)
			x2 = x1 + 1.2
		}
		spans = append(spans, [2]float64{x1, x2})
	}
	var boxes, ticks strings.Builder
	for _, w := range union(spans, 0.4) {
		boxes.WriteString(box(w[0], base-10, w[1]-w[0], 10))
	}
	marks := make([][2]float64, 0, len(s.Instants))
	for _, t := range s.Instants {
		x := math.Min(d.x(t), d.right-0.8)
		marks = append(marks, [2]float64{x, x + 0.01})
	}
	for _, m := range union(marks, 0.3) {
		ticks.WriteString(box(m[0], base-10, math.Max(m[1]-m[0], 1.5), 10))
	}
	d.path(string(Slate), boxes.String())
	d.path(string(Red), ticks.String())
	if !d.narrow() {
		d.tips(s, base)
	}
}

// tips lets a pointer read each wait of a strip that has few.
func (d pullDrawing) tips(s Strip, base float64) {
	const most, least = 40, 5.0
	if len(s.Spans) > most {
		return
	}
	for _, w := range s.Spans {
		x1, x2 := d.x(w.From), d.x(w.To)
		if x2-x1 < least {
			x1 = math.Max(math.Min((x1+x2-least)/2, d.right-least), d.left)
			x2 = x1 + least
		}
		d.tip(x1, base-11, x2-x1, 12, s.name()+", "+Clock(w.From)+"–"+Clock(w.To)+": "+Span(w.To.Sub(w.From)))
	}
}

// union joins spans that overlap or are less than gap apart.
func union(spans [][2]float64, gap float64) [][2]float64 {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b [2]float64) int {
		switch {
		case a[0] < b[0]:
			return -1
		case a[0] > b[0]:
			return 1
		}
		return 0
	})
	var joined [][2]float64
	for _, s := range spans {
		if k := len(joined) - 1; k >= 0 && s[0] <= joined[k][1]+gap {
			joined[k][1] = math.Max(joined[k][1], s[1])
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

func (d pullDrawing) axis(y float64) {
	var marks strings.Builder
	to := d.To
	if to.Sub(d.From) < time.Second {
		to = d.From.Add(time.Second)
	}
	for _, k := range timeTicks(d.From, to, time.Second, d.x, 0, d.w) {
		marks.WriteString("M" + num(k.x) + " " + num(y) + "v5")
		start, _ := clamp(k.x, Width(k.label), 0, d.w)
		d.text("m", start, y+axisRow, k.label)
	}
	d.path("tick", marks.String())
}

// Table returns a row for each strip.
func (c Pull) Table() Table {
	t := Table{Name: "waits by endpoint and reason", Columns: []Column{
		{"endpoint", false}, {"reason", false}, {"count", true}, {"ordered", true}, {"actual", true},
	}}
	for _, s := range c.Strips {
		endpoint := Visible(s.Endpoint)
		if endpoint == "" {
			endpoint = "all"
		}
		row := []string{endpoint, Visible(s.Reason), Count(s.Count), Span(s.Ordered), Span(s.Actual)}
		if len(s.Instants) > 0 || s.Ordered == 0 && s.Actual == 0 {
			row[3], row[4] = "–", "–"
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
