package mockserver

import (
	"strings"
	"time"
)

// cached has the data from which the cache makes an answer again.
type cached struct {
	view        view
	asked, made time.Time // when the request came, and when the page was ready
}

const maxCached = 1024

// loopCursor is a cursor that Cursors.Loop returns again.
type loopCursor struct {
	text    string
	expires time.Time
}

func cacheKey(in *incoming) string {
	return strings.Join([]string{
		in.query.Get("limit"), in.query.Get("cursor"), in.query.Get("since"), in.query.Get("until"),
		in.query.Get("sessionId"), in.query.Get("type"),
	}, "\n")
}

func (s *Server) cached(in *incoming, opts *Pages) (c cached, hit bool) {
	if opts.CacheTTL > 0 {
		s.mu.Lock()
		c, hit = s.caches[in.endpoint][cacheKey(in)]
		s.mu.Unlock()
		// A page is no hit before it was sent for the first time.
		if age := in.now.Sub(c.made); hit && age >= 0 && age < s.scaled(opts.CacheTTL) {
			return c, true
		}
	}
	return cached{view: s.data.view(), asked: in.now, made: in.now}, false
}

func (s *Server) countHit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.cacheHits++
}

// remember puts a page into the cache.
func (s *Server) remember(in *incoming, opts *Pages, c cached) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cache := s.caches[in.endpoint]
	for key, old := range cache {
		if len(cache) < maxCached {
			break
		}
		if in.now.Sub(old.made) >= s.scaled(opts.CacheTTL) || len(cache) == maxCached {
			delete(cache, key)
		}
	}
	cache[cacheKey(in)] = c
}
