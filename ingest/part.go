package ingest

import (
	"database/sql"
	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/internal/model"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// leastPages is how many pages must be left of a part for it to be split: a border costs
// half a page on average, which both sides read. Where requests are to be had, time counts
// more: there it is leastAtLast.
const leastPages, leastAtLast = 4, 2

// part is a window, or a part of one, in a crew, whose lock guards it.
//
// It ends where it has read the event with which the part below began. So nothing can lie
// between them, whatever the API makes of a bound.
type part struct {
	crew *crew
	// k is its checkpoint as it was when its walk began, and as committed last after that;
	// its borders are those of now.
	k     model.Checkpoint
	state partState
	// ending says that its walk has read its last page.
	ending bool
	first  sql.Null[model.Position] // that it has read
	last   sql.Null[model.Position] // the oldest of what it has read
	at     sql.Null[model.Instant]  // down to where it has read
	span   model.Instant            // of its last page
	early  sql.Null[model.Position] // where a page said that nothing follows, though there was something
	// slack is the share of a page by which its last one will go beyond its end, if pages
	// stay as they are; 0 where nothing is known of that.
	slack float64
}

type partState int

const (
	waiting  partState = iota // for a walk
	walking                   // by one
	finished                  // it was walked to its end
	lost                      // it was not, and nothing more is known
	stuck                     // it cannot be, and no part above can take it
)

func newPart(c *crew, k model.Checkpoint) *part {
	t := &part{crew: c, k: k, first: k.First, last: k.Last}
	if k.State == model.Done {
		t.state = finished
	}
	if k.Last.Valid {
		t.at = sql.Null[model.Instant]{V: k.Last.V.Timestamp, Valid: true}
	}
	return t
}

// checkpoint returns the checkpoint with which a walk begins.
func (t *part) checkpoint() model.Checkpoint {
	t.crew.mu.Lock()
	defer t.crew.mu.Unlock()
	return t.k
}

// committed keeps the checkpoint as it was committed last.
func (t *part) committed(k model.Checkpoint) {
	t.crew.mu.Lock()
	defer t.crew.mu.Unlock()
	k.Lower = t.k.Lower
	t.k = k
}

// below returns the part below, nil where there is none.
func (t *part) below() *part {
	if i := slices.Index(t.crew.parts, t); i >= 0 && i+1 < len(t.crew.parts) {
		return t.crew.parts[i+1]
	}
	return nil
}

// border returns an instant above which the part certainly does not end, if there is one.
func (t *part) border() sql.Null[model.Instant] {
	t.crew.mu.Lock()
	defer t.crew.mu.Unlock()
	border := t.k.Lower
	if b := t.below(); b != nil && b.first.Valid {
		border.V = max(border.V, b.first.V.Timestamp)
	}
	return border
}

// start returns the request for the part's first page, and the newest instant that may come
// with it.
func (t *part) start() (a api.Request, bound model.Instant) {
	t.crew.mu.Lock()
	defer t.crew.mu.Unlock()
	starter := t.crew.starter
	if starter == nil {
		starter = byTime
	}
	return starter(t.k.Begins.V), model.Instant((milliseconds(t.k.Begins.V)+1)*1000 + 999)
}

// byTime asks for the newest page whose events are of the instant's millisecond or older.
func byTime(at model.Instant) api.Request {
	return api.Request{Until: milliseconds(at) + 1, Bounded: true}
}

// milliseconds returns the millisecond in which an instant lies.
func milliseconds(at model.Instant) int64 {
	ms := int64(at) / 1000
	if int64(at)%1000 < 0 {
		ms--
	}
	return ms
}

// begins takes note of the first event that the part has read, on a page whose newest is
// given. It refuses one that lies further down than where the part above has ended, if that
// has: nobody would read what is between.
func (t *part) begins(first, newest model.Position) error {
	t.crew.mu.Lock()
	defer t.crew.mu.Unlock()
	if i := slices.Index(t.crew.parts, t); i > 0 {
		above := t.crew.parts[i-1]
		if (above.ending || above.state == finished) && above.last.Valid && newest.Compare(above.last.V) < 0 {
			return fmt.Errorf("%w after %s", errNotProven, above.last.V.Timestamp.Time().Format(time.RFC3339Nano))
		}
	}
	if !t.first.Valid {
		t.first = sql.Null[model.Position]{V: first, Valid: true}
	}
	return nil
}

// errEndsTooEarly: a page says that nothing follows, though there are known events below.
var errEndsTooEarly = errors.New("a page says that it is the last one, and is not")

// read takes in a page that the walk stands behind, and reports whether it is the part's
// last one. It fails with errEndsTooEarly.
func (t *part) read(w *walked, unordered bool) (last bool, err error) {
	c, p := t.crew, &w.page
	defer c.changed()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unordered = c.unordered || unordered
	c.offsets = c.offsets || w.lastIsEvent && p.NextCursor != "" && !namesPlace(p.NextCursor, w.lastEvent)
	if len(p.Events) > 0 {
		if !t.last.Valid || p.Oldest.Compare(t.last.V) < 0 {
			t.last = sql.Null[model.Position]{V: p.Oldest, Valid: true}
		}
		t.at = sql.Null[model.Instant]{V: p.Oldest.Timestamp, Valid: true}
		if p.Descending {
			t.span = p.Newest.Timestamp - p.Oldest.Timestamp
		}
	}
	c.read++
	c.sample.take(p)
	c.sample.bytes = w.bytes
	c.pages.Store(int64(c.pagesLeft()))
	if t.ending = t.endsWith(p); t.ending && t.below() != nil {
		w.reached = t.below().first
	}
	if t.ending || p.HasMore {
		return t.ending, nil
	}
	// Of a part below that has not begun it is not known whether there is anything, and one
	// that began while this one read on may lie behind it. Where the API says the same again
	// after another way on, all that lay below is gone.
	if b := t.below(); b != nil && b.first.Valid && (!t.last.Valid || t.last.V.Compare(b.first.V) > 0) {
		if t.early.Valid && t.early.V == t.last.V {
			t.ending = true
			return true, nil
		}
		t.early = t.last
		return false, errEndsTooEarly
	}
	t.ending, w.ranOut = true, t.below() == nil
	return true, nil
}

// endsWith reports whether the part ends with the page, as its events go down to what is
// below.
func (t *part) endsWith(p *decode.Page) bool {
	if len(p.Events) == 0 {
		return false
	}
	if b := t.below(); b != nil {
		return b.first.Valid && p.Reaches(b.first.V, t.crew.unordered)
	}
	border := t.k.Lower
	if t.crew.unordered || t.k.Floor.Valid && t.k.ToTheEnd() {
		// Below the border something newer may still follow, but hardly after a whole
		// page; and no total would tell.
		return border.Valid && p.Newest.Timestamp < border.V
	}
	return border.Valid && p.Oldest.Timestamp < border.V
}

// take notes what pages are like.
func (s *sample) take(p *decode.Page) {
	if !p.Descending || len(p.Events) < 2 {
		return
	}
	s.span, s.elements, s.newest = p.Newest.Timestamp-p.Oldest.Timestamp, p.Elements, p.Newest.Timestamp
	s.cursor = p.NextCursor
	for i := len(p.Events) - 1; i > 0; i-- {
		if milliseconds(p.Events[i].Timestamp) != milliseconds(p.Events[i-1].Timestamp) {
			s.known = sql.Null[model.Position]{V: p.Events[i].Position(), Valid: true}
			return
		}
	}
}

// pagesLeft is about how many pages are left of all parts; 0 where that is not known.
func (c *crew) pagesLeft() float64 {
	if elements := c.p.Progress.left(); elements > 0 && c.sample.elements > 0 {
		return float64(elements) / float64(c.sample.elements)
	}
	sum := 0.0
	for _, t := range c.parts {
		sum += t.left()
	}
	return sum
}

// left is about how many pages are left of the part, but for the one that is asked for; 0
// where that is not known.
func (t *part) left() float64 {
	c := t.crew
	top, bottom, span := t.at, t.k.Lower, t.span
	if !top.Valid {
		top = t.k.Begins
	}
	if c.oldest.Valid && (!bottom.Valid || bottom.V < c.oldest.V) {
		bottom = c.oldest
	}
	if span <= 0 {
		span = c.sample.span
	}
	if t.state == finished || t.ending || !top.Valid || !bottom.Valid || span <= 0 {
		return 0
	}
	return max(0, float64(top.V-bottom.V)/float64(span)-1)
}

// whereToSplit returns the part with most left, and the border at which to split it for one
// of several more walks; nil where there is none worth it. Each walk is to get as much, and
// an idle one the older half. The border lies below what the owner has asked for.
//
// What is left to the owner is a whole number of pages and a little less, so that of its last
// one little is the other part's, too. Where the owner's end was chosen in that way, both
// sides get half of its slack.
func (c *crew) whereToSplit(more int) (owner *part, border model.Instant, slack float64) {
	if c.starter == nil || c.unordered || c.offsets {
		return nil, 0, 0
	}
	all, most := 0.0, 0.0
	for _, t := range c.parts {
		left := t.left()
		all += left
		if left > most && t.state == walking {
			owner, most = t, left
		}
	}
	least := float64(leastPages)
	if c.p.dispatcher.CanSendSoon(int(all)) {
		least = leastAtLast
	}
	if most < least {
		return nil, 0, 0
	}
	span, top := owner.span, owner.at
	if span <= 0 {
		span = c.sample.span
	}
	if !top.Valid {
		top = owner.k.Begins
	}
	if slack = owner.slack / 2; slack == 0 {
		slack = usualSlack
	}
	share := min(most/2, max(least/2, all/float64(c.walks+more)))
	pages := 1 + max(1, math.Round(most-share)) - slack
	border = model.Instant(milliseconds(top.V-model.Instant(pages*float64(span))) * 1000)
	if border >= top.V || owner.k.Lower.Valid && border <= owner.k.Lower.V {
		return nil, 0, 0
	}
	return owner, border, slack
}

const usualSlack = 0.15
