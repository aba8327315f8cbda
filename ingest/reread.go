package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// The service sends malformed elements on purpose, in one response only: it omits fields, or writes
// invalid timestamps. So the walk requests a page with rejects once more.

const (
	// firstRereads is how many pages with rejects are read again in any case, rereadShare how
	// many requests there must be for each one after that.
	firstRereads, rereadShare = 20, 10
)

// rereads counts the pages of a pull that were read again. Its zero value is ready, for any
// goroutine.
type rereads struct {
	mu   sync.Mutex
	done int64
}

// may reports whether one more page may be read again, after so many requests, and counts it.
func (r *rereads) may(requests int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done >= firstRereads && (r.done+1)*rereadShare >= requests {
		return false
	}
	r.done++
	return true
}

// readAgain requests a page with rejects once more and replaces each reject by the valid event of
// the second response. It prefers the same endpoint. If the request fails, it keeps the rejects and
// counts them as not read again.
//
// Elements that are no JSON may as well be a page that was damaged on its way. So such a page
// fails if it cannot be requested again. If the API does not say how many elements the page has, one
// such element may be two that lost what was between them: then a second response without such elements
// takes the place of the first, and one with some must have as many elements.
func (w *walk) readAgain(ctx context.Context, at ask, f fetched, got *walked) error {
	first := &got.page
	if len(first.rejects) == 0 {
		return nil
	}
	doubtful := first.damaged > 0 && !first.counted
	if !w.rereads.may(w.endpoints.sent()) && !doubtful {
		w.tally.notReadAgain(len(first.rejects))
		return nil
	}
	if w.ahead != nil {
		// Two at a time would have the one or the other go to an endpoint with smaller pages.
		f := <-w.ahead.result
		w.ahead.result <- f
	}
	at.only, at.soon, at.beside = f.endpoint, true, f.sheet.place != nil // whose pages are as large
	if at.limit == 0 && first.damaged == 0 {
		at.limit = first.elements // the same page, but not the same URL for a cache
	}
	again := w.askFresh(ctx, at, true)
	defer w.sheets.giveBack(again.sheet)
	err := again.err
	if err == nil {
		var second page
		second, err = newDecoder().decodeSheet(again.sheet)
		if err == nil && doubtful && second.damaged == 0 {
			f.sheet.text, again.sheet.text = again.sheet.text, f.sheet.text
			f.sheet.cuts = again.sheet.cuts
			return w.decode(f, got)
		}
		if err == nil && doubtful && second.elements != first.elements {
			err = fmt.Errorf("%w: %d elements, some of which are no JSON, and %d when read again", errBadPage, first.elements, second.elements)
		}
		if err == nil {
			again.sheet.events = second.events
			w.tally.notReadAgain(first.rejectsBehind(second.elements))
			first.mend(&second)
			f.sheet.events = first.events
			return nil
		}
		err = w.endpoints.client.unread(again.endpoint, again.sheet, err)
	}
	if doubtful || first.damaged > 0 && !permanent(err) {
		return err
	}
	w.tally.notReadAgain(len(first.rejects))
	return nil
}

// rejectsBehind counts the rejects behind so many elements of the page, which another reading of so many
// does not reach.
func (p *page) rejectsBehind(elements int) (n int) {
	for i, after := range p.rejectAfter {
		if i+after >= elements {
			n++
		}
	}
	return n
}

// element is an event or a reject of a page, by its index among them.
type element struct {
	event, reject int // -1 where it is the other
}

// elementsOf returns a page's elements in the order in which they came.
func (p *page) elementsOf() []element {
	all := make([]element, 0, len(p.events)+len(p.rejects))
	next := 0
	for i := range p.rejects {
		for ; next < p.rejectAfter[i]; next++ {
			all = append(all, element{next, -1})
		}
		all = append(all, element{-1, i})
	}
	for ; next < len(p.events); next++ {
		all = append(all, element{next, -1})
	}
	return all
}

