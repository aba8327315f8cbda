package mockserver

import (
	"context"
	"slices"
)

// filter is the parameters sessionId and type of a request; empty ones select all events. They
// are compared with the values before DataOptions makes some events malformed.
type filter struct{ session, kind string }

// and returns the filter of a cursor, overridden by the parameters of the request.
func (f filter) and(session, kind string) filter {
	if session != "" {
		f.session = session
	}
	if kind != "" {
		f.kind = kind
	}
	return f
}

// wanted is a filter on the events of a view.
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

// takes reports whether the filter selects the event with number i.
func (w wanted) takes(i int) bool {
	if w.all {
		return true
	}
	key := w.view.key(i)
	if w.none || w.session >= 0 && !w.view.d.mayBelong(key, uint32(w.session)) {
		return false
	}
	kind, session := w.view.d.sorts(key)
	return (w.kind < 0 || int(kind) == w.kind) && (w.session < 0 || int(session) == w.session)
}

// next returns the index of the first selected event at or after an index, or stop. It computes
// each event in between: about 7 ns per event, so a session's last page takes 20 ms in the default
// set and 7 s in one of 1,000,000,000 events. A type takes ten times as long with ShapeLively.
func (w wanted) next(ctx context.Context, place, stop int) int {
	for ; !w.none && place < stop && !w.givenUp(ctx, place); place++ {
		if i := w.view.swapped(place); !w.view.hidden(i) && w.takes(i) {
			return place
		}
	}
	return stop
}

// givenUp reports whether the client of a long search has gone. It looks at every millionth index
// only.
func (w wanted) givenUp(ctx context.Context, place int) bool {
	return !w.all && place&(1<<20-1) == 0 && ctx.Err() != nil
}

// count returns how many selected events the view shows.
func (w wanted) count(ctx context.Context) (n int) {
	switch {
	case w.all:
		return w.view.visible()
	case w.none:
		return 0
	case w.session < 0:
		return w.view.counts().kinds[w.kind]
	case w.kind < 0:
		return w.view.sessionEvents(uint32(w.session))
	}
	stop := w.view.len()
	for place := w.next(ctx, 0, stop); place < stop; place = w.next(ctx, place+1, stop) {
		n++
	}
	return n
}
