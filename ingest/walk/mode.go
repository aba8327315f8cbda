package walk

import (
	"fmt"
	"time"
)

// confirm returns the state in which the page of a cursor has to begin just below low. Events out of
// order cannot prove that: then the walk follows without proof.
func (w *Walk) confirm() state {
	if !w.low.Valid || w.unordered {
		return state{}
	}
	return state{mode: confirming, proof: Proof{Anchor: w.low.V, Bound: w.low.V.Timestamp, Below: true}}
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
	if err := w.bounds.SetFirst(first, p.Newest); err != nil {
		return err
	}
	w.state, w.first = state{}, first
	return nil
}
