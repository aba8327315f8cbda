package mockserver

import (
	"context"
	"slices"
)

// filter is what a request for some events only asks for: those of a session, of
// a type, or both. Empty texts ask for nothing in particular. Events count as
// what they are before DataOptions spoils them.
type filter struct{ session, kind string }

// and is the filter with what a request says, which outranks what its cursor kept.
func (f filter) and(session, kind string) filter {
	if session != "" {
		f.session = session
	}
	if kind != "" {
		f.kind = kind
	}
	return f
}

// wanted is a filter over the events of a view.
type wanted struct {
	view      view
	all, none bool
	session   int // -1: any
	kind      int // -1: any
}

func (f filter) over(v view) wanted {
	w := wanted{view: v, all: f == filter{}, session: -1, kind: -1}
	if f.session != "" {
		session, ok := v.d.findSession(f.session)
		w.session, w.none = int(session), !ok
	}
	if f.kind != "" {
		w.kind = slices.Index(kindNames[:], f.kind)
		w.none = w.none || w.kind < 0
	}
	return w
}

// takes reports whether the event with number i is wanted.
func (w wanted) takes(i int) bool {
	if w.all {
		return true
	}
	h := w.view.d.hash(w.view.key(i))
	return !w.none && (w.kind < 0 || int(kindOf(h)) == w.kind) && (w.session < 0 || int(sessionOf(h)) == w.session)
}

// next is the place of the first wanted event from a place on, or stop. It looks
// at each event between: about 7 ns an event, so that a session's last page takes
// 20 ms in the default set, and 7 s in one of 1,000,000,000.
func (w wanted) next(ctx context.Context, place, stop int) int {
	for ; !w.none && place < stop && !w.givenUp(ctx, place); place++ {
		if i := w.view.swapped(place); !w.view.hidden(i) && w.takes(i) {
			return place
		}
	}
	return stop
}

// givenUp reports whether a long search has nobody left who waits for it. It looks
// at every millionth place only.
func (w wanted) givenUp(ctx context.Context, place int) bool {
	return !w.all && place&(1<<20-1) == 0 && ctx.Err() != nil
}

// count is how many wanted events the view shows.
func (w wanted) count(ctx context.Context) (n int) {
	switch {
	case w.all:
		return w.view.visible()
	case w.none:
		return 0
	case w.session < 0:
		return w.view.counts().kinds[w.kind]
	case w.kind < 0:
		return w.view.counts().sessions[w.session]
	}
	stop := w.view.len()
	for place := w.next(ctx, 0, stop); place < stop; place = w.next(ctx, place+1, stop) {
		n++
	}
	return n
}
