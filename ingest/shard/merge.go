package shard

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"datasync/ingest/walk"
	"datasync/internal/model"
)

// merged is a shard that takes over those below it.
type merged struct {
	into int64
	gone []int64
}

// rejoin merges shards of an earlier run that have not begun into the one above, unless that is done. The
// one above cannot end before they begin. With fewer walks than then, it may have read all of their
// events by that time.
func (c *Coordinator) rejoin(ctx context.Context, w Window) (Window, error) {
	kept := w[:1:1]
	for _, k := range w[1:] {
		above := &kept[len(kept)-1]
		if k.State != model.NotBegun || above.State == model.Done {
			kept = append(kept, k)
			continue
		}
		if err := c.options.Store.Merge(ctx, above.Window, k.Window); err != nil {
			return nil, err
		}
		above.Lower = k.Lower
	}
	return kept, nil
}

// mergeLost merges the rest of lost shards into the next shard above that is still walked. A lost shard
// without one is unreachable.
func (c *Coordinator) mergeLost(ctx context.Context) error {
	for {
		m, ok := c.takeLost()
		if !ok {
			return nil
		}
		if err := c.options.Store.Merge(ctx, m.into, m.gone...); err != nil {
			return err
		}
	}
}

// takeLost merges the next lost shard, and those between, into the shard above that takes over.
func (c *Coordinator) takeLost() (merged, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		i := slices.IndexFunc(c.shards, func(s *Shard) bool { return s.state == lost })
		if i < 0 {
			return merged{}, false
		}
		above := i - 1
		for above >= 0 && (c.shards[above].state != walking && c.shards[above].state != waiting || c.shards[above].ending) {
			above--
		}
		if above >= 0 {
			return c.merge(above, i), true
		}
		c.shards[i].state = unreachable
	}
}

// merge removes the shards below one, up to last, and extends one down to the lower border of last. The
// lock is held.
func (c *Coordinator) merge(one, last int) merged {
	m := merged{into: c.shards[one].checkpoint.Window}
	for _, s := range c.shards[one+1 : last+1] {
		m.gone = append(m.gone, s.checkpoint.Window)
	}
	c.shards[one].checkpoint.Lower = c.shards[last].checkpoint.Lower
	c.shards = slices.Delete(c.shards, one+1, last+1)
	return m
}

// restart reports whether a shard is unreachable. If so, the window is walked again from the newest event
// to the end of the last such shard.
func (c *Coordinator) restart(ctx context.Context) (bool, error) {
	m, ok := c.takeUnreachable()
	if !ok {
		return false, nil
	}
	c.observer.Resumed(walk.FromNewestEvent, fmt.Sprintf("%v: restarting from the newest event, skipping stored events", walk.ErrUnreachable))
	return true, c.options.Store.MergeAndRestart(ctx, m.into, m.gone...)
}

// takeUnreachable merges all shards down to the last unreachable one into the first, which waits for a walk
// from the newest event.
func (c *Coordinator) takeUnreachable() (merged, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := -1
	for i, s := range c.shards {
		if s.state == unreachable {
			last = i
		}
	}
	if last < 0 {
		return merged{}, false
	}
	m := c.merge(0, last)
	root := c.shards[0]
	root.checkpoint.Restart()
	root.state, root.ending, root.at, root.last = waiting, false, sql.Null[model.Instant]{}, sql.Null[model.Position]{}
	c.splitter.stop()
	return m, true
}
