package chart

import (
	"math"
	"slices"
	"strings"
)

// run is a range of the axis in one state, and words about it, longest first.
type run struct {
	x1, x2 float64
	state  State
	words  []string
}

// blanks draws what spans without values look like: a hatch between dashed sides where the API had no
// events, and an empty dashed frame where nothing was pulled yet.
func (p *plot) blanks(runs []run) {
	p.blankMarks(runs, p.top, p.base)
	said := map[State]bool{}
	for _, r := range longestFirst(runs) {
		if r.state != Unpulled && r.state != Empty {
			continue
		}
		words := append(slices.Clone(r.words), r.state.String())
		said[r.state] = p.say(r, words) || said[r.state]
	}
	// A span too thin for its words has them in the first row, after a sample.
	x := p.right
	for _, state := range []State{Empty, Unpulled} {
		if done, any := said[state]; any && !done {
			x = p.sample(x, state)
		}
	}
}

// say writes the words of a span: inside its frame, or above it. It returns whether there was room.
func (p *plot) say(r run, words []string) bool {
	mid := (r.x1 + r.x2) / 2
	if r.state == Unpulled {
		lines := wrap(r.state.String(), r.x2-r.x1-10)
		widest := 0.0
		for _, l := range lines {
			widest = math.Max(widest, Width(l))
		}
		if widest <= r.x2-r.x1-6 {
			y := (p.top+p.base)/2 + 4
			for i, l := range lines {
				p.write("c halo", mid, y+15*(float64(i)-float64(len(lines)-1)/2), l)
			}
			return true
		}
	}
	for _, w := range words {
		start, _ := clamp(mid, Width(w), p.left, p.w)
		if p.free("", start, wordsRow, w) {
			p.write("", start, wordsRow, w)
			return true
		}
	}
	return false
}

// sample writes the words of a state after a sample of it, ending at x in the first row, and returns where
// it starts. Without room it writes nothing: the table has it.
func (p *plot) sample(x float64, state State) float64 {
	s := state.String()
	at := x - Width(s)
	if !p.free("", at-20, unitRow, "mmmm") || !p.free("", at, unitRow, s) {
		return x
	}
	p.write("", at, unitRow, s)
	if state == Empty {
		p.path("hatch", hatch(at-17, unitRow-10, 11, 11, 4))
	} else {
		p.path("frame", "M"+num(at-17)+" "+num(unitRow-9.5)+"h11v10h-11z")
	}
	return at - 26
}

// blankMarks draws spans without values, without their words.
func (c *canvas) blankMarks(runs []run, top, base float64) {
	var frames, hatches, sides strings.Builder
	for _, r := range runs {
		w := r.x2 - r.x1
		switch r.state {
		case Unpulled:
			inset := math.Min(0.5, w/4)
			frames.WriteString("M" + num(r.x1+inset) + " " + num(top) + "H" + num(r.x2-inset) + "V" + num(base-1) + "H" + num(r.x1+inset) + "z")
		case Empty:
			hatches.WriteString(hatch(r.x1, top, w, base-top, 6))
			if w >= 3 {
				for _, x := range []float64{r.x1, r.x2} {
					sides.WriteString("M" + num(x) + " " + num(top) + "V" + num(base))
				}
			}
		}
	}
	c.path("hatch", hatches.String())
	c.path("side", sides.String())
	c.path("frame", frames.String())
}

// longestFirst sorts runs so that words go to the widest one.
func longestFirst(runs []run) []run {
	sorted := slices.Clone(runs)
	slices.SortStableFunc(sorted, func(a, b run) int {
		switch wa, wb := a.x2-a.x1, b.x2-b.x1; {
		case wa > wb:
			return -1
		case wa < wb:
			return 1
		}
		return 0
	})
	return sorted
}
