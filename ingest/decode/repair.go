package decode

import (
	"slices"
	"strings"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// RejectsAfter counts the rejects behind so many elements of the page, which another reading of so many
// does not reach.
func (p *Page) RejectsAfter(elements int) (n int) {
	for i, after := range p.RejectAfter {
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
func (p *Page) elementsOf() []element {
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

// Repair replaces rejects by events of the second response. It matches elements by id, or by their
// position between two events that both responses have, as the API may have received or deleted
// others since.
func (p *Page) Repair(second *Page) {
	mine, others := p.elementsOf(), second.elementsOf()
	byID := make(map[uuid.UUID]int, len(others)) // the place in others of each event, the first one
	for i, e := range slices.Backward(others) {
		if e.event >= 0 {
			byID[second.Events[e.event].ID] = i
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
		if id := p.Rejects[e.reject].ID; id.Valid {
			if at, ok := byID[id.UUID]; ok && !taken[at] {
				found[i], taken[at] = others[at].event, true
			}
		}
	}
	have := make(map[uuid.UUID]bool, len(p.Events))
	for i := range p.Events {
		have[p.Events[i].ID] = true
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
			if event := &second.Events[others[at].event]; !have[event.ID] && sameElement(&p.Rejects[e.reject], event) {
				found[from+i], taken[at] = others[at].event, true
			}
		}
	}
	from, otherFrom := 0, 0
	for i, e := range mine {
		if e.event < 0 {
			continue
		}
		if at, ok := byID[p.Events[e.event].ID]; ok && at >= otherFrom {
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
func (p *Page) replace(elements []element, found []int, second *Page) {
	if !slices.ContainsFunc(found, func(n int) bool { return n >= 0 }) {
		return
	}
	anonymous := map[int]bool{}
	for _, i := range p.anonymous {
		anonymous[i] = true
	}
	events := make([]model.Event, 0, len(p.Events)+len(p.Rejects))
	var rejects []model.Reject
	p.anonymous, p.RejectAfter = nil, nil
	for i, e := range elements {
		switch {
		case e.event >= 0:
			events = append(events, p.Events[e.event])
		case found[i] >= 0:
			events = append(events, ownTexts(second.Events[found[i]]))
		default:
			if anonymous[e.reject] {
				p.anonymous = append(p.anonymous, len(rejects))
			}
			rejects, p.RejectAfter = append(rejects, p.Rejects[e.reject]), append(p.RejectAfter, len(events))
		}
	}
	p.Events, p.Rejects = append(p.Events[:0], events...), rejects
	p.Ordered, p.Descending = true, true
	for i := 1; i < len(p.Events); i++ {
		step := p.Events[i-1].Position().Compare(p.Events[i].Position())
		p.Ordered, p.Descending = p.Ordered && step >= 0, p.Descending && step > 0
	}
	p.Bound()
}

// ownTexts returns an event that shares no memory with the body that it was read from.
func ownTexts(e model.Event) model.Event {
	for _, text := range []*string{&e.Type, &e.Name.String, &e.DeviceType.String, &e.Browser.String, &e.Properties, &e.Extra} {
		*text = strings.Clone(*text)
	}
	return e
}
