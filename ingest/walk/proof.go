package walk

import (
	"datasync/ingest/decode"
	"datasync/internal/model"
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

// state is the mode of a walk, with the proof that the mode requires.
type state struct {
	mode  mode
	proof Proof // while searching and confirming; while starting, only its Bound
	// met says that the anchor has come: searching ends with this page.
	met bool
	// afterTime says that the cursor to confirm came with a page by time.
	afterTime bool
}

// Proof decides whether to trust pages that did not come by the cursor of the page before: nothing may be
// newer than Bound, and Anchor, the last event of the walk, must come before anything older. A page or more
// of the anchor's own millisecond may come first.
type Proof struct {
	Anchor model.Position
	Bound  model.Instant
	// Below says that the page begins below the anchor, as the page of a cursor does, instead of with it.
	Below bool
}

// Verdict is the result of checking a proof against a page.
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

// Check returns the verdict of the page.
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
