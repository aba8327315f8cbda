package chart

import (
	"math"
	"strings"
	"time"
)

// mostLanes is the number of lanes beyond which the oldest ones become one.
const mostLanes = 8

// Lanes are rows on the time axis of events: the windows that pulls read, with gaps of the API told from
// time that is not yet pulled.
type Lanes struct {
	Head
	From, To time.Time
	// Lanes are in order from old to new. Beyond eight, the oldest are drawn as one.
	Lanes []Lane
}

// Lane is one window.
type Lane struct {
	Name string // such as "window 1"
	Note string // such as "pulled Tue 20 Jan 08:02"
	// Spans are parts of the window: Whole ones were walked and have events.
	Spans []LaneSpan
}

// LaneSpan is a part of a lane in one state.
type LaneSpan struct {
	From, To time.Time
	State    State
}

// Draw returns the lanes, an axis, and what the states look like.
func (l Lanes) Draw() Drawing { return both(l.draw) }

// fitting merges the oldest lanes where there are too many.
func (l Lanes) fitting() []Lane {
	extra := len(l.Lanes) - mostLanes
	if extra <= 0 {
		return l.Lanes
	}
	older := Lane{Name: Count(int64(extra+1)) + " older", Note: "drawn as one"}
	for _, lane := range l.Lanes[:extra+1] {
		older.Spans = append(older.Spans, lane.Spans...)
	}
	return append([]Lane{older}, l.Lanes[extra+1:]...)
}

func (l Lanes) has(state State) bool {
	for _, lane := range l.Lanes {
		for _, s := range lane.Spans {
			if s.State == state {
				return true
			}
		}
	}
	return false
}

func (l Lanes) draw(f form) string {
	lanes := l.fitting()
	row, top := pick(f, 26.0, 36.0), 4.0
	left, right := pick(f, 240.0, 4.0), f.width-4
	if !f.narrow() {
		for _, lane := range lanes {
			left = math.Max(left, math.Min(noteAt(f, FitBold(lane.Name, laneName))+Width(lane.Note)+6, 300))
		}
	}
	axis := top + row*math.Max(float64(len(lanes)), 1)
	keyRows := pick(f, 1.0, 2.0)
	c := newCanvas(f.class, f.width, axis+38+18*keyRows, l.Title, l.describe())
	x := func(t time.Time) float64 {
		at := t.Sub(l.From).Seconds() / math.Max(l.To.Sub(l.From).Seconds(), 1)
		return left + math.Min(math.Max(at, 0), 1)*(right-left)
	}
	for i, lane := range lanes {
		y := top + row*float64(i)
		base := y + row - 10
		name := FitBold(lane.Name, laneName)
		c.text("b", 0, pick(f, base-1, y+9), name)
		at := noteAt(f, name)
		c.text("m", at, pick(f, base-1, y+9), Fit(lane.Note, pick(f, left, right)-at-6))
		c.line("grid", left, base+2, right, base+2)
		c.lane(lane, x, base)
		if !f.narrow() && len(lane.Spans) <= 40 {
			for _, s := range lane.Spans {
				x1, x2 := x(s.From), math.Max(x(s.To), x(s.From)+4)
				c.tip(math.Min(x1, right-4), base-12, x2-x1, 14, FitBold(lane.Name, 400)+", "+Between(s.From, s.To)+": "+laneWords(s.State))
			}
		}
	}
	if len(lanes) == 0 {
		c.text("c", f.width/2, top+row+4, l.nothing())
	}
	if l.To.After(l.From) {
		var marks strings.Builder
		for _, k := range timeTicks(l.From, l.To, time.Hour, x, 0, f.width) {
			marks.WriteString("M" + num(k.x) + " " + num(axis) + "v5")
			start, _ := clamp(k.x, Width(k.label), 0, f.width)
			c.text("m", start, axis+axisRow, k.label)
		}
		c.path("tick", marks.String())
	}
	l.keys(c, f, axis+44, left)
	return c.end()
}

// laneName is the room for a lane's name: that of window 9999.
const laneName = 100

// noteAt is where the note after a name begins.
func noteAt(f form, name string) float64 { return math.Max(BoldWidth(name)+8, pick(f, 82.0, 0)) }

