package chart

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Rate is the speed of a running pull over the last minutes, stacked by endpoint.
type Rate struct {
	// Head.Unit is printed as it is, such as "events a second, last 5 minutes".
	Head
	Series []Series
	// Bucket is the span of one value, and Values has those of each series from old to new, in the unit. The
	// last bucket ends now. Missing ones are at the start, so that the newest is always at the right.
	Bucket time.Duration
	Values [][]float64
	// Buckets is the number of buckets of the axis.
	Buckets int
	// AtLeast keeps the axis from shrinking on a live page: pass the largest sum that was ever drawn.
	AtLeast float64
}

// Draw returns the stacked steps.
func (r Rate) Draw() Drawing { return both(r.draw) }

// value is that of a series in bucket i of the axis, which counts from the left.
func (r Rate) value(series, i int) float64 {
	values := r.Values[series]
	if k := i - r.Buckets + len(values); k >= 0 && k < len(values) {
		return sane(values[k])
	}
	return 0
}

// Largest is the largest sum of a bucket, which AtLeast of a later drawing takes.
func (r Rate) Largest() float64 {
	most := sane(r.AtLeast)
	for i := range r.Buckets {
		sum := 0.0
		for s := range r.shown() {
			sum += r.value(s, i)
		}
		most = math.Max(most, sum)
	}
	return most
}

func (r Rate) shown() int { return min(len(r.Series), len(r.Values)) }

func (r Rate) draw(f form) string {
	span := time.Duration(r.Buckets) * r.Bucket
	desc := "Stacked steps of the last " + Span(span) + "."
	for s := range r.shown() {
		desc += " " + Label(r.Series[s].Name) + ": " + Decimal(r.value(s, r.Buckets-1)) + " now."
	}
	p := newPlot(f, r.Head, desc, room{height: pick(f, 84.0, 84.0), right: pick(f, 142.0, 6.0), below: pick(f, 0.0, 20.0)}, r.Largest(), Counts)
	p.axes(r.Unit)
	width := (p.right - p.left) / float64(max(r.Buckets, 1))
	sums := make([]float64, r.Buckets)
	for s := range r.shown() {
		var boxes strings.Builder
		for i := range r.Buckets {
			v := r.value(s, i)
			low, high := p.y(sums[i]), p.y(sums[i]+v)
			boxes.WriteString(box(p.left+width*float64(i), high, width, low-high))
			sums[i] += v
		}
		p.path(fill(r.Series[s].Color), boxes.String())
	}
	p.zero()
	p.timeAxis(r.ticks(p, span))
	r.labels(p)
	return p.end()
}

// ticks count back from now, in minutes or, for a short span, in seconds.
func (r Rate) ticks(p *plot, span time.Duration) []tick {
	step, unit := time.Minute, "min"
	for span > 6*step {
		step *= 2
	}
	if span < 2*time.Minute {
		step, unit = 15*time.Second, "s"
	}
	var ticks []tick
	for back := span / step * step; back > 0; back -= step {
		n := back / time.Minute
		if unit == "s" {
			n = back / time.Second
		}
		ticks = append(ticks, tick{p.right - (p.right-p.left)*float64(back)/float64(span), "−" + strconv.Itoa(int(n)) + nbsp + unit})
	}
	return append(ticks, tick{p.right, "now"})
}

// labels names the series: at the right from the top of the stack, or in a row below the narrow form.
func (r Rate) labels(p *plot) {
	x, y := p.right+22, p.top+2
	if p.narrow() {
		x, y = 0, p.base+axisRow+15
	}
	for s := r.shown() - 1; s >= 0; s-- {
		name := Fit(r.Series[s].Name, pick(p.form, p.w-x-15, 150))
		p.swatch(r.Series[s].Color, x, y-5)
		p.write("", x+15, y+4, name)
		if p.narrow() {
			x += 15 + Width(name) + 20
		} else {
			y += 18
		}
	}
}

// Table returns a row a bucket, oldest first.
func (r Rate) Table() Table {
	t := Table{Name: r.Unit, Columns: []Column{{"ago", false}}}
	for s := range r.shown() {
		t.Columns = append(t.Columns, Column{Visible(r.Series[s].Name), true})
	}
	for i := range r.Buckets {
		row := []string{Span(time.Duration(r.Buckets-1-i) * r.Bucket)}
		for s := range r.shown() {
			row = append(row, Decimal(r.value(s, i)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
