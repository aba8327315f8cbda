package live

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a database whose copies take time.
type slow struct {
	took    time.Duration
	changes int64
	copies  int64
	err     error
}

func (s *slow) Changes() int64                      { return s.changes }
func (s *slow) Status(context.Context) (any, error) { return nil, nil }
func (s *slow) Snapshot(ctx context.Context) (Snapshot, error) {
	change := s.changes
	if err := pause(ctx, s.took); err != nil {
		return Snapshot{}, err
	}
	s.copies++
	return Snapshot{Path: "/nowhere/at/all", Batch: s.copies, Change: change}, s.err
}

// pass advances the time of a synctest bubble.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	if err := pause(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// TestReadersShareACopy: readers share a copy if they ask while it is made, within a second
// afterwards, or before the database changes.
func TestReadersShareACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &slow{took: 100 * time.Millisecond}
		c := &copies{db: db}
		borrow := func(want int64) *sharedCopy {
			t.Helper()
			l, err := c.borrow(t.Context())
			if err != nil || l.Batch != want {
				t.Errorf("%+v, %v; want copy %d", l, err, want)
			}
			return l
		}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { borrow(1) })
		}
		all.Wait()
		first := c.newest
		if first.readers != 20 {
			t.Errorf("%d readers", first.readers)
		}
		pass(t, time.Hour)
		borrow(1) // nothing has changed
		db.changes++
		second := borrow(2)
		db.changes++
		pass(t, shareFor-1)
		borrow(2)
		pass(t, time.Nanosecond)
		borrow(3)
		for range 21 {
			c.release(first)
		}
		c.release(second)
		borrow(3)
	})
}

// TestPauseBetweenCopies: between two copies of a changed database, the pause is three times as
// long as the first copy took. Without a change there is no pause.
func TestPauseBetweenCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &slow{took: 2 * time.Second}
		c := &copies{db: db}
		ask := func() time.Duration {
			began := time.Now()
			l, err := c.borrow(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c.release(l)
			return time.Since(began)
		}
		if took := ask(); took != 2*time.Second {
			t.Errorf("the first copy took %s", took)
		}
		if took := ask(); took != 2*time.Second {
			t.Errorf("a copy of what has not changed took %s", took)
		}
		db.changes++
		if took := ask(); took != 8*time.Second {
			t.Errorf("a copy of what has changed took %s", took)
		}
		db.changes++
		pass(t, time.Minute)
		if took := ask(); took != 2*time.Second {
			t.Errorf("a copy a minute later took %s", took)
		}
	})
}

// TestFailedCopy: it fails for all readers that wait for it, and the next reader tries again.
func TestFailedCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &slow{took: time.Second, err: errors.New("no")}
		c := &copies{db: db}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := c.borrow(t.Context()); !errors.Is(err, db.err) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if db.copies != 1 {
			t.Errorf("%d tries", db.copies)
		}
		db.err = nil
		if _, err := c.borrow(t.Context()); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		db.changes++
		pass(t, time.Minute)
		all.Go(func() {
			if _, err := c.borrow(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancel()
		all.Wait()
	})
}
