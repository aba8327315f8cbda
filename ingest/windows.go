package ingest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"datasync/internal/store"
)

// checkFrom fails with ErrFrom where the file does not go down to opts.From and this
// pull would not either.
func checkFrom(ctx context.Context, opts Options) error {
	windows, err := opts.Store.Windows(ctx)
	windows = begun(windows)
	if err != nil || opts.Restart || len(windows) == 0 {
		return err
	}
	if floor := windows[0].Floor; opts.From.Valid && floor.Valid && opts.From.V < floor.V {
		return fmt.Errorf("%w: it begins at %s", ErrFrom, floor.V.Time().Format(time.RFC3339Nano))
	}
	return nil
}

// windows walks what is left of the windows of earlier runs, then, unless that
// led past the newest event anyway, a new window above them. It returns the
// newest window.
func (p *pull) windows(ctx context.Context) (store.Checkpoint, error) {
	windows, err := p.Store.Windows(ctx)
	if err != nil {
		return store.Checkpoint{}, err
	}
	windows = begun(windows)
	fromTop := false
	switch {
	case len(windows) == 0:
		return p.openAndWalk(ctx, store.Checkpoint{Lower: p.From, Floor: p.From}, nil)
	case p.Restart && !walkedAgain(windows[0], p.From):
		k, err := p.openAndWalk(ctx, again(windows[0], p.From), nil)
		if err != nil || k.ToTheEnd() {
			return k, err
		}
		windows, fromTop = append([]store.Checkpoint{k}, windows...), true
	case !p.Restart && p.From.Valid && p.From != windows[0].Floor:
		p.Notice("--from limits a first pull or one with --restart: it changes nothing now")
	}
	for i, k := range windows {
		if k.State != store.Done {
			if k.Last.Valid && !p.summary.ResumedFrom.Valid {
				p.summary.ResumedFrom = k.Last
			}
			before := k.State
			if windows[i], err = p.window(ctx, k, nil); err != nil {
				return store.Checkpoint{}, err
			}
			fromTop = fromTop || i == 0 && (before == store.NotBegun || p.summary.restarted)
		}
		if k.ToTheEnd() {
			// Nothing is left for older ones.
			break
		}
	}
	if fromTop {
		return windows[0], nil
	}
	// What comes out of order once may do so again.
	above := store.Checkpoint{Floor: windows[0].Floor, Unordered: windows[0].Unordered}
	above.Lower = lowerBorder(windows[0], p.Lookback, p.Now())
	if above.ToTheEnd() {
		return p.openAndWalk(ctx, above, nil)
	}
	held, err := p.Store.Held(ctx)
	if err != nil {
		return store.Checkpoint{}, err
	}
	var n *news
	if before := windows[0].Total; before.Valid && before.V == held.Elements {
		n = &news{held: held}
	}
	return p.openAndWalk(ctx, above, n)
}

// again returns the borders of a window that walks again, from the top down to from or
// to the end. What the file wants further down stays wanted.
func again(newest store.Checkpoint, from sql.Null[store.Instant]) store.Checkpoint {
	k := store.Checkpoint{Lower: from, Floor: newest.Floor}
	if !from.Valid || newest.Floor.Valid && from.V < newest.Floor.V {
		k.Floor = from
	}
	return k
}

// walkedAgain reports whether the newest window is one of an earlier run that walked
// again in the same way, and was not finished: this run goes on with it.
func walkedAgain(newest store.Checkpoint, from sql.Null[store.Instant]) bool {
	wanted := again(newest, from)
	return newest.Window > 1 && newest.State != store.Done && newest.Lower == wanted.Lower && newest.Floor == wanted.Floor
}

// begun leaves out windows that were opened and of which no page was committed: the
// next one takes their place, with the borders that are wanted then.
func begun(windows []store.Checkpoint) []store.Checkpoint {
	return slices.DeleteFunc(windows, func(k store.Checkpoint) bool { return k.NeverBegun() })
}

// openAndWalk walks a new window with the borders of wanted.
func (p *pull) openAndWalk(ctx context.Context, wanted store.Checkpoint, news *news) (store.Checkpoint, error) {
	k, err := p.Store.OpenWindow(ctx, wanted.Lower, wanted.Floor)
	if err != nil {
		return k, err
	}
	k.Unordered = wanted.Unordered
	return p.window(ctx, k, news)
}

// lowerBorder returns how far down a window above newest must go: to the newest
// event that is stored, less the lookback, and no further than to the floor; to that
// also where nothing is stored. An event with an instant in the future counts as one of
// now: below it the next ones arrive.
func lowerBorder(newest store.Checkpoint, lookback time.Duration, now time.Time) sql.Null[store.Instant] {
	if !newest.Upper.Valid {
		return newest.Floor
	}
	lower := min(newest.Upper.V, store.InstantOf(now)) - store.Instant(lookback.Microseconds())
	if newest.Floor.Valid {
		lower = max(lower, newest.Floor.V)
	}
	return sql.Null[store.Instant]{V: lower, Valid: true}
}

// prove compares what is stored with what the API said to have when the newest
// window's first page came.
func (p *pull) prove(newest store.Checkpoint, have store.Settled) error {
	if newest.Floor.Valid {
		// How many events the API has from there on it does not say.
		p.summary.From = newest.Floor
		return nil
	}
	if !newest.Total.Valid {
		p.Notice("the API did not say how many events it has: every page was read, but nothing confirms the number")
		return nil
	}
	total, sum := newest.Total.V, have.Events+have.Rejected
	switch {
	case sum < total:
		return fmt.Errorf("%w: %d of the %d that the API says to have (%d are stored, %d rejected); they came later than the lookback allows for, or were deleted: pull again with --restart",
			ErrMissing, total-sum, total, have.Events, have.Rejected)
	case sum > total:
		p.Notice(fmt.Sprintf("%d events are here (%d stored, %d rejected), and the API said at first that it has %d: some came while the pull went on, or were deleted there",
			sum, have.Events, have.Rejected, total))
	}
	return nil
}
