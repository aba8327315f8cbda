package decode

import (
	"slices"
	"strings"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// RejectsAfter counts the rejects after the given number of elements of the page. Another reading of only
// that many elements says nothing about them.
func (p *Page) RejectsAfter(elements int) (n int) {
	for i, events := range p.RejectAfter {
		if i+events >= elements {
			n++
		}
	}
	return n
}

// element is an event or a reject of a page, by its index among them.
type element struct {
	event, reject int // one of them is -1
}

// elements returns the elements of the page in their order.
func (p *Page) elements() []element {
	all := make([]element, 0, len(p.Events)+len(p.Rejects))
	next := 0
	for i := range p.Rejects {
		for ; next < p.RejectAfter[i]; next++ {
			all = append(all, element{next, -1})
		}
		all = append(all, element{-1, i})
	}
	for ; next < len(p.Events); next++ {
		all = append(all, element{next, -1})
	}
	return all
}

// Repair replaces rejects by events of a second reading of the page. It matches elements by id, or by
// their place between two events of both readings. Their index may differ: the API may have received
// or deleted others in the meantime.
func (p *Page) Repair(second *Page) {
	r := newRepair(p, second)
	r.matchIDs()
	r.matchPlaces()
	r.apply()
}

// repair is the state of Page.Repair.
type repair struct {
	page, second     *Page
	elements, others []element         // of page and of second
	byID             map[uuid.UUID]int // the index in others of each event, the first of duplicates
	events           map[uuid.UUID]bool
	replacement      []int        // for each element, the event of second that replaces it, or -1
	used             map[int]bool // the indexes in others that replace a reject
}

func newRepair(page, second *Page) *repair {
	r := &repair{page: page, second: second, elements: page.elements(), others: second.elements(), used: map[int]bool{}}
	r.byID = make(map[uuid.UUID]int, len(r.others))
	for i, e := range slices.Backward(r.others) {
		if e.event >= 0 {
			r.byID[second.Events[e.event].ID] = i
		}
	}
	r.events = make(map[uuid.UUID]bool, len(page.Events))
	for i := range page.Events {
		r.events[page.Events[i].ID] = true
	}
	r.replacement = make([]int, len(r.elements))
	for i := range r.replacement {
		r.replacement[i] = -1
	}
	return r
}

// replace records that an element of second replaces an element of the page.
func (r *repair) replace(i, other int) {
	r.replacement[i], r.used[other] = r.others[other].event, true
}

// matchIDs matches the rejects with an id.
func (r *repair) matchIDs() {
	for i, e := range r.elements {
		if e.reject < 0 {
			continue
		}
		if id := r.page.Rejects[e.reject].ID; id.Valid {
			if other, ok := r.byID[id.UUID]; ok && !r.used[other] {
				r.replace(i, other)
			}
		}
	}
}

// matchPlaces matches the other rejects, between each two events that both readings have in the same
// order, and after the last one.
func (r *repair) matchPlaces() {
	from, otherFrom := 0, 0
	for i, e := range r.elements {
		if e.event < 0 {
			continue
		}
		if other, ok := r.byID[r.page.Events[e.event].ID]; ok && other >= otherFrom {
			if i-from == other-otherFrom {
				r.matchGap(from, otherFrom, i-from)
			}
			from, otherFrom = i+1, other+1
		}
	}
	r.matchGap(from, otherFrom, min(len(r.elements)-from, len(r.others)-otherFrom))
}

// matchGap matches n elements from two indexes on, one by one.
func (r *repair) matchGap(from, otherFrom, n int) {
	for k := range n {
		e, other := r.elements[from+k], otherFrom+k
		if e.reject < 0 || r.replacement[from+k] >= 0 || r.others[other].event < 0 || r.used[other] {
			continue
		}
		event := &r.second.Events[r.others[other].event]
		if !r.events[event.ID] && sameElement(&r.page.Rejects[e.reject], event) {
			r.replace(from+k, other)
		}
	}
}

// sameElement reports whether the reject may be the event: neither its id nor its timestamp differs. Those
// of a malformed element may be damaged, and do not count.
func sameElement(r *model.Reject, e *model.Event) bool {
	return isDamage(r.Reason) || (!r.ID.Valid || r.ID.UUID == e.ID) && (!r.Timestamp.Valid || r.Timestamp.V == e.Timestamp)
}

// apply rebuilds the page with the replacements.
func (r *repair) apply() {
	if !slices.ContainsFunc(r.replacement, func(n int) bool { return n >= 0 }) {
		return
	}
	p := r.page
	anonymous := map[int]bool{}
	for _, i := range p.anonymous {
		anonymous[i] = true
	}
	events := make([]model.Event, 0, len(p.Events)+len(p.Rejects))
	var rejects []model.Reject
	p.anonymous, p.RejectAfter = nil, nil
	for i, e := range r.elements {
		switch {
		case e.event >= 0:
			events = append(events, p.Events[e.event])
		case r.replacement[i] >= 0:
			events = append(events, ownTexts(r.second.Events[r.replacement[i]]))
		default:
			if anonymous[e.reject] {
				p.anonymous = append(p.anonymous, len(rejects))
			}
			rejects, p.RejectAfter = append(rejects, p.Rejects[e.reject]), append(p.RejectAfter, len(events))
		}
	}
	p.Events, p.Rejects = append(p.Events[:0], events...), rejects
	p.setOrder()
	p.SetRange()
}

// setOrder sets Ordered and Descending.
func (p *Page) setOrder() {
	p.Ordered, p.Descending = true, true
	for i := 1; i < len(p.Events); i++ {
		step := p.Events[i-1].Position().Compare(p.Events[i].Position())
		p.Ordered, p.Descending = p.Ordered && step >= 0, p.Descending && step > 0
	}
}

// ownTexts returns an event that shares no memory with its body.
func ownTexts(e model.Event) model.Event {
	for _, text := range []*string{&e.Type, &e.Name.String, &e.DeviceType.String, &e.Browser.String, &e.Properties, &e.Extra} {
		*text = strings.Clone(*text)
	}
	return e
}
