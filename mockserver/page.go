package mockserver

import (
	"net/http"
	"strconv"
	"time"
)

// page answers a request for a page of events.
func (s *Server) page(in *incoming) *answer {
	opts := in.phase.pages(in.endpoint)
	if in.endpoint == Feed && !s.tokenAlive(in.header.Get(s.opts.Access.TokenHeader), in.now) {
		return s.tokenRejected()
	}
	// A hit has the events and the cursor's expiry of the time when the page was made.
	c, hit := s.cached(in, opts)
	header := jsonHeader()
	if !hit {
		var refused *answer
		if refused, header = s.admit(in); refused != nil {
			return refused
		}
	}
	plan, refused := s.plan(in, opts, c)
	if refused != nil {
		return refused
	}
	if plan.chaos {
		header.Set("X-Chaos-Applied", "missingFields")
		header.Set("X-Chaos-Description", "Randomly removed fields from some events")
	}
	a := &answer{status: http.StatusOK, header: header}
	a.pooled = s.buffers.Get().(*[]byte)
	ready := func(events int) {
		if !hit {
			a.delay = s.scaled(opts.PageLatency(in.inFlight, events))
			plan.made = in.now.Add(a.delay)
			s.mu.Lock()
			s.journal.spent.page(in.now, a.delay)
			s.mu.Unlock()
		}
	}
	a.body, a.events = s.renderPage((*a.pooled)[:0], plan, ready)
	c.made = plan.made
	if opts.CacheTTL > 0 {
		if hit {
			s.countHit()
			header.Set("X-Cache", "HIT")
		} else {
			s.remember(in, opts, c)
			header.Set("X-Cache", "MISS")
		}
		header.Set("X-Cache-TTL", strconv.FormatInt(wholeSeconds(s.scaled(opts.CacheTTL)), 10))
	}
	return a
}

// plan reads the parameters of a page, or returns the error for them.
func (s *Server) plan(in *incoming, opts *Pages, c cached) (*pagePlan, *answer) {
	v := c.view
	p := &pagePlan{view: v, stop: v.len(), epochOnly: opts.EpochOnly, serial: in.serial, made: c.made, ctx: in.ctx}
	limit, refused := s.limit(in, opts.DefaultLimit, opts.Cap)
	if refused != nil {
		return nil, refused
	}
	p.limit, p.statedLimit = limit, limit

	b, ok := readBounds(in)
	if !ok {
		return nil, s.refuse(http.StatusBadRequest, "INVALID_TIMESTAMP", "since and until are epoch milliseconds")
	}
	if status := opts.OutsideStatus; status != 0 && (b.hasSince && v.outside(b.since) || b.hasUntil && v.outside(b.until)) {
		return nil, s.bareError(status)
	}
	p.cursor = in.query.Get("cursor")
	if p.cursor != "" {
		if opts.RefuseMixed && (b.hasSince || b.hasUntil) {
			return nil, s.refuse(http.StatusBadRequest, "INVALID_REQUEST", "Use either a cursor or since and until")
		}
		if refused := s.planFromCursor(p, opts, c.asked); refused != nil {
			return nil, refused
		}
	}
	if in.endpoint == Events {
		p.filter = p.filter.and(in.query.Get("sessionId"), in.query.Get("type"))
	}
	s.planBounds(p, opts, b)
	if in.endpoint == Feed && s.opts.ChaosRate > 0 {
		u := mix(s.opts.FaultSeed ^ uint64(in.serial)*golden)
		p.chaos, p.chaosEvents = float64(u>>11)/(1<<53) < s.opts.ChaosRate, s.opts.ChaosEvents
	}
	if in.fault.page != nil {
		in.fault.page(p)
	}
	return p, nil
}

// planFromCursor begins the page after the position of its cursor, or returns the error for that.
func (s *Server) planFromCursor(p *pagePlan, opts *Pages, asked time.Time) *answer {
	to, err := s.cursors.decode(p.cursor, asked)
	if err != nil {
		return s.badCursor(err)
	}
	if status := opts.OutsideStatus; status != 0 && p.view.outside(to.ts) {
		return s.bareError(status)
	}
	p.filter, p.from = to.filter, to.position
	p.start = s.resume(p.view, p.from)
	if to.since != nil {
		p.sinceMark, p.stop = to.since, stopAt(p.view, *to.since, p.stop)
	}
	return nil
}

// planBounds restricts the page to the bounds that the endpoint does not ignore.
func (s *Server) planBounds(p *pagePlan, opts *Pages, b bounds) {
	if opts.Until != Ignored && b.hasUntil {
		before := b.until
		if opts.Until == Inclusive {
			before++
		}
		p.start = max(p.start, p.view.firstBefore(before))
	}
	if opts.Since != Ignored && b.hasSince {
		mark := b.since // the last millisecond that is excluded
		if opts.Since == Inclusive {
			mark--
		}
		p.stop = stopAt(p.view, mark, p.stop)
		if !s.opts.Cursor.ForgetBounds {
			p.sinceMark = &mark
		}
	}
}

// limit reads the parameter limit.
func (s *Server) limit(in *incoming, unsaid, most int) (int, *answer) {
	text := in.query.Get("limit")
	if text == "" {
		return min(unsaid, most), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, s.refuse(http.StatusBadRequest, "INVALID_LIMIT", "limit must be a positive number")
	}
	return min(n, most), nil
}

// resume returns the index after a position in the order of answers.
func (s *Server) resume(v view, p position) int {
	i := v.after(p.ts, p.id)
	if s.data.opts.SwapEvery > 0 && i > 0 {
		return v.swapped(i-1) + 1
	}
	return i
}

func stopAt(v view, mark int64, stop int) int { return min(stop, v.firstBefore(mark+1)) }

func readBounds(in *incoming) (b bounds, ok bool) {
	read := func(name string, value *int64, has *bool) bool {
		text := in.query.Get(name)
		if text == "" {
			return true
		}
		*has = true
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			*value = n
			return true
		}
		t, err := time.Parse(time.RFC3339Nano, text)
		*value = t.UnixMilli()
		return err == nil
	}
	ok = read("since", &b.since, &b.hasSince) && read("until", &b.until, &b.hasUntil)
	return b, ok
}
