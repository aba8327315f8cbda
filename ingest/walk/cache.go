package walk

import (
	"context"
	"math/rand/v2"
	"time"

	"datasync/ingest/api"
)

// A cache in front of the API answers with pages of some seconds ago. A page from before the pull lacks the
// events that arrived since. A page from before another page was read cannot show which events that page
// skipped.

const (
	// oldestCached is how old a cached page is at most. The service caches for 30 s.
	oldestCached = 2 * time.Minute
	// maxFresh is how often a page is requested with another URL before every page counts as cached.
	maxFresh = 2
)

// requestFresh returns a page that no cache made before the pull began.
func (w *Walk) requestFresh(ctx context.Context, at api.Request) fetched {
	if time.Since(w.cache.began) < oldestCached {
		return w.requestUncached(ctx, at)
	}
	return w.request(ctx, at)
}

// requestUncached returns a page that no cache made. It requests a cached page again with another limit,
// because a cache treats another URL as another page.
func (w *Walk) requestUncached(ctx context.Context, at api.Request) fetched {
	f := w.request(ctx, at)
	for tries := 1; f.err == nil && f.Buffer.Cached && !w.cache.all.Load(); tries++ {
		again := at
		if again.Limit == 0 {
			again.Limit = w.Client.PageSize(f.Endpoint)
		}
		again.Only, again.IfSoon = f.Endpoint, true
		// At random, because another pull may just have asked for one less.
		if again.Limit -= tries + rand.IntN(again.Limit/10+1); again.Limit < 1 {
			break
		}
		if tries > maxFresh {
			w.cache.all.Store(true)
			w.Notice("a cache answers every request: events of its last seconds may be missing until the next pull")
			break
		}
		w.Buffers.Release(f.Buffer)
		f = w.request(ctx, again)
	}
	f.Request = at
	return f
}
