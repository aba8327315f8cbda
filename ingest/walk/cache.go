package walk

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"datasync/ingest/api"
)

// A cache in front of the API answers with pages of some seconds ago. One of before the pull began
// lacks what came since, and one of before another page says nothing of what slid past that.

const (
	// oldestCached is how old a page of a cache is at most. The service's are 30 s.
	oldestCached = 2 * time.Minute
	// mostFresh is how often a page is asked for in other words before a cache is taken for one that
	// has everything.
	mostFresh = 2
)

// cacheState is what the walks of a pull know of a cache: when the pull began, and whether a cache
// answers whatever is asked.
type cacheState struct {
	began time.Time
	all   atomic.Bool
}

// requestFresh asks for a page, and asks again where a cache may have made the answer before the pull
// began, or, where it must be fresh, at any time. A cache knows a page by its URL: another limit is
// another page to it.
func (w *Walk) requestFresh(ctx context.Context, at api.Request, must bool) fetched {
	f := w.request(ctx, at)
	for tries := 1; f.err == nil && f.Buffer.Cached && !w.cache.all.Load() && (must || time.Since(w.cache.began) < oldestCached); tries++ {
		again := at
		if again.Limit == 0 {
			again.Limit = w.Client.PageSize(f.Endpoint)
		}
		again.Only, again.IfSoon = f.Endpoint, true
		// Another pull may just have asked for one less.
		if again.Limit -= tries + rand.IntN(again.Limit/10+1); again.Limit < 1 {
			break
		}
		if tries > mostFresh {
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
