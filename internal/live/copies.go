package live

import (
	"context"
	"os"
	"sync"
	"time"
)

const (
	// sharedFor is for how long after its making a copy is lent to others, though the
	// database has changed since.
	sharedFor = time.Second
	// restFactor times as long as a copy took to make, which holds up the pull, the
	// next one of a changed database has to wait, so that the pull keeps most of its
	// time whatever readers ask for.
	restFactor = 3
)

// copies lends copies of the database to readers.
type copies struct {
	db Database

	mu      sync.Mutex
	newest  *loan     // nil where nobody reads it any more
	flight  *flight   // the copy that is being made
	change  int64     // of the database when the last copy was made
	restEnd time.Time // when the next may be made, if the database has changed
}

// loan is a copy and how many read it.
type loan struct {
	Snapshot
	made    time.Time
	readers int
}

// flight is a copy that is being made, and how many wait for it.
type flight struct {
	done    chan struct{}
	waiting int
	// What comes of it; to be read when done is closed.
	loan *loan
	err  error
}

// borrow returns a copy, which must be given back: one that is shared, or a new one.
// Whoever asks while one is made shares it.
func (c *copies) borrow(ctx context.Context) (*loan, error) {
	c.mu.Lock()
	if l := c.newest; l != nil && (time.Since(l.made) < sharedFor || l.Change == c.db.Changes()) {
		l.readers++
		c.mu.Unlock()
		return l, nil
	}
	f := c.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		c.flight = f
		rest := time.Duration(0)
		if c.change != c.db.Changes() {
			rest = time.Until(c.restEnd)
		}
		go c.make(ctx, f, rest)
	}
	f.waiting++
	c.mu.Unlock()
	<-f.done
	return f.loan, f.err
}

// make makes a copy for all who wait for it.
func (c *copies) make(ctx context.Context, f *flight, rest time.Duration) {
	defer close(f.done)
	var s Snapshot
	err := pause(ctx, rest)
	began := time.Now()
	if err == nil {
		s, err = c.db.Snapshot(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	made := time.Now()
	c.flight, c.restEnd = nil, made.Add(restFactor*made.Sub(began))
	if err != nil {
		f.err = err
		return
	}
	f.loan = &loan{Snapshot: s, made: made, readers: f.waiting}
	c.newest, c.change = f.loan, s.Change
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

// giveBack removes the copy where that was its last reader.
func (c *copies) giveBack(l *loan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.readers--; l.readers > 0 {
		return
	}
	if c.newest == l {
		c.newest = nil
	}
	_ = os.Remove(l.Path) // what is left is removed by the next pull
}
