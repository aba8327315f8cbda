package ingest

import (
	"crypto/sha256"
	"fmt"

	"datasync/ingest/decode"
	"datasync/internal/model"
)

// maxIdlePages is how many pages in a row may fail to lead further down.
const maxIdlePages = 100

// trail remembers where a walk has been, to notice that it goes in a circle or
// does not get anywhere. What it keeps of a page is a few bytes.
type trail struct {
	cursors map[mark]bool
	pages   map[mark]bool
	before  model.Position // of the last event seen
	span    model.Instant  // of the last page
	begun   bool
	idle    int
}

type mark [16]byte

func markOf(text string) mark {
	sum := sha256.Sum256([]byte(text))
	return mark(sum[:16])
}

func newTrail() *trail { return &trail{cursors: map[mark]bool{}, pages: map[mark]bool{}} }

// led reports whether the cursor has led to a page before.
func (t *trail) led(cursor string) bool { return t.cursors[markOf(cursor)] }

// rises reports whether the page begins above where the last one ended.
func (t *trail) rises(p *decode.Page) bool {
	return t.begun && len(p.Events) > 0 && p.Events[0].Position().Compare(t.before) > 0
}

// above reports whether a page that spans as much time as the last one will most
// likely end above border, and the one after it as well.
func (t *trail) above(border model.Instant) bool {
	return t.begun && t.before.Timestamp-3*t.span > border
}

// follow takes in the page to which the cursor led. It fails with ErrLoop or
// ErrNoCursor where the page leads nowhere.
func (t *trail) follow(cursor string, p *decode.Page) error {
	t.cursors[markOf(cursor)] = true
	repeated := t.repeats(p)
	if !p.HasMore {
		return nil
	}
	switch {
	case p.NextCursor == "":
		return ErrNoCursor
	case t.led(p.NextCursor):
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
func (t *trail) repeats(p *decode.Page) bool {
	further := false
	var face string
	switch n := len(p.Events); {
	case n > 0:
		first, last := p.Events[0].Position(), p.Events[n-1].Position()
		further = !t.begun || last.Compare(t.before) < 0
		t.before, t.begun, t.span = last, true, first.Timestamp-last.Timestamp
		face = fmt.Sprint(first, last, p.Elements)
	default:
		face = p.Named()
	}
	seen := face != "" && t.pages[markOf(face)]
	if face != "" {
		t.pages[markOf(face)] = true
	}
	if further || len(p.Events) == 0 && face != "" && !seen {
		t.idle = 0
	} else {
		t.idle++
	}
	return seen && p.Elements > 1
}
