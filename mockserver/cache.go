package mockserver

import (
	"strings"
	"time"
)

// cached is an answer of the cache, as what it takes to give it again.
type cached struct {
	view        view
	asked, made time.Time // when the request came, when the page was ready
}

const maxCached = 1024

// loopCursor is a cursor that Cursors.Loop gives again.
type loopCursor struct {
	text string
	dies time.Time
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
		// A page that is still on its way to its first client is no hit yet.
		if age := in.now.Sub(c.made); hit && age >= 0 && age < s.scaled(opts.CacheTTL) {
			return c, true
		}
	}
	return cached{view: s.data.view(), asked: in.now, made: in.now}, false
}

// remember puts a page into the cache, or counts that it came from there.
func (s *Server) remember(in *incoming, opts *Pages, c cached, hit bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if hit {
		s.journal.cacheHits++
		return
	}
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