// mend replaces rejects by events of the second response. It matches elements by id, or by their
// position between two events that both responses have, as the API may have received or deleted
// others since.
func (p *page) mend(second *page) {
	mine, others := p.elementsOf(), second.elementsOf()
	byID := make(map[uuid.UUID]int, len(others)) // the place in others of each event, the first one
	for i, e := range slices.Backward(others) {
		if e.event >= 0 {
			byID[second.events[e.event].ID] = i
		}
	}
	found := make([]int, len(mine)) // the event of second that takes the place of a reject
	for i := range found {
		found[i] = -1
	}
	taken := map[int]bool{}
	for i, e := range mine {
		if e.reject < 0 {
			continue
		}
		if id := p.rejects[e.reject].ID; id.Valid {
			if at, ok := byID[id.UUID]; ok && !taken[at] {
				found[i], taken[at] = others[at].event, true
			}
		}
	}
	have := make(map[uuid.UUID]bool, len(p.events))
	for i := range p.events {
		have[p.events[i].ID] = true
	}
	gap := func(from, to, otherFrom, otherTo int) {
		if to-from != otherTo-otherFrom {
			return
		}
		for i := range to - from {
			e, at := mine[from+i], otherFrom+i
			if e.reject < 0 || found[from+i] >= 0 || others[at].event < 0 || taken[at] {
				continue
			}
			if event := &second.events[others[at].event]; !have[event.ID] && sameElement(&p.rejects[e.reject], event) {
				found[from+i], taken[at] = others[at].event, true
			}
		}
	}
	from, otherFrom := 0, 0
	for i, e := range mine {
		if e.event < 0 {
			continue
		}
		if at, ok := byID[p.events[e.event].ID]; ok && at >= otherFrom {
			gap(from, i, otherFrom, at)
			from, otherFrom = i+1, at+1
		}
	}
	rest := min(len(mine)-from, len(others)-otherFrom)
	gap(from, from+rest, otherFrom, otherFrom+rest)
	p.replace(mine, found, second)
}

// sameElement reports whether nothing that the reject shows speaks against its being the event. What
// an element shows that is no JSON may be what was damaged.
func sameElement(r *model.Reject, e *model.Event) bool {
	return isDamage(r.Reason) || (!r.ID.Valid || r.ID.UUID == e.ID) && (!r.Timestamp.Valid || r.Timestamp.V == e.Timestamp)
}

// replace builds the page anew, with the events of second that take the places of rejects.
func (p *page) replace(elements []element, found []int, second *page) {
	if !slices.ContainsFunc(found, func(n int) bool { return n >= 0 }) {
		return
	}
	anonymous := map[int]bool{}
	for _, i := range p.anonymous {
		anonymous[i] = true
	}
	events := make([]model.Event, 0, len(p.events)+len(p.rejects))
	var rejects []model.Reject
	p.anonymous, p.rejectAfter = nil, nil
	for i, e := range elements {
		switch {
		case e.event >= 0:
			events = append(events, p.events[e.event])
		case found[i] >= 0:
			events = append(events, ownTexts(second.events[found[i]]))
		default:
			if anonymous[e.reject] {
				p.anonymous = append(p.anonymous, len(rejects))
			}
			rejects, p.rejectAfter = append(rejects, p.rejects[e.reject]), append(p.rejectAfter, len(events))
		}
	}
	p.events, p.rejects = append(p.events[:0], events...), rejects
	p.ordered, p.descending = true, true
	for i := 1; i < len(p.events); i++ {
		step := p.events[i-1].Position().Compare(p.events[i].Position())
		p.ordered, p.descending = p.ordered && step >= 0, p.descending && step > 0
	}
	p.bound()
}

// ownTexts returns an event that shares no memory with the body that it was read from.
func ownTexts(e model.Event) model.Event {
	for _, text := range []*string{&e.Type, &e.Name.String, &e.DeviceType.String, &e.Browser.String, &e.Properties, &e.Extra} {
		*text = strings.Clone(*text)
	}
	return e
}
