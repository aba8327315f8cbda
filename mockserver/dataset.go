package mockserver

import (
	"bytes"
	"sort"
	"sync/atomic"
)

// Dataset is a set of events, each of which is computed from the seed and its
// place when it is asked for. Events are numbered from 0, the newest, in the
// order of the API: timestamp descending, then id descending as lower-case
// text. It is safe for concurrent use.
type Dataset struct {
	opts   DataOptions
	size   int   // events before growth
	groups int64 // distinct instants in the set before growth

	eventSeed, dirtSeed, sessionSeed, userSeed uint64

	counter counter

	grown    atomic.Int64
	revealed atomic.Bool
}

// NewDataset returns the data set that opts describe. It panics where
// DataOptions.Validate reports an error.
func NewDataset(opts DataOptions) *Dataset {
	if err := opts.Validate(); err != nil {
		panic("mockserver: " + err.Error())
	}
	d := &Dataset{
		opts:        opts.withDefaults(),
		eventSeed:   mix(opts.Seed + 1),
		dirtSeed:    mix(opts.Seed + 2),
		sessionSeed: mix(opts.Seed + 3),
		userSeed:    mix(opts.Seed + 4),
	}
	d.size = max(0, d.opts.Events)
	if d.size > 0 {
		d.groups = d.slot(int64(d.size)-1).group + 1
	}
	return d
}

// Total is the number of events that the API shows now: what Grow added
// counts, what Reveal has not shown yet does not.
func (d *Dataset) Total() int { return d.view().visible() }

// Len is the number of events by which Event, Expected and Late count; it
// includes the late ones that are still hidden.
func (d *Dataset) Len() int { return d.view().len() }

// Grow adds n newer events on top. Every event keeps its content; its number
// rises by n.
func (d *Dataset) Grow(n int) {
	if n > 0 {
		d.grown.Add(int64(n))
	}
}

// Reveal shows the late events, at their places by timestamp.
func (d *Dataset) Reveal() { d.revealed.Store(true) }

// view freezes the size of the set for the length of one answer.
func (d *Dataset) view() view {
	return view{d: d, grown: d.grown.Load(), revealed: d.revealed.Load()}
}

type view struct {
	d        *Dataset
	grown    int64
	revealed bool
}

func (v view) len() int { return int(v.grown) + v.d.size }

// key turns a number, which shifts when the set grows, into the event's key,
// which does not: 0 is the newest before growth, negative keys came later.
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

// swapped maps a place in the sequence of answers to an event's number, and
// back: it is its own inverse.
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

// after is the number of the first event behind the position (ts, id) in the
// order of the API. No event need stand at the position itself.
func (v view) after(ts int64, id [16]byte) int {
	return sort.Search(v.len(), func(i int) bool {
		key := v.key(i)
		s := v.d.slot(key)
		at := v.d.instant(s.group)
		if at != ts {
			return at < ts
		}
		got := v.d.id(key, s)
		return bytes.Compare(got[:], id[:]) < 0
	})
}

// firstBefore is the number of the first event whose timestamp lies before
// ts, in epoch milliseconds.
func (v view) firstBefore(ts int64) int {
	return sort.Search(v.len(), func(i int) bool {
		return v.d.instant(v.d.slot(v.key(i)).group) < ts
	})
}

// outside reports whether no event is as old as ts, in epoch milliseconds, or
// none as new. An empty set has no time to be outside of.
func (v view) outside(ts int64) bool {
	if v.len() == 0 {
		return false
	}
	at := func(i int) int64 { return v.d.instant(v.d.slot(v.key(i)).group) }
	return ts > at(0) || ts < at(v.len()-1)
}

// slot says where a key stands among the instants: its group shares one
// millisecond, position counts inside the group.
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

// instant is the epoch millisecond of a group: evenly spread, each moved at
// random inside its share, so that the order of groups is the order of time.
func (d *Dataset) instant(group int64) int64 {
	if group == 0 {
		return newestMS
	}
	noise := mix(d.eventSeed ^ uint64(group)*golden)
	if group < 0 {
		return newestMS - group*growStepMS - int64(noise%growStepMS)
	}
	// A set of more instants than the span has milliseconds reaches further back.
	span := max(spanMS, d.groups)
	begin := group * span / d.groups
	width := (group+1)*span/d.groups - begin
	return newestMS - begin - int64(noise%uint64(width))
}
