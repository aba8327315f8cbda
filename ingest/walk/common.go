package walk

import (
	"sync"
	"sync/atomic"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/dispatch"
)

// Shared is shared by all walks of a pull.
type Shared struct {
	Client     *api.Client
	Dispatcher *dispatch.Dispatcher
	Buffers    *api.BufferPool
	// MaxRetryTime is how long one request may go on failing.
	MaxRetryTime time.Duration
	// RenewCursors allows to send an expired cursor with a later expiry.
	RenewCursors bool
	// Notice gets messages for the user.
	Notice   func(string)
	Observer Observer

	rereads rereads
	cache   cacheState
}

// Begin says that the pull begins now: a page that a cache made before is requested again.
func (c *Shared) Begin() { c.cache.began = time.Now() }

const (
	// firstRereads is how many pages with rejects are read again in any case. After that, rereadShare
	// requests allow one more.
	firstRereads, rereadShare = 20, 10
)

// rereads counts the pages of a pull that were read again. Its zero value is ready for use by any goroutine.
type rereads struct {
	mu   sync.Mutex
	done int64
	sent atomic.Int64
}

// Reread returns how many pages were requested a second time because of their rejects.
func (c *Shared) Reread() int64 { return c.rereads.sent.Load() }

// may reports whether one more page may be read again after this many requests, and counts it.
func (r *rereads) may(requests int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done >= firstRereads && (r.done+1)*rereadShare >= requests {
		return false
	}
	r.done++
	return true
}

// cacheState has the findings of a pull's walks about a cache.
type cacheState struct {
	began time.Time   // the pull
	all   atomic.Bool // a cache answers every request
}
