package ingest

import (
	"context"
	"database/sql"
	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// Auto is, as Options.Workers, as many walks at a time as are worth it, up to dispatch.MaxWorkers.
	Auto = -1
	// worthSplitting is how long one walk alone must still take for Auto to have more.
	worthSplitting = 3 * time.Second
	// fastPage is the rate in bytes a second at which pages come too fast for that: what is
	// waited for is this machine.
	fastPage = 50e6
	// flightBytes is how much text of pages may be on its way to Auto's walks.
	flightBytes = 128 << 20
	// mostBytes is the same for walks that were asked for.
	mostBytes = 512 << 20
	// mostLosses is how many parts may be lost, for whatever reason, before no more are split
	// off.
	mostLosses = 5
)

// errPartLost: a part cannot be walked on, as no way leads to where it stands but from
// the newest event.
var errPartLost = errors.New("no way leads to where the part stands")

// errNothingLeft: below the border at which a part begins there are no events.
var errNothingLeft = errors.New("nothing is left")

// crew walks a window in parts, side by side. One goroutine, coordinate, moves their
// borders; walks ask it how far they go.
type crew struct {
	p *pull
	// wake tells coordinate that something has changed.
	wake chan struct{}
	// pages is about how many pages are left; 0 where that is not known.
	pages atomic.Int64

	mu    sync.Mutex
	parts []*part // from newer to older
	walks int     // under way
	// starter makes the request for the newest page below an instant; nil as long as no way
	// to ask for that has been proven. Sought says that one was looked for.
	starter func(model.Instant) api.Request
	sought  bool
	// read counts pages; seekAfter is how many there must be for another search, after seeks
	// of them that failed.
	read, seekAfter, seeks int
	losses                 int // of parts
	// oldest is about where the API's events end.
	oldest sql.Null[model.Instant]
	sample sample
	// unordered says that borders in time mean little here, offsets that cursors may be offsets:
	// then one walk is easier to prove than several.
	unordered, offsets bool
	// known is the instant of the newest event of older windows; not valid where this one goes
	// to the end.
	known sql.Null[model.Instant]
}

// sample says what pages were like last.
type sample struct {
	span            model.Instant
	elements, bytes int
	cursor          string
	newest          model.Instant
	// known is an event of the page which is the first of its millisecond.
	known sql.Null[model.Position]
}

// walkFamily walks a window and its parts, above older windows, to their end, and returns
// their checkpoints.
func (p *pull) walkFamily(ctx context.Context, f family, older []family) (family, error) {
	f, err := p.rejoin(ctx, f)
	if err != nil {
		return nil, err
	}
	c := &crew{p: p, wake: make(chan struct{}, 1)}
	if len(older) > 0 && !f.toTheEnd() {
		c.known = older[0][0].Upper
	}
	for _, k := range f {
		c.parts = append(c.parts, newPart(c, k))
		c.unordered = c.unordered || k.Unordered
	}
	p.Progress.family(f)
	p.dispatcher.SetDemand(dispatch.Demand{AtOnce: c.atOnce, Pages: func() int { return int(c.pages.Load()) }})
	for {
		if err := c.walkAll(ctx); err != nil {
			return nil, err
		}
		if again, err := c.rescue(ctx); err != nil || !again {
			f = f[:0]
			for _, t := range c.parts {
				f = append(f, t.k)
			}
			return f, err
		}
	}
}

// rejoin gives parts of an earlier run that have not begun back to the one above, unless that
// is done. It could not end before they begin, and with fewer walks than then that may be
// after it has read all that is theirs.
func (p *pull) rejoin(ctx context.Context, f family) (family, error) {
	kept := f[:1:1]
	for _, k := range f[1:] {
		above := &kept[len(kept)-1]
		if k.State != model.NotBegun || above.State == model.Done {
			kept = append(kept, k)
			continue
		}
		if err := p.Store.Merge(ctx, above.Window, k.Window); err != nil {
			return nil, err
		}
		above.Lower = k.Lower
	}
	return kept, nil
}

// walkAll walks all parts that wait for it, and what is split off from them.
func (c *crew) walkAll(ctx context.Context) error {
	jobs, ctx := errgroup.WithContext(ctx)
	jobs.Go(func() error { return c.coordinate(ctx, jobs) })
	return jobs.Wait()
}

