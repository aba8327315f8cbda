package mockserver

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// fault returns the fault of a request: by a script, at random, or Pass. n is the request's number
// at the endpoint, all its number at all endpoints. s.mu is held.
func (s *Server) fault(e Endpoint, n, all int) Fault {
	for _, r := range s.scripts {
		count := n
		switch r.Endpoint {
		case Any:
			count = all
		case e:
		default:
			continue
		}
		if f, ok := r.meet(count); ok {
			return f
		}
	}
	for i, r := range s.opts.Random {
		if r.Endpoint != Any && r.Endpoint != e {
			continue
		}
		u := mix(mix(s.opts.FaultSeed+uint64(i)) ^ uint64(all))
		if float64(u>>11)/(1<<53) < r.Rate {
			return r.Fault
		}
	}
	return Pass()
}

// arrive counts a request, records its violations, and draws its fault.
func (s *Server) arrive(in *incoming) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, e := &s.journal, in.endpoint
	if j.first.IsZero() {
		j.first = in.now
	}
	if after := s.scaled(s.opts.RevealAfter); after > 0 && in.now.Sub(j.first) >= after {
		s.data.Reveal()
	}
	in.phase = s.phase(in.now)
	j.counts[e].Requests++
	number := j.counts[e].Requests
	if e != Any {
		j.all++
	}
	in.serial = j.all
	j.inFlight++
	j.maxFlight = max(j.maxFlight, j.inFlight)
	in.inFlight = j.inFlight

	wrong := func(format string, args ...any) {
		j.violate(fmt.Errorf("%v request %d: %s", e, number, fmt.Sprintf(format, args...)))
	}
	if in.key == "" && e.needsKey() {
		wrong("no header X-API-Key")
	}
	switch {
	case in.cookie == "" && e.needsKey():
		wrong("no cookie dashboard_api_key")
	case in.key != "" && in.cookie != "" && in.cookie != in.key:
		wrong("cookie dashboard_api_key and header X-API-Key disagree")
	}
	if e == StreamAccess && !announcesJSON(in.header) {
		wrong("no Content-Type application/json")
	}
	if e == Any {
		wrong("unknown path %q", in.path)
		in.fault = Pass()
		return
	}
	switch {
	case !e.ofPull():
		wrong("%s %s is not part of a pull", in.method, in.path)
	case in.method != e.method():
		wrong("method %s", in.method)
	case e != StreamAccess && in.query.Get("limit") == "":
		wrong("no limit")
	}
	if w := j.waits[e]; in.now.Before(w.until) && (s.opts.Grace == 0 || in.now.After(w.asked.Add(s.opts.Grace))) {
		j.early++
		wrong("came %v before the end of a wait", w.until.Sub(in.now))
	}
	in.fault = s.fault(e, number, j.all)
}

// note logs an answer before it is sent.
func (s *Server) note(in *incoming, a *answer) {
	limit, _ := strconv.Atoi(in.query.Get("limit"))
	entry := Entry{
		Time: in.now, Endpoint: in.endpoint, Method: in.method, Path: in.path,
		Status: a.status, Limit: limit, Cursor: in.query.Get("cursor") != "",
		Since: in.query.Get("since"), Until: in.query.Get("until"),
		Events: a.events, Wait: max(a.wait, a.retryDate), Fault: in.fault.name,
		AcceptsGzip: acceptsGzip(in.header), Gzip: a.gzip,
	}
	if a.how == deliverReset || a.how == deliverHang {
		entry.Status, entry.Events, entry.Wait = 0, 0, 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j := &s.journal
	c := &j.counts[in.endpoint]
	if entry.Status == http.StatusTooManyRequests {
		c.Limited++
	}
	if entry.Status != 0 && a.pooled != nil && !a.head {
		c.Pages++
		c.Events += a.events
	}
	if j.logged < maxLog {
		j.log = append(j.log, entry)
	} else {
		j.log[j.logged%maxLog] = entry
	}
	j.logged++
}

// journalWait records that an answer with a wait is sent now. A shorter wait does not end a longer
// one.
func (s *Server) journalWait(e Endpoint, now time.Time, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.journal.waits[e]
	w.asked = now
	if until := now.Add(wait); until.After(w.until) {
		w.until = until
	}
	s.closed(now)
}

// leave takes an answer out of those in flight, once.
func (s *Server) leave(a *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !a.done {
		a.done = true
		s.journal.inFlight--
		s.journal.last = time.Now()
	}
}

// finish ends an answer and returns its buffer to the pool.
func (s *Server) finish(a *answer) {
	s.leave(a)
	if a.pooled != nil {
		*a.pooled = a.body[:0]
		s.buffers.Put(a.pooled)
		a.pooled, a.body = nil, nil
	}
}

func (s *Server) violate(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.violate(err)
}

// Stats returns the counts up to now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := &s.journal
	var further EndpointStats
	for e, c := range j.counts {
		if e := Endpoint(e); e != Any && !e.ofPull() {
			further.Requests += c.Requests
			further.Limited += c.Limited
		}
	}
	end := j.last
	if j.inFlight > 0 {
		end = time.Now()
	}
	return Stats{
		Events: j.counts[Events], Feed: j.counts[Feed], StreamAccess: j.counts[StreamAccess], Further: further,
		Unknown: j.counts[Any].Requests, CacheHits: j.cacheHits, Tokens: s.handed,
		InFlight: j.inFlight, MaxInFlight: j.maxFlight,
		Violations: j.violated, Early: j.early, First: j.first, Last: j.last,
		Latency: j.spent.latency, Blocked: j.spent.any.upTo(end) - j.spent.pages.upTo(end),
	}
}

// Log returns the last requests, at most 10,000, in the order in which they were answered.
func (s *Server) Log() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := &s.journal
	if j.logged <= maxLog {
		return slices.Clone(j.log)
	}
	at := j.logged % maxLog
	return slices.Concat(j.log[at:], j.log[:at])
}
