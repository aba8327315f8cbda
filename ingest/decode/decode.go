package decode

import (
	"datasync/internal/human"
	"datasync/internal/model"
)

// New returns a decoder of pages.
func New() *Decoder {
	d := &Decoder{top: newPageSplitter(), pagination: newPaginationSplitter(), meta: newMetaSplitter(), keys: rejectKeys{}}
	d.norm = newNormalizer(&d.scan)
	d.top.fields[pageData].scan = d.data
	return d
}

// Decode decodes a page, nested or flat. It accepts the JSON that encoding/json accepts. Any other body is
// an error that wraps ErrMalformed, or a *TooLarge; it names the mistake and its byte, and shows nothing
// of the body. Only an element of data may be malformed: it becomes a reject, if its quotes and brackets
// show where it ends.
//
// The events overwrite the memory of events up to its capacity; the memory beyond them is
// unchanged. Events and rejects share the memory of the body.
func (d *Decoder) Decode(body string, events []model.Event) (Page, error) {
	d.scan.text, d.page.Events = body, events
	defer d.release()
	if err := d.document(); err != nil {
		if d.tooManyElements {
			err = &TooLarge{Limit: human.Thousands(MaxElements) + " elements", Counted: true, Elements: MaxElements}
		}
		return Page{}, err
	}
	if !d.scan.begins(d.top.values[pageData], '[') {
		return Page{}, malformed("data is not an array", d.top.values[pageData].start)
	}
	if err := d.readPagination(); err != nil {
		return Page{}, err
	}
	if err := d.readMeta(); err != nil {
		return Page{}, err
	}
	d.page.SetRange()
	return d.page, nil
}

// DecodeCut decodes a page whose large elements were cut by a Truncator, with its Cuts.
func (d *Decoder) DecodeCut(body string, cuts map[int]Cut, events []model.Event) (Page, error) {
	d.cuts = cuts
	return d.Decode(body, events)
}

// release drops all references to the body and the page.
func (d *Decoder) release() {
	d.scan, d.page, d.tooManyElements, d.cuts = scanner{}, Page{}, false, nil
	for _, o := range []*objectSplitter{d.top, d.pagination, d.meta} {
		o.release()
	}
	d.norm.release()
}

// document scans the whole body, which must be one object.
func (d *Decoder) document() error {
	s := &d.scan
	i := s.space(0)
	if i == len(s.text) {
		return malformed("empty", i)
	}
	if s.text[i] != '{' {
		return malformed("expected an object", i)
	}
	if i = s.split(i, 0, d.top); i == stopped {
		return malformed(s.failure, s.failureAt)
	}
	if i = s.space(i); i != len(s.text) {
		return malformed("text after the end", i)
	}
	if d.top.duplicated != 0 {
		return malformed("duplicate member", 0)
	}
	return nil
}

// data scans the member data. A duplicate replaces the result of the first one; document refuses it.
func (d *Decoder) data(i, depth int) int {
	s := &d.scan
	d.page = Page{Events: d.page.Events[:0], Ordered: true, Descending: true}
	clear(d.keys)
	if !s.at(i, '[') {
		return s.value(i, depth)
	}
	if i = s.space(i + 1); s.at(i, ']') {
		return i + 1
	}
	if cap(d.page.Events) == 0 {
		d.page.Events = make([]model.Event, 0, guessEvents(len(s.text)-i))
	}
	for {
		if i = d.element(i, depth+1); i == stopped {
			return stopped
		}
		if s.text[i] == ']' {
			return i + 1
		}
		i = s.space(i + 1) // after the comma
	}
}

// guessEvents guesses how many events a body of size bytes holds. The API's have about 350 bytes, and its
// pages at most 5,000 events. The bound keeps a large body of something else from reserving memory.
func guessEvents(size int) int { return min(size/300+1, 6000) }

// element decodes the element of data at i, and returns the offset of the comma or bracket after it.
func (d *Decoder) element(i, depth int) int {
	p := &d.page
	n := len(p.Events)
	if n < cap(p.Events) {
		p.Events = p.Events[:n+1]
	} else {
		p.Events = append(p.Events, model.Event{})
	}
	if p.Elements++; p.Elements > MaxElements {
		d.tooManyElements = true
		return d.scan.fail(i, "more than "+human.Thousands(MaxElements)+" elements")
	}
	if len(d.cuts) > 0 {
		if c, ok := d.cuts[i]; ok {
			return d.truncated(i, depth, c)
		}
	}
	end, closes := d.fastPath(i, depth, &p.Events[n]), stopped
	if end != stopped && end-i <= maxElement {
		closes = d.scan.closes(end)
	}
	if closes == stopped {
		var reason string
		if end, reason = d.slowPath(i, depth, &p.Events[n]); end == stopped {
			return stopped
		}
		closes = d.scan.closes(end)
		if reason != "" {
			d.reject(i, end, reason)
			return closes
		}
	}
	if n > 0 && p.Ordered {
		step := p.Events[n-1].Position().Compare(p.Events[n].Position())
		p.Ordered, p.Descending = step >= 0, p.Descending && step > 0
	}
	return closes
}

// slowPath decodes an element in any notation, and returns the reason if it is not an event. The end is
// stopped if the element is malformed and does not show where it ends.
func (d *Decoder) slowPath(i, depth int, e *model.Event) (end int, reason string) {
	s := &d.scan
	if end, reason = d.norm.element(i, depth, e); end != stopped && s.closes(end) != stopped {
		return end, reason
	}
	if end != stopped {
		s.expected(s.space(end), "a comma or a closing bracket")
	}
	if end = elementEnd(s.text, i); end == stopped {
		return stopped, ""
	}
	for isSpace(s.text[end-1]) {
		end--
	}
	switch {
	case end-i > maxElement:
		reason = reasonTooLarge
	case s.failure == tooDeep:
		reason = reasonTooDeep
	default:
		reason = ReasonBadJSON
	}
	d.page.Damaged++
	return end, reason
}

// truncated makes a reject of a truncated element, of which the text has only the beginning.
func (d *Decoder) truncated(i, depth int, c Cut) int {
	s := &d.scan
	text, e := s.text, &d.page.Events[len(d.page.Events)-1]
	s.text = text[:c.end]
	_, _ = d.norm.element(i, depth, e)
	d.reject(i, c.end, reasonTooLarge)
	r := &d.page.Rejects[len(d.page.Rejects)-1]
	r.Raw = cutText(s.text[i:], c.size, c.digest)
	if !r.ID.Valid {
		r.Key = d.keys.nextOf(c.digest)
	}
	s.text = text
	if end := s.closes(c.end); end != stopped {
		return end
	}
	return s.expected(s.space(c.end), "a comma or a closing bracket")
}

// reject makes a reject of the element from i to end, for which element has reserved an event.
func (d *Decoder) reject(i, end int, reason string) {
	p := &d.page
	n := len(p.Events) - 1
	p.Events = p.Events[:n]
	if d.norm.anonymous(i, end, reason) {
		p.anonymous = append(p.anonymous, len(p.Rejects))
	}
	p.Rejects, p.RejectAfter = append(p.Rejects, d.norm.reject(i, end, reason, d.keys)), append(p.RejectAfter, n)
}
