package mockserver

import (
	"slices"
	"strconv"
)

// bytesPerEvent is slightly above the mean size of an event. Buffers are grown by it.
const bytesPerEvent = 360

// chaosKinds are the malformations of Options.ChaosRate.
var chaosKinds = [...]Malformed{IDMissing, TypeMissing, TimestampMissing, SessionIDMissing}

// renderPage appends the body of a page and returns the number of its events. It calls ready with
// that number before it makes the cursor, whose life counts from when the page is sent.
func (s *Server) renderPage(dst []byte, p *pagePlan, ready func(events int)) ([]byte, int) {
	dst = slices.Grow(dst, min(p.limit, max(0, p.stop-p.start))*bytesPerEvent+4096)
	dst = append(dst, `{"data":[`...)
	dst, rows, end := s.renderEvents(dst, p)
	ready(rows)
	if !s.opts.TailFirst {
		dst = append(dst, `],`...)
		dst = s.renderTail(dst, p, rows, end)
		return append(dst, '}'), rows
	}
	page := append([]byte{'{'}, s.renderTail(nil, p, rows, end)...)
	page = append(append(page, ','), dst[1:]...)
	return append(page, `]}`...), rows
}

// renderEvents appends the events, separated by commas. It returns their number and the index
// after the last one.
func (s *Server) renderEvents(dst []byte, p *pagePlan) (_ []byte, rows, end int) {
	rd := renderer{d: s.data, epochOnly: p.epochOnly}
	chaosEvery, chaosLeft := 0, 0
	if p.chaos && p.chaosEvents > 0 {
		chaosLeft = p.chaosEvents
		chaosEvery = max(1, min(p.limit, p.stop-p.start)/chaosLeft)
	}
	render := func(i int, again bool) {
		r := s.data.record(p.view.key(i))
		if again && s.opts.RepeatChanged {
			r.name = [nameLength]byte([]byte("other"))
		}
		if chaosLeft > 0 && rows%chaosEvery == 0 {
			chaosLeft--
			r.malformed = chaosKinds[mix(uint64(p.serial)^uint64(rows)<<32)%uint64(len(chaosKinds))]
		}
		if rows > 0 {
			dst = append(dst, ',')
		}
		dst = rd.appendEvent(dst, &r)
		rows++
	}
	wanted := p.filter.over(p.view)
	if s.opts.RepeatAcross && p.cursor != "" && p.start > 0 && p.limit > 1 && wanted.takes(p.view.swapped(p.start-1)) {
		render(p.view.swapped(p.start-1), true)
	}
	end = p.start
	for ; end < p.stop && rows < p.limit; end++ {
		if wanted.givenUp(p.ctx, end) {
			break
		}
		i := p.view.swapped(end)
		if p.view.hidden(i) || !wanted.takes(i) {
			continue
		}
		render(i, false)
		if n := int64(s.opts.RepeatWithin); n > 0 && rows < p.limit {
			if _, rest := floorDiv(p.view.key(i), n); rest == n-1 {
				render(i, true)
			}
		}
	}
	// A page before hidden events only is the last one.
	for end < p.stop && p.limit > 0 && p.view.hidden(p.view.swapped(end)) {
		end++
	}
	// So is a page after which the filter selects no event.
	if !wanted.all && p.limit > 0 && wanted.next(p.ctx, end, p.stop) == p.stop {
		end = p.stop
	}
	return dst, rows, end
}

// renderTail appends all members of a page but data.
func (s *Server) renderTail(dst []byte, p *pagePlan, rows, end int) []byte {
	more, cursor := s.lead(p, rows, end)
	t := pageTail{limit: p.statedLimit, more: more, cursor: cursor, returned: rows + p.returnedDelta, serial: p.serial, total: s.opts.StatedTotal}
	if t.total == "" {
		t.total = strconv.Itoa(p.filter.over(p.view).count(p.ctx))
	}
	return s.appendTail(dst, t)
}

