package mockserver

import (
	"fmt"
	"math"
)

const (
	// DefaultEvents is the size of the data set where DataOptions names none.
	DefaultEvents = 3_000_000
	// NoEvents as DataOptions.Events makes an empty data set.
	NoEvents = -1

	maxEvents = 1_000_000_000

	// newestMS is 2026-01-27T19:20:12.369Z, the newest event before any growth.
	newestMS = 1_769_541_612_369
	// spanMS is how far back the set reaches, whatever its size: 31 days.
	spanMS = 31 * 24 * 60 * 60 * 1000
	// growStepMS is the mean distance of the instants that Grow adds. It does
	// not depend on the size of the set: growth of a set of ten events must
	// not jump days ahead.
	growStepMS = 893

	userCount    = 3_000
	sessionCount = 60_000

	defaultTieSize  = 3
	defaultTieEvery = 8
)

// DataOptions describe a data set. The zero value is the default set.
type DataOptions struct {
	// Seed selects the data; equal options with an equal seed give equal data.
	Seed uint64
	// Events is the size at the start. 0 means DefaultEvents, NoEvents an
	// empty set; at most 1,000,000,000.
	Events int
	// TieSize events of every TieEvery share one millisecond; the others stand
	// alone. Defaults 3 and 8. TieSize 1 means no ties.
	TieSize  int
	TieEvery int

	// DirtyEvery spoils every Nth event (0: none), DirtyRate a random share of
	// them (0 to 1), with the kinds in turn or at random. No kinds means all.
	// Which event is spoiled, and how, depends on the seed and the event
	// alone, so both endpoints and every reading agree about it.
	DirtyEvery int
	DirtyRate  float64
	DirtyKinds []Dirt

	// SwapEvery breaks the order: the first event of every block of SwapEvery
	// changes places with the one SwapDistance below it (default 1, less than
	// SwapEvery). A distance beyond the page size breaks the order between
	// pages. 0: the order is kept.
	SwapEvery    int
	SwapDistance int

	// LateEvery hides every Nth of the newest LateWithin (default 1,000)
	// events until Reveal: they arrive late, below what was read already.
	// 0: none; otherwise at least 2.
	LateEvery  int
	LateWithin int
}

func (o DataOptions) withDefaults() DataOptions {
	if o.Events == 0 {
		o.Events = DefaultEvents
	}
	if o.TieSize == 0 {
		o.TieSize = defaultTieSize
	}
	if o.TieEvery == 0 {
		o.TieEvery = max(defaultTieEvery, o.TieSize)
	}
	if o.SwapEvery > 0 && o.SwapDistance == 0 {
		o.SwapDistance = 1
	}
	if o.LateEvery > 0 && o.LateWithin == 0 {
		o.LateWithin = 1000
	}
	if len(o.DirtyKinds) == 0 {
		o.DirtyKinds = AllDirt()
	}
	return o
}

// Validate reports the first option that makes no sense.
func (o DataOptions) Validate() error {
	o = o.withDefaults()
	switch {
	case o.Events > maxEvents:
		return fmt.Errorf("at most %d events", maxEvents)
	case o.TieSize < 1 || o.TieEvery < o.TieSize || o.TieSize > math.MaxUint16:
		return fmt.Errorf("ties of %d in every %d events: want 1 <= size <= every", o.TieSize, o.TieEvery)
	case o.DirtyEvery < 0 || o.DirtyRate < 0 || o.DirtyRate > 1:
		return fmt.Errorf("dirty events: every %d, rate %v", o.DirtyEvery, o.DirtyRate)
	case o.SwapEvery < 0 || o.SwapEvery > 0 && (o.SwapDistance < 1 || o.SwapDistance >= o.SwapEvery):
		return fmt.Errorf("swap over a distance of %d in every %d events", o.SwapDistance, o.SwapEvery)
	case o.LateEvery < 0 || o.LateEvery == 1 || o.LateWithin < 0:
		return fmt.Errorf("late events: every %d within %d", o.LateEvery, o.LateWithin)
	}
	for _, k := range o.DirtyKinds {
		if k >= dirtEnd {
			return fmt.Errorf("no such kind of dirt: %d", k)
		}
	}
	return nil
}
