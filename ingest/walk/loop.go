package walk

import (
	"crypto/sha256"
	"fmt"

	"datasync/ingest/decode"
	"datasync/internal/model"
)

// maxIdlePages is how many pages in a row may fail to lead further down.
const maxIdlePages = 100

// loopDetector remembers where a walk has been, to notice that it goes in a circle or
// does not get anywhere. What it keeps of a page is a few bytes.
type loopDetector struct {
	cursors map[digest]bool
	pages   map[digest]bool
	last    model.Position // of the last event seen
	span    model.Instant  // of the last page
	begun   bool
	idle    int
}

type digest [16]byte

func digestOf(text string) digest {
	sum := sha256.Sum256([]byte(text))
	return digest(sum[:16])
}

func newLoopDetector() *loopDetector {
	return &loopDetector{cursors: map[digest]bool{}, pages: map[digest]bool{}}
}

// hasLed reports whether the cursor has led to a page before.
func (t *loopDetector) hasLed(cursor string) bool { return t.cursors[digestOf(cursor)] }

// rises reports whether the page begins above where the last one ended.
func (t *loopDetector) rises(p *decode.Page) bool {
	return t.begun && len(p.Events) > 0 && p.Events[0].Position().Compare(t.last) > 0
}

// staysAbove reports whether a page that spans as much time as the last one will most
// likely end above border, and the one after it as well.
func (t *loopDetector) staysAbove(border model.Instant) bool {
	return t.begun && t.last.Timestamp-3*t.span > border
}

// check takes in the page to which the cursor led. It fails with ErrLoop or
// ErrNoCursor where the page leads nowhere.
func (t *loopDetector) check(cursor string, p *decode.Page) error {
	t.cursors[digestOf(cursor)] = true
	repeated := t.repeats(p)
	if !p.HasMore {
		return nil
	}
	switch {
	case p.NextCursor == "":
		return ErrNoCursor
	case t.hasLed(p.NextCursor):
		return fmt.Errorf("%w: a cursor came back", ErrLoop)
	case repeated:
		return fmt.Errorf("%w: the same events came under another cursor", ErrLoop)
	case t.idle > maxIdlePages:
		return fmt.Errorf("%w: %d pages led no further down", ErrLoop, t.idle)
	}
	return nil
}

// repeats reports whether the walk has seen this very page, and counts those that
// do not lead further down. A page of one event is not taken for another one: a
// service that repeats events at the border of pages may send it twice.
func (t *loopDetector) repeats(p *decode.Page) bool {
	further := false
	var key string
	switch n := len(p.Events); {
	case n > 0:
		first, last := p.Events[0].Position(), p.Events[n-1].Position()
		further = !t.begun || last.Compare(t.last) < 0
		t.last, t.begun, t.span = last, true, first.Timestamp-last.Timestamp
		key = fmt.Sprint(first, last, p.Elements)
	default:
		key = p.Named()
	}
	seen := key != "" && t.pages[digestOf(key)]
	if key != "" {
		t.pages[digestOf(key)] = true
	}
	if further || len(p.Events) == 0 && key != "" && !seen {
		t.idle = 0
	} else {
		t.idle++
	}
	return seen && p.Elements > 1
}
