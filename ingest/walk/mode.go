package walk

import (
	"errors"
	"fmt"
	"time"

	"datasync/ingest/decode"
	"datasync/internal/model"
)

// What a page says about the walk that requested it.
var (
	// ErrNotProven: the page does not follow where the walk stood.
	ErrNotProven = errors.New("what came is not what follows")
	// ErrNothingLeft: below the border at which a shard begins there are no events.
	ErrNothingLeft = errors.New("nothing is left")
	// ErrEndsTooEarly: a page says that it is the last one, but known events lie below it.
	ErrEndsTooEarly = errors.New("a page says that it is the last one, and is not")
)

// mode says how the walk came to its next page, and so what that page has to prove.
type mode int

const (
	// following: the cursor came with the page before. Nothing has to be proven.
	following mode = iota
	// starting: the first page of a shard is requested by time. It must not be newer than the bound.
	starting
	// searching: pages are requested by time, from just above the anchor. Nothing may be newer than the
	// bound, and the anchor has to come before anything older.
	searching
	// confirming: the cursor is an old one, or came with a page by time. Its page must begin just below the
	// anchor.
	confirming
)

// state is the mode of a walk and what it has to prove.
type state struct {
	mode  mode
	proof Proof // while searching and confirming; while starting, only its Bound
	// met says that the anchor has come: searching ends with this page.
	met bool
	// afterTime says that the cursor to confirm came with a page by time.
	afterTime bool
}

// Proof tells from pages whether they may be trusted, if they do not come by the cursor of the page before:
// nothing may be newer than Bound, and Anchor, the last event of the walk, must come before anything
// older. A page or more of the anchor's own millisecond may come first.
type Proof struct {
	Anchor model.Position
	Bound  model.Instant
	// Below says that the page begins below the anchor, as the page of a cursor does, instead of with it.
	Below bool
}

// Verdict is what a page says about a proof.
type Verdict int

// The verdicts on a page.
const (
	Undecided Verdict = iota
	Proven
	Refuted
)

// ProofByTime returns the proof of pages that are requested by the time of the anchor: newest first, from
// the end of the anchor's millisecond. An inclusive bound includes the millisecond after that.
func ProofByTime(anchor model.Position) Proof {
	return Proof{Anchor: anchor, Bound: BoundAbove(anchor.Timestamp)}
}

// BoundAbove returns the newest instant that a page may contain that is requested by time.
func BoundAbove(at model.Instant) model.Instant {
	return model.Instant((at.Millisecond()+1)*1000 + 999)
}

// Check returns what the page says.
func (f Proof) Check(p *decode.Page) Verdict {
	for i := range p.Events {
		at := p.Events[i].Position()
		switch older := at.Compare(f.Anchor) < 0; {
		case at.Timestamp > f.Bound, older && !f.Below, f.Below && !older && at != f.Anchor:
			return Refuted
		case older || at == f.Anchor:
			return Proven
		}
	}
	switch {
	case p.HasMore:
		return Undecided
	case f.Below:
		return Proven // below the last event there is nothing to show
	}
	return Refuted
}

// confirm returns the state in which a cursor has to lead to what lies below low. Without an order of
// events nothing could show that, and the walk follows.
func (w *Walk) confirm(afterTime bool) state {
	if !w.low.Valid || w.unordered {
		return state{}
	}
	return state{mode: confirming, proof: Proof{Anchor: w.low.V, Bound: w.low.V.Timestamp, Below: true}, afterTime: afterTime}
}

// byTime reports whether the page is requested by time.
func (w *Walk) byTime() bool { return w.state.mode == starting || w.state.mode == searching }

// prove checks that the page is the one that follows.
func (w *Walk) prove(p *Page) error {
	switch w.state.mode {
	case following:
		return nil
	case starting:
		return w.start(p)
	}
	switch w.state.proof.Check(&p.Page) {
	case Refuted:
		return fmt.Errorf("%w after %s", ErrNotProven, w.state.proof.Anchor.Timestamp.Time().Format(time.RFC3339Nano))
	case Undecided:
		p.Provisional = true
	case Proven:
		if w.state.mode == searching {
			w.state.met = true
			return nil
		}
		w.state, w.recovery.timeTried, w.recovery.renewed = state{}, false, ""
	}
	return nil
}

// start checks that a shard can begin with the page. A page without events leaves the walk starting.
func (w *Walk) start(p *Page) error {
	p.OutOfRange = p.CutAbove()
	bound := w.state.proof.Bound
	switch {
	case len(p.Events) == 0 && !p.HasMore:
		return fmt.Errorf("%w: %w", ErrNotProven, ErrNothingLeft)
	case len(p.Events) == 0:
		return nil
	case p.Newest.Timestamp > bound:
		return fmt.Errorf("%w below %s", ErrNotProven, bound.Time().Format(time.RFC3339Nano))
	}
	first := p.Events[0].Position()
	if err := w.bounds.Begins(first, p.Newest); err != nil {
		return err
	}
	w.state, w.first = state{}, first
	return nil
}
