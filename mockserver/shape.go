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

// lateOf is how many events come with one that WithLate adds.
const lateOf = 50_000

// DemoData returns the data of a demo: n events of a shape, as Events counts them. With ShapeLively
// and at least 50,000 events it has late ones: see WithLate.
func DemoData(shape Shape, n int) DataOptions {
	o := DataOptions{Shape: shape, Events: n}
	if shape == ShapeLively && n >= lateOf {
		o = o.WithLate()
	}
	return o
}

// WithLate returns a copy of the options with one further event for 50,000, but at least one, unless
// the set is empty or has the largest size. The further events are among the newest, and hidden until
// Reveal.
func (o DataOptions) WithLate() DataOptions {
	n := o.withDefaults().Events
	late := max(1, n/lateOf)
	if n <= 0 || n+late > maxEvents {
		return o
	}
	o.Events = n + late
	o.LateEvery = min(10, o.Events)
	o.LateWithin = late * o.LateEvery
	return o
}
