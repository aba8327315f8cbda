package shard

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"datasync/ingest/dispatch"
	"datasync/ingest/walk"
	"datasync/internal/model"

	"golang.org/x/sync/errgroup"
)

const (
	// Auto as Options.Workers lets the coordinator choose the number of walks, up to
	// dispatch.MaxWorkers.
	Auto = -1
	// WorthSplitting is how long one walk alone must still take for Auto to have more.
	WorthSplitting = 3 * time.Second
	// FastPage is the rate of pages, in bytes a second, from which on this machine limits a pull, not the
	// API.
	FastPage = 50e6
	// autoBytes is how many bytes of pages may be in flight with Auto. maxBytes is the same with a given
	// number of walks.
	autoBytes = 128 << 20
	maxBytes  = 512 << 20
	// maxLosses is how many shards may be lost, for any reason, before the coordinator stops
	// splitting.
	maxLosses = 5
)

// Store keeps the borders of shards.
type Store interface {
	// Split adds a shard below the border to a window or shard, and returns its checkpoint.
	Split(ctx context.Context, window int64, border model.Instant) (model.Checkpoint, error)
	// Merge merges shards into the window or shard above them, which then goes as far down as they did.
	// MergeAndRestart moves that to the newest event as well.
	Merge(ctx context.Context, window int64, shards ...int64) error
	MergeAndRestart(ctx context.Context, window int64, shards ...int64) error
}

// Observer follows the windows.
type Observer interface {
	// WindowBegun says that a window is walked from now on.
	WindowBegun(w Window)
	// ElementsLeft returns how many elements the window still has; 0 where that is not known.
	ElementsLeft() int64
	// Resumed says how the window resumes after a walk has failed, as in walk.Observer.
	Resumed(way walk.Way, text string)
}

// Options says how a window is walked.
type Options struct {
	Store Store
	// Workers is how many walks there may be at a time, or Auto.
	Workers int
	// RenewCursors allows splits by cursors of api.CursorBelow.
	RenewCursors bool
	// WalkShard walks a shard to its end, and tells the shard of each commit.
	WalkShard func(ctx context.Context, s *Shard) error
}

// Coordinator walks a window in shards, at the same time. Its lock may be held while a dispatcher's is
// taken, never the other way round.
type Coordinator struct {
	options    Options
	observer   Observer
	dispatcher *dispatch.Dispatcher
	// known is the instant of the newest event of older windows, if this one does not go down to the end.
	known sql.Null[model.Instant]
	// wake tells coordinate that something has changed.
	wake chan struct{}
	// pages estimates how many pages are left; 0 where that is not known.
	pages atomic.Int64

	mu       sync.Mutex
	shards   []*Shard // from newer to older
	walks    int      // under way
	splitter splitter
	sample   Sample
	// unordered says that events are out of order, so that borders in time mean little. offsets says that
	// cursors may count from the newest event. Either way one walk is easier to prove than several.
	unordered, offsets bool
}

// NewCoordinator returns a coordinator whose walks send their requests by the dispatcher.
func NewCoordinator(dispatcher *dispatch.Dispatcher, options Options, observer Observer) *Coordinator {
	return &Coordinator{options: options, observer: observer, dispatcher: dispatcher, wake: make(chan struct{}, 1)}
}

// Run walks a window and its shards, above older windows, to their end, and returns their checkpoints. A
// Coordinator walks one window.
func (c *Coordinator) Run(ctx context.Context, w Window, older []Window) (Window, error) {
	w, err := c.rejoin(ctx, w)
	if err != nil {
		return nil, err
	}
	if len(older) > 0 && !w.ToTheEnd() {
		c.known = older[0][0].Upper
	}
	for _, k := range w {
		c.shards = append(c.shards, newShard(c, k))
		c.unordered = c.unordered || k.Unordered
	}
	c.observer.WindowBegun(w)
	c.dispatcher.SetDemand(dispatch.Demand{MaxInFlight: c.atOnce, Pages: func() int { return int(c.pages.Load()) }})
	for {
		if err := c.walkAll(ctx); err != nil {
			return nil, err
		}
		if again, err := c.restart(ctx); err != nil || !again {
			return c.checkpoints(), err
		}
	}
}

func (c *Coordinator) checkpoints() (w Window) {
	for _, s := range c.shards {
		w = append(w, s.checkpoint)
	}
	return w
}

// walkAll walks all shards that wait for it, and those that are split off from them.
func (c *Coordinator) walkAll(ctx context.Context) error {
	jobs, ctx := errgroup.WithContext(ctx)
	jobs.Go(func() error { return c.coordinate(ctx, jobs) })
	return jobs.Wait()
}

