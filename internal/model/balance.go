package model

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Balance is the result of comparing a file with the API's total. Only walks to the end prove that
// no event is missing; a total can disprove it.
type Balance struct {
	// Missing is how many events are missing at least.
	Missing int64
	// Gone is how many events of the file are no longer at the API at least. Whether others
	// are missing cannot be told then.
	Gone int64
	// Unclear says that events left the API while pages were read, so that its totals say
	// neither.
	Unclear bool
	// Copies is how many of the elements that the API counts are exact copies of others.
	Copies int64
}

// Weigh compares how many elements are here, events and unresolved rejects together, with the
// totals of the newest window's first and last page. Of copies, which are not stored, so many
// are known.
func Weigh(first, last, here, copies int64) Balance {
	// The first total counts events that the API deleted during the walk, the last those that arrived.
	low := min(first, last)
	if here > last && here >= first {
		return Balance{Gone: here - last}
	}
	if here > low {
		// Either an event was deleted unread, or one that was read.
		return Balance{Gone: max(0, here-last), Unclear: here < first}
	}
	b := Balance{Missing: low - here, Unclear: here == last && here < first}
	b.Copies = min(b.Missing, copies)
	b.Missing -= b.Copies
	return b
}

// Unusable reports whether most of what a pull met could not be stored, so that it was no success: the
// file holds no event although elements came, or more than half of at least leastNew new ones were
// rejected.
func Unusable(events, met, stored, rejected int64) bool {
	fresh := stored + rejected
	return events == 0 && met > 0 || fresh >= leastNew && 2*rejected > fresh
}

const leastNew = 100

// Witness is what the API's totals say of a file; the zero value says nothing.
type Witness struct {
	// First and Last are the totals of the newest window's first and last page.
	First, Last sql.Null[int64]
	// Copies is how many exact copies came in the last walk to the end and above it.
	Copies int64
	// Bounded says that the file begins at a start bound, and that the API has events below it
	// or may have: its total counts those, too.
	Bounded bool
	// ToTheEnd is when the last walk to the end began that has come there, zero where that is
	// not known.
	ToTheEnd time.Time
}

// WitnessOf returns what windows say, the newest first as Windows returns them; what was opened
// and never begun says nothing. Repeats is what Repeats returns.
func WitnessOf(windows []Checkpoint, repeats int64) (w Witness) {
	var newest int64
	bounded, ranOut := false, false
	for i := range windows {
		k := &windows[i]
		if k.NeverBegun() {
			continue
		}
		if newest == 0 {
			newest, bounded = k.Whole, k.Floor.Valid
			w.First, w.Last = k.Total, k.Total
		}
		if k.Whole == newest && k.PageTotal.Valid && w.First.Valid {
			// The parts' last pages came in any order.
			w.Last.V = furthest(w.First.V, w.Last.V, k.PageTotal.V)
		}
		w.Copies += k.Copies
		ranOut = ranOut || k.RanOut
		last := i+1 == len(windows) || windows[i+1].Whole != k.Whole
		if last && k.ToTheEnd() {
			if done(windows, k.Whole) {
				w.ToTheEnd = topOf(windows, k.Whole)
			}
			break
		}
	}
	w.Copies = max(w.Copies, repeats)
	w.Bounded = bounded && !ranOut
	return w
}

// furthest returns which of two totals lies further from the first one.
func furthest(first, a, b int64) int64 {
	if max(first-b, b-first) > max(first-a, a-first) {
		return b
	}
	return a
}

// done reports whether a window was walked to its end, with all its parts.
func done(windows []Checkpoint, whole int64) bool {
	for i := range windows {
		if windows[i].Whole == whole && windows[i].State != Done {
			return false
		}
	}
	return true
}

// topOf is when the walk of a window was last at the newest event.
func topOf(windows []Checkpoint, whole int64) time.Time {
	for i := range windows {
		if windows[i].Window == whole {
			return windows[i].TopAt
		}
	}
	return time.Time{}
}

// Weigh is Weigh by these totals; it is not valid where nothing is known.
func (w *Witness) Weigh(here int64) (b sql.Null[Balance]) {
	if !w.First.Valid || w.Bounded {
		return b
	}
	return sql.Null[Balance]{V: Weigh(w.First.V, w.Last.V, here, w.Copies), Valid: true}
}

// Deficit is the state of a file of which the last pull found that events are missing.
type Deficit struct {
	// Missing is how many are at least, by this total of the API.
	Missing, Total int64
	// Walked says that a walk to the end has ended so. Else the next pull walks to the end.
	Walked bool
}

// String is how the file keeps it; ParseDeficit reads it.
func (d Deficit) String() string {
	state := "due"
	if d.Walked {
		state = "walked"
	}
	return fmt.Sprintf("%d of %d, %s", d.Missing, d.Total, state)
}

// ParseDeficit reads what Deficit.String wrote.
func ParseDeficit(text string) (d Deficit, err error) {
	var state string
	_, err = fmt.Sscanf(text, "%d of %d, %s", &d.Missing, &d.Total, &state)
	if d.Walked = state == "walked"; err != nil || !d.Walked && state != "due" {
		return Deficit{}, errors.New("deficit is " + strings.ToValidUTF8(fmt.Sprintf("%.100q", text), "?"))
	}
	return d, nil
}
