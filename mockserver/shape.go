package mockserver

import (
	"fmt"
	"slices"
	"strings"
)

// Shape is what the events of a data set look like together.
type Shape uint8

const (
	// ShapeFlat draws each event by itself: events are spread evenly over 31 days, each belongs to
	// any of 60,000 sessions, and all pages are equally frequent. Tests that compare figures or
	// speeds use it.
	ShapeFlat Shape = iota
	// ShapeLively resembles visitors of a web shop: days and nights, sessions of minutes, a funnel,
	// an hour of errors. See lively.go.
	ShapeLively

	shapeEnd
)

var shapeNames = [shapeEnd]string{"flat", "lively"}

func (s Shape) String() string {
	if s >= shapeEnd {
		return fmt.Sprintf("Shape(%d)", uint8(s))
	}
	return shapeNames[s]
}

// Shapes returns the names that ParseShape knows.
func Shapes() []string { return slices.Clone(shapeNames[:]) }

// ParseShape returns the shape with this name: flat or lively.
func ParseShape(name string) (Shape, error) {
	if i := slices.Index(shapeNames[:], name); i >= 0 {
		return Shape(i), nil
	}
	return 0, fmt.Errorf("unknown shape %q: want one of %s", name, strings.Join(Shapes(), ", "))
}

// lateOf is how many events of the demo come with one that is late.
const lateOf = 50_000

// DemoData returns the data of a demo: n events of a shape, as Events counts them. With ShapeLively
// there is one more for 50,000, which is among the newest and hidden until Reveal.
func DemoData(shape Shape, n int) DataOptions {
	o := DataOptions{Shape: shape, Events: n}
	if late := n / lateOf; shape == ShapeLively && late > 0 && n+late <= maxEvents {
		const every = 10
		o.LateEvery, o.LateWithin = every, late*every
		o.Events += late
	}
	return o
}