// pageTail is all members of a page but data. cursor and total are raw JSON, or Omitted.
type pageTail struct {
	limit    int
	more     bool
	cursor   string
	total    string
	returned int
	serial   int
}

func (s *Server) appendTail(dst []byte, t pageTail) []byte {
	requestID := numberedID(s.opts.FaultSeed, uint32(t.serial))
	if !s.opts.Flat {
		dst = append(dst, `"pagination":{"limit":`...)
		dst = strconv.AppendInt(dst, int64(t.limit), 10)
		dst = append(dst, ',')
	}
	dst = append(dst, `"hasMore":`...)
	dst = strconv.AppendBool(dst, t.more)
	if t.cursor != Omitted {
		dst = append(append(dst, `,"nextCursor":`...), t.cursor...)
	}
	if t.cursor != Omitted && t.cursor != `""` && s.opts.Cursor.StatedLife != Omitted {
		life := s.opts.Cursor.StatedLife
		switch {
		case t.cursor == `null`:
			life = `null`
		case life == "":
			life = lifeSeconds(s.scaled(s.opts.Cursor.Life))
		}
		dst = append(append(dst, `,"cursorExpiresIn":`...), life...)
	}
	if s.opts.Flat {
		return dst
	}
	dst = append(dst, `},"meta":{`...)
	if t.total != Omitted {
		dst = append(append(dst, `"total":`...), t.total...)
		dst = append(dst, ',')
	}
	dst = append(dst, `"returned":`...)
	dst = strconv.AppendInt(dst, int64(t.returned), 10)
	dst = append(dst, `,"requestId":"`...)
	dst = appendUUID(dst, &requestID)
	return append(dst, `"}`...)
}

// lead returns hasMore and nextCursor of a page. The cursor is raw JSON, or Omitted.
func (s *Server) lead(p *pagePlan, rows, end int) (more bool, cursor string) {
	switch p.next {
	case nextSame:
		if p.cursor != "" {
			return true, quoted(p.cursor)
		}
	case nextStuck:
		from := p.from
		if p.cursor == "" {
			from = s.before(p.view, p.start)
		}
		return true, s.cursorTo(p, from)
	case nextNone:
		return true, `null`
	case nextEnd:
		return false, `null`
	}
	if end < p.stop {
		return true, s.cursorAfter(p, end)
	}
	switch s.opts.LastPage {
	case LastEmptyText:
		return false, `""`
	case LastMissing:
		return false, Omitted
	case LastExtra:
		if rows > 0 {
			return true, s.cursorAfter(p, end)
		}
	case LastHasMore:
		return true, `null`
	case LastWithCursor:
		if end > 0 {
			return false, s.cursorAfter(p, end)
		}
	}
	return false, `null`
}

// cursorAfter returns the cursor to an index in the order of answers, as JSON.
func (s *Server) cursorAfter(p *pagePlan, place int) string {
	if n := s.opts.Cursor.Loop; n > 0 && place > n*p.limit {
		place = ((place-1)/p.limit%n + 1) * p.limit
	}
	from := s.before(p.view, place)
	if s.opts.Cursor.Loop == 0 || s.opts.Cursor.LoopRenewed {
		return s.cursorTo(p, from)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.loop[place]
	if !ok || !p.made.Before(c.expires) {
		c = loopCursor{text: s.cursorTo(p, from), expires: p.made.Add(s.scaled(s.opts.Cursor.Life))}
		s.loop[place] = c
	}
	return c.text
}

// before returns the position after the event before an index.
func (s *Server) before(v view, place int) position {
	key := v.key(0)
	if place > 0 {
		key = v.key(v.swapped(place - 1))
	}
	at := s.data.slot(key)
	p := position{ts: s.data.timestamp(key, at), id: s.data.id(key, at)}
	if place == 0 {
		p.ts++
	}
	return p
}

func (s *Server) cursorTo(p *pagePlan, from position) string {
	return quoted(s.cursors.encode(target{from, p.sinceMark, p.filter}, p.made.Add(s.scaled(s.opts.Cursor.Life))))
}
