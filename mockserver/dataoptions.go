package mockserver

import (
	"fmt"
	"math"
)

const (
	// DefaultEvents is the default size of the data set.
	DefaultEvents = 3_000_000
	// NoEvents makes an empty data set, as DataOptions.Events.
	NoEvents = -1

	maxEvents = 1_000_000_000

	// newestMS is 2026-01-27T19:20:12.369Z, the newest event before any growth.
	newestMS = 1_769_541_612_369
	// spanMS is the time range of a set of any size: 31 days.
	spanMS = 31 * 24 * 60 * 60 * 1000
	// growStepMS is the mean distance of the instants that Grow adds. It does not depend on the
	// size of the set: else one event more of a set of ten would be three days ahead.
	growStepMS = 893

	userCount    = 3_000
	sessionCount = 60_000

	defaultTieSize  = 3
	defaultTieEvery = 8
	// Ties of the lively shape are rare. A smaller set has none: its sessions are hours apart.
	livelyTiesFrom = 200_000
	livelyTieSize  = 2
	livelyTieEvery = 60
)

// DataOptions describe a data set. Their zero value is the default set.
type DataOptions struct {
	// Seed selects the data: equal options with an equal seed give equal data.
	Seed uint64
	// Shape says what the events look like together. The default is ShapeFlat.
	Shape Shape
	// Events is the size at the start, at most 1,000,000,000. 0 means DefaultEvents, NoEvents
	// means an empty set.
	Events int
	// TieSize of every TieEvery events share one millisecond; the others have one each. The
	// defaults are 3 and 8, and 2 and 60 with
	// ShapeLively, which has no ties below 200,000 events. TieSize 1 means no ties.
	TieSize  int
	TieEvery int

	// DirtyEvery makes every Nth event malformed (0: none), by the DirtyKinds in turn; DirtyRate
	// does so with a random share of events (0 to 1), by random kinds. No kinds means all. An
	// event's malformation depends on the seed and the event alone, so both endpoints, and all
	// requests, agree on it.
	DirtyEvery int
	DirtyRate  float64
	DirtyKinds []Malformed

	// SwapEvery breaks the order: the first event of every block of SwapEvery is swapped with the
	// one SwapDistance after it (default 1, less than SwapEvery). A distance above the page size
	// breaks the order between pages. 0 keeps the order.
	SwapEvery    int
	SwapDistance int

	// LateEvery hides every Nth of the newest LateWithin events (default 1,000) until Reveal: they
	// arrive late, after newer events were read. It is 0 for none, or at least 2.
	LateEvery  int
	LateWithin int
}

func (o DataOptions) withDefaults() DataOptions {
	if o.Events == 0 {
		o.Events = DefaultEvents
	}
	size, every := defaultTieSize, defaultTieEvery
	if o.Shape == ShapeLively {
		size, every = 1, livelyTieEvery
		if o.Events >= livelyTiesFrom {
			size = livelyTieSize
		}
	}
	if o.TieSize == 0 {
		o.TieSize = size
	}
	if o.TieEvery == 0 {
		o.TieEvery = max(every, o.TieSize)
	}
	if o.SwapEvery > 0 && o.SwapDistance == 0 {
		o.SwapDistance = 1
	}
	if o.LateEvery > 0 && o.LateWithin == 0 {
		o.LateWithin = 1000
	}
	if len(o.DirtyKinds) == 0 {
		o.DirtyKinds = AllMalformed()
	}
	return o
}

// Validate returns an error for the first invalid option.
func (o DataOptions) Validate() error {
	o = o.withDefaults()
	switch {
	case o.Shape >= shapeEnd:
		return fmt.Errorf("no such shape of the data: %d", o.Shape)
	case o.Events > maxEvents:
		return fmt.Errorf("at most %d events", maxEvents)
	case o.TieSize < 1 || o.TieEvery < o.TieSize || o.TieSize > math.MaxUint16:
		return fmt.Errorf("ties of %d in every %d events: want 1 <= size <= every", o.TieSize, o.TieEvery)
	case o.DirtyEvery < 0 || o.DirtyRate < 0 || o.DirtyRate > 1:
		return fmt.Errorf("malformed events: every %d, rate %v", o.DirtyEvery, o.DirtyRate)
	case o.SwapEvery < 0 || o.SwapEvery > 0 && (o.SwapDistance < 1 || o.SwapDistance >= o.SwapEvery):
		return fmt.Errorf("swap over a distance of %d in every %d events", o.SwapDistance, o.SwapEvery)
	case o.LateEvery < 0 || o.LateEvery == 1 || o.LateWithin < 0:
		return fmt.Errorf("late events: every %d within %d", o.LateEvery, o.LateWithin)
	}
	for _, k := range o.DirtyKinds {
		if k >= malformedEnd {
			return fmt.Errorf("no such kind of malformed event: %d", k)
		}
	}
	return nil
}