// coordinate starts walks as long as more are wanted and shards wait, until no walk is left.
func (c *Coordinator) coordinate(ctx context.Context, jobs *errgroup.Group) error {
	searchCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	for {
		if err := c.mergeLost(ctx); err != nil {
			return err
		}
		for {
			s, err := c.another(ctx)
			if err != nil {
				return err
			}
			if s == nil {
				break
			}
			jobs.Go(func() error { return c.walk(ctx, s) })
		}
		if c.mustSearch() {
			jobs.Go(func() error { c.search(searchCtx); return nil })
		}
		if c.idle() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.wake:
		}
	}
}

// changed wakes coordinate.
func (c *Coordinator) changed() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// idle reports whether nothing is left to do. The last walk may have ended after coordinate looked for
// shards to walk.
func (c *Coordinator) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.walks == 0 && !slices.ContainsFunc(c.shards, func(s *Shard) bool { return s.state == waiting || s.state == lost })
}

// walk walks a shard and notes how that ended.
func (c *Coordinator) walk(ctx context.Context, s *Shard) error {
	defer c.changed()
	err := c.options.WalkShard(ctx, s)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.walks--
	if !errors.Is(err, walk.ErrUnreachable) {
		s.state = finished
		return err
	}
	s.state = lost
	c.splitter.losses++
	switch {
	case errors.Is(err, walk.ErrNothingLeft), errors.Is(err, dispatch.ErrBoundRefused) && c.splitter.losses < maxLosses:
		c.splitter.oldest = s.checkpoint.Begins
	case errors.Is(err, walk.ErrNotProven), errors.Is(err, dispatch.ErrNoPageByTime), c.splitter.losses >= maxLosses:
		c.splitter.stop() // another shard would hardly fare better
	}
	return nil
}

// atOnce returns how many requests there may be at a time: with more than one walk wanted, one more may
// look for a way to split.
func (c *Coordinator) atOnce(worthwhile int) int {
	if c.options.Workers == Auto {
		return max(2, worthwhile)
	}
	return max(1, c.options.Workers)
}

// wanted returns how many walks there should be. The lock is held.
func (c *Coordinator) wanted() int {
	if c.options.Workers != Auto {
		return max(1, min(c.options.Workers, maxBytes/max(1, c.sample.Bytes)))
	}
	goal, took := c.dispatcher.TargetWalks()
	if time.Duration(c.pagesLeft()*float64(took)) < WorthSplitting || float64(c.sample.Bytes) > FastPage*took.Seconds() && c.walks < 2 {
		return 1
	}
	return max(1, min(goal, autoBytes/max(1, c.sample.Bytes)))
}

// pagesLeft estimates how many pages are left of all shards; 0 where that is not known. The lock is held.
func (c *Coordinator) pagesLeft() float64 {
	if elements := c.observer.ElementsLeft(); elements > 0 && c.sample.Elements > 0 {
		return float64(elements) / float64(c.sample.Elements)
	}
	sum := 0.0
	for _, s := range c.shards {
		sum += s.left()
	}
	return sum
}

// another returns a shard to walk now: one that waits for it or, if more walks are wanted than there are, a
// new one that the store knows of; nil if there is none.
func (c *Coordinator) another(ctx context.Context) (*Shard, error) {
	next, at := c.choose()
	if at.owner == nil {
		return next, nil
	}
	k, err := c.options.Store.Split(ctx, at.window, at.border)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	next.checkpoint = k
	return c.begin(next), nil
}

// choose returns a shard to walk now, or a new one and the split that makes it.
func (c *Coordinator) choose() (*Shard, split) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wanted := c.wanted()
	// With Auto all shards of an earlier run begin at once, however many are wanted: their cursors may expire
	// while they wait.
	if i := slices.IndexFunc(c.shards, func(s *Shard) bool { return s.state == waiting }); i >= 0 && (c.walks < wanted || c.options.Workers == Auto) {
		return c.begin(c.shards[i]), split{}
	}
	if c.walks >= wanted {
		return nil, split{}
	}
	at := c.whereToSplit(wanted - c.walks)
	if at.owner == nil {
		return nil, split{}
	}
	return c.insert(at), at
}

// begin counts a shard as walked. The lock is held.
func (c *Coordinator) begin(s *Shard) *Shard {
	s.state = walking
	c.walks++
	return s
}

func (c *Coordinator) insertBelow(above, s *Shard) {
	c.shards = slices.Insert(c.shards, slices.Index(c.shards, above)+1, s)
}
