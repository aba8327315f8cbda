package ingest

import (
	"database/sql"
	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/internal/model"
	"errors"
	"fmt"
	"time"
)

// maxDeaths is how many times in a row a cursor may die before the walk has got
// further down than before.
const maxDeaths = 3

// errNotProven: a page that should go on where the walk stood does not.
var errNotProven = errors.New("what came is not what follows")

// proof watches the pages that come when the walk goes on without the cursor that
// the page before gave it. They are trusted only when they have shown that nothing
// lies between them and what is stored: nothing may come that is newer than bound,
// and the anchor, the last event of the walk, must come before anything older. A
// page or more of its own millisecond may come first.
type proof struct {
	anchor model.Position
	bound  model.Instant
	// behind says that the page begins behind the anchor, as one does that a cursor
	// leads to, instead of bringing it again.
	behind bool
	// met says that the anchor has come; byTime that it is the cursor of such a page
	// which has to lead on.
	met, byTime bool
}

// behind returns the proof that a cursor leads to what follows after low; nil where
// the walk has no order by which that could be seen.
func (w *walk) behind() *proof {
	if !w.low.Valid || w.unordered {
		return nil
	}
	return &proof{anchor: w.low.V, bound: w.low.V.Timestamp, behind: true}
}

// verdict is what a page says.
type verdict int

const (
	stillOpen verdict = iota
	proven
	refuted
)

func (f *proof) look(p *decode.Page) verdict {
	for i := range p.Events {
		at := p.Events[i].Position()
		switch older := at.Compare(f.anchor) < 0; {
		case at.Timestamp > f.bound, older && !f.behind, f.behind && !older && at != f.anchor:
			return refuted
		case older || at == f.anchor:
			return proven
		}
	}
	if !p.HasMore {
		// Behind the last event there is nothing to show.
		return map[bool]verdict{true: proven, false: refuted}[f.behind]
	}
	return stillOpen
}

// millisecond returns the first instant in epoch milliseconds that is newer than
// all of the anchor's own millisecond.
func (f *proof) millisecond() int64 { return milliseconds(f.anchor.Timestamp) + 1 }

// recover finds another way on after the way that the walk was on has failed: by
// the time of its last event, then by a renewed cursor if that is allowed, then
// from the window's top.
func (w *walk) recover(cause error) error {
	w.discard()
	if w.part.k.IsPart() && !w.low.Valid {
		return fmt.Errorf("%w: %w", errPartLost, cause)
	}
	dead := w.at.Cursor
	if w.deeper {
		// What did not work further up may work here.
		w.deaths, w.noTime, w.renewed = 0, false, ""
	}
	if errors.Is(cause, errSlid) {
		return w.walkAgain(cause)
	}
	if w.deaths++; w.deaths > maxDeaths {
		return fmt.Errorf("%w: %d ways on in a row have failed (%w)", ErrNoHeadway, w.deaths, cause)
	}
	if w.proof != nil && w.proof.byTime && errors.Is(cause, errNotProven) {
		w.noTime = true
	}
	offsets := w.last.slides
	w.deeper, w.resumed, w.dies, w.life, w.proof, w.last = false, true, time.Time{}, 0, nil, reading{}
	w.trail = newTrail()
	alike := w.alike
	w.alike.Counts = nil
	// An offset behind a page by time is one more that may slide: the top is always right.
	ordered := w.low.Valid && !w.unordered && !offsets
	if dead != "" && w.renewed != dead {
		w.dead = dead
	}
	if ordered && !w.noTime && !w.dispatcher.FeedAbandoned() {
		w.noTime = true // until it has been proven
		w.proof = &proof{anchor: w.low.V}
		until := w.proof.millisecond()
		// An inclusive bound takes in its own millisecond.
		w.proof.bound = model.Instant(until*1000 + 999)
		w.at = api.Request{Until: until, Bounded: true}
		w.notice(fmt.Sprintf("%v: going on by the time of the last event, %s", cause, w.low.V.Timestamp.Time().Format(time.RFC3339Nano)))
		return nil
	}
	if renewed, ok := renewCursor(w.dead, time.Now()); ok && ordered && w.renew && w.renewed == "" {
		w.renewed = renewed
		w.proof, w.alike = w.behind(), alike // it stands where it stood
		w.at = api.Request{Cursor: renewed}
		w.notice(fmt.Sprintf("%v: going on by a renewed cursor", cause))
		return nil
	}
	return w.walkAgain(cause)
}

// mostWalksAgain is how often a window is walked again because events may have slid past.
const mostWalksAgain = 2

// walkAgain goes on at the window's top.
func (w *walk) walkAgain(cause error) error {
	if w.part.k.IsPart() {
		return fmt.Errorf("%w: %w", errPartLost, cause)
	}
	if errors.Is(cause, errSlid) {
		if w.again++; w.again > mostWalksAgain {
			return fmt.Errorf("%w: %w", ErrMissing, cause)
		}
	}
	w.resumed, w.dies, w.life, w.proof, w.last, w.trail, w.alike.Counts = true, time.Time{}, 0, nil, reading{}, newTrail(), nil
	again := ""
	if each := w.dispatcher.PageTime(); each > 0 {
		again = fmt.Sprintf(" (about %s)", (each * time.Duration(w.pages)).Round(time.Second))
	}
	w.notice(fmt.Sprintf("%v: walking again from the newest event, %d pages again%s, skipping what is stored", cause, w.pages, again))
	w.at, w.pages, w.low = api.Request{}, 0, sql.Null[model.Position]{}
	w.tally.restart()
	return nil
}