// coordinate has as many parts walked as are wanted and can be had, until none is left.
func (c *crew) coordinate(ctx context.Context, jobs *errgroup.Group) error {
	seekCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	for {
		if err := c.takeLost(ctx); err != nil {
			return err
		}
		for {
			t, err := c.another(ctx)
			if err != nil {
				return err
			}
			if t == nil {
				break
			}
			jobs.Go(func() error { return c.walk(ctx, t) })
		}
		if c.mustSeek() {
			jobs.Go(func() error { c.seek(seekCtx); return nil })
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
func (c *crew) changed() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// idle reports whether nothing is left to do. The last walk may have ended after it was looked
// for parts to walk.
func (c *crew) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.walks == 0 && !slices.ContainsFunc(c.parts, func(t *part) bool { return t.state == waiting || t.state == lost })
}

// walk walks a part and takes note of its end.
func (c *crew) walk(ctx context.Context, t *part) error {
	defer c.changed()
	err := c.p.walk(ctx, t)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.walks--
	t.state = finished
	if errors.Is(err, errPartLost) {
		t.state = lost
		c.losses++
		switch {
		case errors.Is(err, errNothingLeft), errors.Is(err, dispatch.ErrBoundRefused) && c.losses < mostLosses:
			c.oldest = t.k.Begins
		case errors.Is(err, errNotProven), errors.Is(err, dispatch.ErrNoBound), c.losses >= mostLosses:
			// Another one would hardly fare better.
			c.starter, c.sought = nil, true
		}
		return nil
	}
	return err
}

// atWork is how many walks there are.
func (c *crew) atWork() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.walks
}

// atOnce is how many requests there may be at a time: with more than one walk wanted one
// more may look for a way to split.
func (c *crew) atOnce(worthwhile int) int {
	if c.p.Workers == Auto {
		return max(2, worthwhile)
	}
	return max(1, c.p.Workers)
}

// wanted is how many walks there should be.
func (c *crew) wanted() int {
	if c.p.Workers != Auto {
		return max(1, min(c.p.Workers, mostBytes/max(1, c.sample.bytes)))
	}
	goal, took := c.p.dispatcher.Goal()
	if time.Duration(c.pagesLeft()*float64(took)) < worthSplitting || float64(c.sample.bytes) > fastPage*took.Seconds() && c.walks < 2 {
		return 1
	}
	return max(1, min(goal, flightBytes/max(1, c.sample.bytes)))
}

// another returns a part to walk now: one that waits for it or, where more walks are wanted
// than there are, a new one that the store knows of; nil where there is none.
func (c *crew) another(ctx context.Context) (*part, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wanted := c.wanted()
	// Those of an earlier run all begin where any number may: what leads to where they stand
	// today may not do so later.
	if i := slices.IndexFunc(c.parts, func(t *part) bool { return t.state == waiting }); i >= 0 && (c.walks < wanted || c.p.Workers == Auto) {
		return c.begin(c.parts[i]), nil
	}
	if c.walks >= wanted {
		return nil, nil
	}
	owner, border, slack := c.whereToSplit(wanted - c.walks)
	if owner == nil {
		return nil, nil
	}
	t := newPart(c, model.Checkpoint{Lower: owner.k.Lower, Begins: sql.Null[model.Instant]{V: border, Valid: true}})
	owner.k.Lower = t.k.Begins
	if owner.slack > 0 {
		t.slack = owner.slack - slack
	}
	owner.slack = slack
	c.parts = slices.Insert(c.parts, slices.Index(c.parts, owner)+1, t)
	window := owner.k.Window
	// As long as the new part has not begun the owner does not end.
	c.mu.Unlock()
	k, err := c.p.Store.Split(ctx, window, border)
	c.mu.Lock()
	if err != nil {
		return nil, err
	}
	t.k = k
	return c.begin(t), nil
}

func (c *crew) begin(t *part) *part {
	t.state = walking
	c.walks++
	return t
}

// takeLost gives what lost parts have left to the next part above that is still walked. Where
// there is none they are stuck.
func (c *crew) takeLost(ctx context.Context) error {
	for {
		c.mu.Lock()
		i := slices.IndexFunc(c.parts, func(t *part) bool { return t.state == lost })
		if i < 0 {
			c.mu.Unlock()
			return nil
		}
		above := i - 1
		for above >= 0 && (c.parts[above].state != walking && c.parts[above].state != waiting || c.parts[above].ending) {
			above--
		}
		if above < 0 {
			c.parts[i].state = stuck
			c.mu.Unlock()
			continue
		}
		to, gone := c.join(above, i)
		c.mu.Unlock()
		if err := c.p.Store.Merge(ctx, to, gone...); err != nil {
			return err
		}
	}
}

// join takes the parts behind one, up to last, out of the crew, and has that one go as far
// down as they did.
func (c *crew) join(one, last int) (to int64, gone []int64) {
	for _, t := range c.parts[one+1 : last+1] {
		gone = append(gone, t.k.Window)
	}
	c.parts[one].k.Lower = c.parts[last].k.Lower
	c.parts = slices.Delete(c.parts, one+1, last+1)
	return c.parts[one].k.Window, gone
}

// rescue has the window walk again from the newest event down to the end of the last part
// that is stuck, and reports whether one is.
func (c *crew) rescue(ctx context.Context) (bool, error) {
	c.mu.Lock()
	last := -1
	for i, t := range c.parts {
		if t.state == stuck {
			last = i
		}
	}
	if last < 0 {
		c.mu.Unlock()
		return false, nil
	}
	to, gone := c.join(0, last)
	root := c.parts[0]
	root.k.State, root.k.Cursor, root.k.CursorExpiresAt, root.k.Last, root.k.Walked = model.UnderWay, "", time.Time{}, sql.Null[model.Position]{}, 0
	root.k.PageTotal, root.k.CursorBefore, root.k.TopAt = sql.Null[int64]{}, sql.Null[string]{}, time.Time{}
	root.k.Copies, root.k.RanOut, root.k.FailedRuns = 0, false, 0
	root.state, root.ending, root.at, root.last = waiting, false, sql.Null[model.Instant]{}, sql.Null[model.Position]{}
	c.starter, c.sought = nil, true
	c.p.tally.restart()
	c.mu.Unlock()
	c.p.Notice(fmt.Sprintf("%v: walking again from the newest event, skipping what is stored", errPartLost))
	return true, c.p.Store.MergeAndRestart(ctx, to, gone...)
}
