package walk

import (
	"crypto/sha256"
	"fmt"

	"datasync/ingest/decode"
	"datasync/internal/human"
	"datasync/internal/model"
)

// maxIdlePages is how many pages in a row may lead no further down.
const maxIdlePages = 100

// loopDetector detects a walk that repeats pages or makes no progress. It keeps a few bytes of each
// page.
type loopDetector struct {
	cursors map[digest]bool
	pages   map[digest]bool
	last    model.Position // of the last event, once begun
	span    model.Instant  // of the last page
	begun   bool
	idle    int // pages in a row that led no further down
}

// digest represents a text in the detector's memory.
type digest [16]byte

func digestOf(text string) digest {
	sum := sha256.Sum256([]byte(text))
	return digest(sum[:16])
}

func newLoopDetector() *loopDetector {
	return &loopDetector{cursors: map[digest]bool{}, pages: map[digest]bool{}}
}

// hasLed reports whether the cursor has led to a page already.
func (t *loopDetector) hasLed(cursor string) bool { return t.cursors[digestOf(cursor)] }

// rises reports whether the page begins above where the last one ended.
func (t *loopDetector) rises(p *decode.Page) bool {
	return t.begun && len(p.Events) > 0 && p.Events[0].Position().Compare(t.last) > 0
}

// staysAbove reports whether the next two pages will most likely end above border, if each spans as much time
// as the last one.
func (t *loopDetector) staysAbove(border model.Instant) bool {
	return t.begun && t.last.Timestamp-3*t.span > border
}

// check records the page of a cursor. It fails with ErrLoop or ErrNoCursor if the page leads nowhere.
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
		return fmt.Errorf("%w: %s led no further down", ErrLoop, human.Counted(int64(t.idle), "page"))
	}
	return nil
}

// repeats reports whether the walk has seen this page before, and counts pages that lead no further down. A
// page of one event may come twice: some services repeat the last event of a page on the next one.
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
