package ingest

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"datasync/internal/store"
)

// windows walks what is left of the windows of earlier runs, then, unless that
// led past the newest event anyway, a new window above them. It returns the
// newest window.
func (p *pull) windows(ctx context.Context) (store.Checkpoint, error) {
	windows, err := p.Store.Windows(ctx)
	if err != nil {
		return store.Checkpoint{}, err
	}
	if p.Restart || len(windows) == 0 {
		return p.openAndWalk(ctx, sql.Null[store.Instant]{})
	}
	fromTop := false
	for i, k := range windows {
		if k.State != store.Done {
			if k.Last.Valid && !p.summary.ResumedFrom.Valid {
				p.summary.ResumedFrom = k.Last
			}
			before := k.State
			if windows[i], err = p.window(ctx, k); err != nil {
				return store.Checkpoint{}, err
			}
			fromTop = fromTop || i == 0 && (before == store.NotBegun || p.summary.restarted)
		}
		if !k.Lower.Valid {
			// It goes down to the end: nothing is left for older ones.
			break
		}
	}
	if fromTop {
		return windows[0], nil
	}
	return p.openAndWalk(ctx, lowerBorder(windows[0], p.Lookback, p.Now()))
}

func (p *pull) openAndWalk(ctx context.Context, lower sql.Null[store.Instant]) (store.Checkpoint, error) {
	k, err := p.Store.OpenWindow(ctx, lower)
	if err != nil {
		return k, err
	}
	return p.window(ctx, k)
}

// lowerBorder returns how far down a window above newest must go: to the newest
// event that is stored, less the lookback. An event with an instant in the future
// counts as one of now: below it the next ones arrive.
func lowerBorder(newest store.Checkpoint, lookback time.Duration, now time.Time) sql.Null[store.Instant] {
	if !newest.Upper.Valid {
		return sql.Null[store.Instant]{}
	}
	top := min(newest.Upper.V, store.InstantOf(now))
	return sql.Null[store.Instant]{V: top - store.Instant(lookback.Microseconds()), Valid: true}
}

// prove compares what is stored with what the API said to have when the newest
// window's first page came.
func (p *pull) prove(newest store.Checkpoint, have store.Settled) error {
	if !newest.Total.Valid {
		p.Notice("the API did not say how many events it has: every page was read, but nothing confirms the number")
		return nil
	}
	total, sum := newest.Total.V, have.Events+have.Rejected
	switch {
	case sum < total:
		return fmt.Errorf("%w: the API says that it has %d, but %d are here (%d stored, %d rejected); they came later than the lookback allows for, or were deleted: pull again with --restart",
			ErrMissing, total, sum, have.Events, have.Rejected)
	case sum > total:
		p.Notice(fmt.Sprintf("%d events are here (%d stored, %d rejected), and the API said at first that it has %d: some came while the pull went on, or were deleted there",
			sum, have.Events, have.Rejected, total))
	}
	return nil
}
