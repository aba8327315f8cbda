package ingest

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"datasync/ingest/shard"
	"datasync/ingest/walk"
	"datasync/internal/model"
)

// CheckFrom fails with ErrFrom if opts.From is before the start bound of the file and this pull would not
// change that.
func CheckFrom(windows []model.Checkpoint, opts Options) error {
	found := shard.Windows(windows)
	if opts.Restart || len(found) == 0 {
		return nil
	}
	if floor := found[0][0].StartBound; opts.From.Valid && floor.Valid && opts.From.V < floor.V {
		return fmt.Errorf("%w: it begins at %s", ErrFrom, floor.V.Time().Format(time.RFC3339Nano))
	}
	return nil
}

// windows walks the rest of the windows of earlier runs. Then it walks a new window above them, unless
// that led past the newest event anyway. It returns the newest window.
func (p *pull) windows(ctx context.Context) (shard.Window, error) {
	checkpoints, err := p.Store.Windows(ctx)
	if err != nil {
		return nil, err
	}
	deficit, err := p.Store.Deficit(ctx)
	if err != nil {
		return nil, err
	}
	found := shard.Windows(checkpoints)
	switch {
	case len(found) == 0:
		return p.openAndWalk(ctx, model.Checkpoint{Lower: p.From, StartBound: p.From}, nil)
	case p.Restart && !walkedAgain(found[0], p.From):
		wanted := again(found[0][0], p.From)
		w, err := p.openAndWalk(ctx, wanted, found)
		if err != nil || wanted.ToTheEnd() {
			return w, err
		}
		return p.resume(ctx, append([]shard.Window{w}, found...), true)
	case !p.Restart && deficit.Missing > 0 && !deficit.Walked && found[0].IsDone():
		floor := found[0][0].StartBound
		p.Notice("events were missing at the end of the last pull: this one walks to the end")
		return p.openAndWalk(ctx, model.Checkpoint{Lower: floor, StartBound: floor}, found)
	case !p.Restart && p.From.Valid && p.From != found[0][0].StartBound:
		p.Notice("--from limits a first pull or one with --restart: it changes nothing now")
	}
	return p.resume(ctx, found, false)
}

// resume finishes the windows of earlier runs, and opens a window above them unless one began at the
// newest event in this run.
func (p *pull) resume(ctx context.Context, found []shard.Window, fromNewest bool) (shard.Window, error) {
	for i, w := range found {
		toTheEnd := w.ToTheEnd()
		if k, open := w.Unfinished(); open {
			if k.Last.Valid && !p.counters.ResumedFrom.Valid {
				p.counters.ResumedFrom = k.Last
			}
			before := w[0].State
			w, err := p.walkWindow(ctx, w, found[i+1:])
			if err != nil {
				return nil, err
			}
			found[i] = w
			fromNewest = fromNewest || i == 0 && (before == model.NotBegun || p.counters.restarted)
		}
		if toTheEnd {
			break // nothing is left for older ones
		}
	}
	newest := found[0][0]
	if fromNewest {
		return found[0], nil
	}
	// Events that were out of order may be so again.
	above := model.Checkpoint{StartBound: newest.StartBound, Unordered: newest.Unordered}
	above.Lower = lowerBorder(newest, p.Lookback, p.Now())
	return p.openAndWalk(ctx, above, found)
}

// again returns the borders of a window that is read again, from the newest event down to from or to the
// end. The file's own start bound stays if it is further down.
func again(newest model.Checkpoint, from sql.Null[model.Instant]) model.Checkpoint {
	k := model.Checkpoint{Lower: from, StartBound: newest.StartBound}
	if !from.Valid || newest.StartBound.Valid && from.V < newest.StartBound.V {
		k.StartBound = from
	}
	return k
}

// walkedAgain reports whether an earlier run began to read the same window again and did not finish. Then
// this run resumes it.
func walkedAgain(newest shard.Window, from sql.Null[model.Instant]) bool {
	wanted := again(newest[0], from)
	_, open := newest.Unfinished()
	return newest[0].Window > 1 && open && newest.Lower() == wanted.Lower && newest[0].StartBound == wanted.StartBound
}

// openAndWalk opens a window with the borders of wanted above older ones, and walks it.
func (p *pull) openAndWalk(ctx context.Context, wanted model.Checkpoint, older []shard.Window) (shard.Window, error) {
	k, err := p.Store.OpenWindow(ctx, wanted.Lower, wanted.StartBound)
	if err != nil {
		return nil, err
	}
	k.Unordered = wanted.Unordered
	return p.walkWindow(ctx, shard.Window{k}, older)
}

// lowerBorder returns how far down a window above newest must go: to the newest stored event less the
// lookback, but not below the start bound. Without a stored event it is the start bound. An event in the
// future counts as one of now, because the next events arrive below it.
func lowerBorder(newest model.Checkpoint, lookback time.Duration, now time.Time) sql.Null[model.Instant] {
	if !newest.Upper.Valid {
		return newest.StartBound
	}
	lower := min(newest.Upper.V, model.InstantOf(now)) - model.Instant(lookback.Microseconds())
	if newest.StartBound.Valid {
		lower = max(lower, newest.StartBound.V)
	}
	return sql.Null[model.Instant]{V: lower, Valid: true}
}

// allDone checks that every window and shard in the file is done, down to a window that goes to the end.
func (p *pull) allDone(ctx context.Context) error {
	windows, err := p.Store.Windows(ctx)
	if err != nil {
		return err
	}
	for _, f := range shard.Windows(windows) {
		if k, open := f.Unfinished(); open {
			return fmt.Errorf("window %d was not walked to its end: this is a bug", k.Window)
		}
		if f.ToTheEnd() {
			break
		}
	}
	return nil
}

// walkWindow walks a window and its shards, above older windows, to their end.
func (p *pull) walkWindow(ctx context.Context, w shard.Window, older []shard.Window) (shard.Window, error) {
	coordinator := shard.NewCoordinator(p.common.Dispatcher, shard.Options{
		Store: p.Store, Workers: p.Workers, RenewCursors: p.RenewCursors, WalkShard: p.walkShard,
	}, windowObserver{p.Progress, p.counters})
	return coordinator.Run(ctx, w, older)
}

// windowObserver shows the windows to the progress, and how they are resumed to the counters.
type windowObserver struct {
	*Progress
	counters *counters
}

func (o windowObserver) Resumed(way walk.Way, text string) { o.counters.Resumed(way, text) }