// lane draws the spans of one row, ten units high.
func (c *canvas) lane(lane Lane, x func(time.Time) float64, base float64) {
	const height, least = 11.0, 1.5
	var boxes, grounds, hatches, frames strings.Builder
	// Spans in one state that touch are one: the windows of years are thousands.
	spans := map[State][][2]float64{}
	for _, s := range lane.Spans {
		x1, x2 := x(s.From), x(s.To)
		if x2-x1 < least {
			x1 = math.Min(x1, x(s.To)-least/2)
			x2 = x1 + least
		}
		state := s.State
		if state == Unfinished {
			state = Whole
		}
		spans[state] = append(spans[state], [2]float64{x1, x2})
	}
	for _, s := range union(spans[Whole], 0) {
		boxes.WriteString(box(s[0], base-height, s[1]-s[0], height))
	}
	for _, s := range union(spans[Empty], 0) {
		grounds.WriteString(box(s[0], base-height, s[1]-s[0], height))
		hatches.WriteString(hatch(s[0], base-height, s[1]-s[0], height, 4))
	}
	for _, s := range union(spans[Unpulled], 0) {
		frames.WriteString("M" + num(s[0]+0.5) + " " + num(base-height+0.5) + "H" + num(math.Max(s[1]-0.5, s[0]+1)) + "V" + num(base-0.5) + "H" + num(s[0]+0.5) + "z")
	}
	c.path("frame", frames.String())
	c.path("page", grounds.String())
	c.path("hatch", hatches.String())
	c.path(string(Slate), boxes.String())
}

// laneWords names the state of a span.
func laneWords(state State) string {
	switch state {
	case Empty:
		return "walked, no events"
	case Unpulled:
		return "not yet pulled"
	case Unfinished:
		return "walked in part"
	default:
		return "walked to the end"
	}
}

// keys shows what the states look like.
func (l Lanes) keys(c *canvas, f form, y, left float64) {
	x := pick(f, left, 0)
	for i, state := range []State{Whole, Empty, Unpulled} {
		words := laneWords(state)
		switch {
		case l.has(state) || state == Whole && l.has(Unfinished):
		case state == Unpulled && len(l.Lanes) > 0:
			words += ": none"
		default:
			continue
		}
		if f.narrow() && i == 2 && x > 0 && x+18+Width(words) > f.width {
			x, y = 0, y+18
		}
		from := time.Time{}
		c.lane(Lane{Spans: []LaneSpan{{from, from.Add(time.Second), state}}}, func(t time.Time) float64 {
			return x + 11*t.Sub(from).Seconds()
		}, y)
		c.text("", x+17, y-1, words)
		x += 17 + Width(words) + 22
	}
}

func (l Lanes) describe() string {
	if len(l.Lanes) == 0 {
		return "Rows. " + l.nothing() + "."
	}
	desc := "Rows on the time axis of events, " + Stamp(l.From) + " to " + Stamp(l.To) + ": " + Plural(int64(len(l.Lanes)), "window") + "."
	if !l.has(Unpulled) {
		return desc + " Nothing is left to pull."
	}
	var open []string
	for _, lane := range l.Lanes {
		for _, s := range lane.Spans {
			if s.State == Unpulled && len(open) < 5 {
				open = append(open, Between(s.From, s.To))
			}
		}
	}
	return desc + " Not yet pulled: " + strings.Join(open, "; ") + "."
}

// Table returns a row for each span of each lane.
func (l Lanes) Table() Table {
	zone := ""
	if !l.From.IsZero() {
		zone = " (" + zoneName(l.From) + ")"
	}
	t := Table{Name: "windows", Columns: []Column{{"window", false}, {"pulled", false}, {"from" + zone, false}, {"to" + zone, false}, {"state", false}}}
	for _, lane := range l.Lanes {
		for _, s := range lane.Spans {
			t.Rows = append(t.Rows, []string{Visible(lane.Name), Visible(lane.Note), s.From.Format(tableTime), s.To.Format(tableTime), laneWords(s.State)})
		}
	}
	return t
}

// tableTime is an instant in a table, which is in the zone of its head.
const tableTime = "2006-01-02 15:04:05"
