package web

import (
	"cmp"
	"net/http"
	"sync"
	"time"

	"datasync/internal/web/guard"
)

// stream sends the state each second, and sections when they change, until the client goes or the page ends.
func (s *Server) stream(rw http.ResponseWriter, r *http.Request) {
	if !s.clients.enter() {
		http.Error(rw, "the page has ended, or too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer s.clients.leave()
	s.look()
	rw.Header().Set("Content-Type", "application/x-ndjson")
	w := guard.NewWriter(rw)
	sent := map[string]stamp{}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		last := false
		select {
		case <-s.ended:
			last = true
		default:
		}
		if _, err := w.Write(s.lines(time.Now(), sent)); err != nil {
			return
		}
		if err := w.Flush(); err != nil || last {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.ended:
		case <-s.view.fresh():
		case <-tick.C:
		}
	}
}

// stamp is what a client has of a section.
type stamp struct {
	version int64
	chip    string
}

// lines are the state, and the sections and chips that differ from those that were sent.
func (s *Server) lines(now time.Time, sent map[string]stamp) []byte {
	v := &s.view
	v.mu.Lock()
	defer v.mu.Unlock()
	state := v.state(now)
	state.File, state.Zone, state.Trouble = s.File, s.Timezone, cmp.Or(state.Trouble, s.faults.newest())
	out := encoded(state)
	for _, id := range v.order() {
		d := v.sections[id]
		is, was := stamp{d.version, v.chip(d, now)}, sent[id]
		if id == "definitions" {
			is.chip = "" // they are the same of any batch
		}
		switch {
		case is == was:
		case is.version == was.version:
			out = append(out, encoded(chipLine{"chip", id, is.chip, d.batch, d.at(), d.live, d.stale})...)
		default:
			out = append(out, encoded(sectionLine{"section", id, d.order, d.html, is.chip, d.batch, d.at(), d.live, d.stale})...)
		}
		sent[id] = is
	}
	return out
}

// maxClients is the number of open streams.
const maxClients = 32

// clients are the open streams. The zero value has none.
type clients struct {
	mu   sync.Mutex
	open int
	// came is closed when the first one comes.
	came chan struct{}
	// left, if not nil, is closed when the last one leaves. No more come then.
	left chan struct{}
}

// enter counts a stream; false if there are too many, or there shall be no more.
func (c *clients) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left != nil || c.open == maxClients {
		return false
	}
	if c.open++; c.came == nil {
		c.came = make(chan struct{})
	}
	select {
	case <-c.came:
	default:
		close(c.came)
	}
	return true
}

func (c *clients) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open--; c.open == 0 && c.left != nil {
		close(c.left)
	}
}

// first returns a channel that is closed when the first stream comes.
func (c *clients) first() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.came == nil {
		c.came = make(chan struct{})
	}
	return c.came
}

// any reports whether a stream is open.
func (c *clients) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open > 0
}

// gone returns a channel that is closed when all streams have ended. There are no more from then on. It is called
// once.
func (c *clients) gone() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = make(chan struct{})
	if c.open == 0 {
		close(c.left)
	}
	return c.left
}
