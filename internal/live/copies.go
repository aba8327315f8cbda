package live

import (
	"context"
	"os"
	"sync"
	"time"
)

const (
	// shareFor is how long a copy may be shared although the database has changed since.
	shareFor = time.Second
	// pauseFactor times the duration of a copy is the pause before the next copy of a changed
	// database. Making a copy stops the pull: with the pause, the pull keeps most of its time.
	pauseFactor = 3
)

// copies shares copies of the database among readers.
type copies struct {
	db Database

	mu          sync.Mutex
	newest      *sharedCopy // nil if it has no reader
	pending     *pending    // the copy that is being made
	change      int64       // of the database when the last copy was made
	nextAllowed time.Time   // the earliest next copy of a changed database
}

// sharedCopy is a copy with the number of its readers.
type sharedCopy struct {
	Snapshot
	made    time.Time
	readers int
}

// pending is a copy that is being made.
type pending struct {
	done    chan struct{}
	waiting int // readers, guarded by copies.mu
	// Valid when done is closed.
	copy *sharedCopy
	err  error
}

// borrow returns a shared or a new copy. The caller must release it. Readers that ask while a
// copy is being made share that copy.
func (c *copies) borrow(ctx context.Context) (*sharedCopy, error) {
	c.mu.Lock()
	if l := c.newest; l != nil && (time.Since(l.made) < shareFor || l.Change == c.db.Changes()) {
		l.readers++
		c.mu.Unlock()
		return l, nil
	}
	f := c.pending
	if f == nil {
		f = &pending{done: make(chan struct{})}
		c.pending = f
		wait := time.Duration(0)
		if c.change != c.db.Changes() {
			wait = time.Until(c.nextAllowed)
		}
		go c.make(ctx, f, wait)
	}
	f.waiting++
	c.mu.Unlock()
	<-f.done
	return f.copy, f.err
}

// make makes a copy for all readers that wait for it.
func (c *copies) make(ctx context.Context, f *pending, wait time.Duration) {
	defer close(f.done)
	var s Snapshot
	err := pause(ctx, wait)
	began := time.Now()
	if err == nil {
		s, err = c.db.Snapshot(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	made := time.Now()
	c.pending, c.nextAllowed = nil, made.Add(pauseFactor*made.Sub(began))
	if err != nil {
		f.err = err
		return
	}
	f.copy = &sharedCopy{Snapshot: s, made: made, readers: f.waiting}
	c.newest, c.change = f.copy, s.Change
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// release removes the copy with its last reader.
func (c *copies) release(l *sharedCopy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.readers--; l.readers > 0 {
		return
	}
	if c.newest == l {
		c.newest = nil
	}
	_ = os.Remove(l.Path) // if this fails, the next pull removes it
}
