package model

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Balance compares a file with the API's total. Only walks to the end prove that no event is missing; a
// total can disprove it.
type Balance struct {
	// Missing is how many events are missing, at least.
	Missing int64
	// Gone is how many events of the file are no longer at the API, at least. Then it is unknown
	// whether others are missing.
	Gone int64
	// Unclear says that the API deleted events during the walk, so that its totals prove neither.
	Unclear bool
	// Copies is how many elements in the API's total are exact copies of others.
	Copies int64
}

// Weigh compares the elements of a file, its events and unresolved rejects together, with the totals of the
// newest window's first and last page. Copies is how many exact copies are known, which the file does
// not store.
func Weigh(first, last, stored, copies int64) Balance {
	// The first total includes events that were deleted during the walk, the last one those that arrived.
	low := min(first, last)
	if stored > last && stored >= first {
		return Balance{Gone: stored - last}
	}
	if stored > low {
		// An event was deleted, before or after it was read.
		return Balance{Gone: max(0, stored-last), Unclear: stored < first}
	}
	b := Balance{Missing: low - stored, Unclear: stored == last && stored < first}
	b.Copies = min(b.Missing, copies)
	b.Missing -= b.Copies
	return b
}

// Unusable reports whether a pull has failed because it could store hardly anything: the file has no event
// although the pull met elements, or more than half of at least leastNew new elements were rejected.
func Unusable(events, met, stored, rejected int64) bool {
	fresh := stored + rejected
	return events == 0 && met > 0 || fresh >= leastNew && 2*rejected > fresh
}

const leastNew = 100

// Witness is what the API's totals say about a file. The zero value says nothing.
type Witness struct {
	// First and Last are the totals of the newest window's first and last page.
	First, Last sql.Null[int64]
	// Copies is how many exact copies the last walk to the end and later walks met.
	Copies int64
	// Bounded says that the file begins at a start bound, and that the API may have events below
	// it, which its total includes.
	Bounded bool
	// ToTheEnd is when the last complete walk to the end began; zero if unknown.
	ToTheEnd time.Time
}

// WitnessOf returns the witness of windows, the newest first as store.Windows returns them. It skips windows
// that were never begun. Repeats is the number of exact copies that store.Repeats returns.
func WitnessOf(windows []Checkpoint, repeats int64) (w Witness) {
	var newest int64
	bounded, ranOut := false, false
	for i := range windows {
		k := &windows[i]
		if k.NeverBegun() {
			continue
		}
		if newest == 0 {
			newest, bounded = k.Whole, k.StartBound.Valid
			w.First, w.Last = k.Total, k.Total
		}
		if k.Whole == newest && k.PageTotal.Valid && w.First.Valid {
			// The shards' last pages have no order in time.
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

// furthest returns which of two totals differs more from the first one.
func furthest(first, a, b int64) int64 {
	if max(first-b, b-first) > max(first-a, a-first) {
		return b
	}
	return a
}

// done reports whether the walk of a window, with all its shards, has reached its end.
func done(windows []Checkpoint, whole int64) bool {
	for i := range windows {
		if windows[i].Whole == whole && windows[i].State != Done {
			return false
		}
	}
	return true
}

// topOf returns when the walk of a window last began at the newest event.
func topOf(windows []Checkpoint, whole int64) time.Time {
	for i := range windows {
		if windows[i].Window == whole {
			return windows[i].TopAt
		}
	}
	return time.Time{}
}

// Weigh compares the elements of a file with these totals. The result is invalid if they say nothing.
func (w *Witness) Weigh(stored int64) (b sql.Null[Balance]) {
	if !w.First.Valid || w.Bounded {
		return b
	}
	return sql.Null[Balance]{V: Weigh(w.First.V, w.Last.V, stored, w.Copies), Valid: true}
}

// Deficit is the state of a file of which the last pull found that events are missing.
type Deficit struct {
	// Missing is how many events are missing, at least, by the API's Total.
	Missing, Total int64
	// Walked says that a walk to the end found the same. Otherwise the next pull walks to the end.
	Walked bool
}

// String returns the form that the file stores; ParseDeficit parses it.
func (d Deficit) String() string {
	state := "due"
	if d.Walked {
		state = "walked"
	}
	return fmt.Sprintf("%d of %d, %s", d.Missing, d.Total, state)
}

// ParseDeficit parses the result of Deficit.String.
func ParseDeficit(text string) (d Deficit, err error) {
	var state string
	_, err = fmt.Sscanf(text, "%d of %d, %s", &d.Missing, &d.Total, &state)
	if d.Walked = state == "walked"; err != nil || !d.Walked && state != "due" {
		return Deficit{}, errors.New("deficit is " + strings.ToValidUTF8(fmt.Sprintf("%.100q", text), "?"))
	}
	return d, nil
}
