package mockserver

import (
	"bytes"
	"sort"
	"sync/atomic"
)

// Dataset is a set of events. It computes each from the seed and the event's number when it is
// read. Numbers ascend from 0, the newest event, in the order of the API: timestamp descending,
// then id descending as lower-case text. A Dataset is safe for concurrent use.
type Dataset struct {
	opts   DataOptions
	size   int   // events before growth
	groups int64 // distinct instants before growth

	eventSeed, malformedSeed, sessionSeed, userSeed uint64

	lively  *lively // nil: ShapeFlat
	counter counter

	grown    atomic.Int64
	revealed atomic.Bool
}

// NewDataset returns the data set of the options. It panics if DataOptions.Validate returns an
// error.
func NewDataset(opts DataOptions) *Dataset {
	if err := opts.Validate(); err != nil {
		panic("mockserver: " + err.Error())
	}
	d := &Dataset{
		opts:          opts.withDefaults(),
		eventSeed:     mix(opts.Seed + 1),
		malformedSeed: mix(opts.Seed + 2),
		sessionSeed:   mix(opts.Seed + 3),
		userSeed:      mix(opts.Seed + 4),
	}
	d.size = max(0, d.opts.Events)
	if d.size > 0 {
		d.groups = d.slot(int64(d.size)-1).group + 1
	}
	if d.opts.Shape == ShapeLively {
		d.lively = newLively(d.size, d.eventSeed)
	}
	return d
}

// Total returns the number of events that the API shows now: with those that Grow added, without
// those that wait for Reveal.
func (d *Dataset) Total() int { return d.view().visible() }

// Len returns the number of events, hidden ones included. Event, Expected and Late take numbers
// below it.
func (d *Dataset) Len() int { return d.view().len() }

// Grow adds n newer events. Each event keeps its content, and its number rises by n.
func (d *Dataset) Grow(n int) {
	if n > 0 {
		d.grown.Add(int64(n))
	}
}

// Reveal shows the late events, in the order of their timestamps.
func (d *Dataset) Reveal() { d.revealed.Store(true) }

// view returns the set as it is now, so that one answer sees one size.
func (d *Dataset) view() view {
	return view{d: d, grown: d.grown.Load(), revealed: d.revealed.Load()}
}

type view struct {
	d        *Dataset
	grown    int64
	revealed bool
}

func (v view) len() int { return int(v.grown) + v.d.size }

// key returns the key of an event. Unlike its number, the key does not change when the set grows:
// 0 is the newest event before growth, and negative keys are newer ones.
func (v view) key(i int) int64 { return int64(i) - v.grown }

func (v view) hidden(i int) bool {
	return v.d.opts.LateEvery > 0 && !v.revealed && v.d.late(v.key(i))
}

func (d *Dataset) late(key int64) bool {
	every := int64(d.opts.LateEvery)
	return every > 0 && key >= 0 && key < int64(d.opts.LateWithin) && key%every == every-1
}

func (v view) visible() int {
	n := v.len()
	if o := v.d.opts; o.LateEvery > 0 && !v.revealed {
		n -= min(v.d.size, o.LateWithin) / o.LateEvery
	}
	return n
}

// swapped maps an index in the order of answers to an event's number, and back: it is its own
// inverse.
func (v view) swapped(i int) int {
	every := int64(v.d.opts.SwapEvery)
	if every == 0 {
		return i
	}
	_, rest := floorDiv(v.key(i), every)
	j := i
	switch rest {
	case 0:
		j = i + v.d.opts.SwapDistance
	case int64(v.d.opts.SwapDistance):
		j = i - v.d.opts.SwapDistance
	}
	if j < 0 || j >= v.len() {
		return i
	}
	return j
}

// after returns the number of the first event after the position (ts, id) in the order of the
// API. There need be no event at the position.
func (v view) after(ts int64, id [16]byte) int {
	return sort.Search(v.len(), func(i int) bool {
		key := v.key(i)
		s := v.d.slot(key)
		at := v.d.timestamp(key, s)
		if at != ts {
			return at < ts
		}
		got := v.d.id(key, s)
		return bytes.Compare(got[:], id[:]) < 0
	})
}

// firstBefore returns the number of the first event whose timestamp is less than ts, in epoch
// milliseconds.
func (v view) firstBefore(ts int64) int {
	return sort.Search(v.len(), func(i int) bool {
		return v.timestamp(i) < ts
	})
}

// outside reports whether ts, in epoch milliseconds, is less than all timestamps or greater than
// all. It is false for an empty set.
func (v view) outside(ts int64) bool {
	if v.len() == 0 {
		return false
	}
	return ts > v.timestamp(0) || ts < v.timestamp(v.len()-1)
}

// slot is a key's position among the instants: the events of a group share one millisecond, and
// position counts within the group.
type slot struct {
	group, position, size int64
}

func (d *Dataset) slot(key int64) slot {
	every, size := int64(d.opts.TieEvery), int64(d.opts.TieSize)
	block, rest := floorDiv(key, every)
	group := block * (every - size + 1)
	if rest < size {
		return slot{group: group, position: rest, size: size}
	}
	return slot{group: group + rest - size + 1, size: 1}
}

// timestamp returns the epoch millisecond of event i.
func (v view) timestamp(i int) int64 {
	key := v.key(i)
	return v.d.timestamp(key, v.d.slot(key))
}

// timestamp returns the epoch millisecond of a key at its slot.
func (d *Dataset) timestamp(key int64, s slot) int64 {
	if d.lively != nil && key >= 0 {
		return d.lively.instant(d.rank(key - s.position))
	}
	return d.instant(s.group)
}

// rank returns a key's number among the events in ascending order: 0 is the oldest event.
func (d *Dataset) rank(key int64) int64 { return int64(d.size) - 1 - key }

// instant returns the epoch millisecond of a group of the flat shape, or of one that Grow added. The span is divided evenly between groups,
// and each has a random instant in its part, so groups are in the order of time.
func (d *Dataset) instant(group int64) int64 {
	if group == 0 {
		return newestMS
	}
	noise := mix(d.eventSeed ^ uint64(group)*golden)
	if group < 0 {
		return newestMS - group*growStepMS - int64(noise%growStepMS)
	}
	// A set with more instants than the span has milliseconds needs a longer one.
	span := max(spanMS, d.groups)
	begin := group * span / d.groups
	width := (group+1)*span/d.groups - begin
	return newestMS - begin - int64(noise%uint64(width))
}
