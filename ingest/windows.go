package ingest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"datasync/internal/model"
)

// checkFrom fails with ErrFrom where the file does not go down to opts.From and this
// pull would not either.
func checkFrom(windows []model.Checkpoint, opts Options) error {
	found := families(windows)
	if opts.Restart || len(found) == 0 {
		return nil
	}
	if floor := found[0][0].Floor; opts.From.Valid && floor.Valid && opts.From.V < floor.V {
		return fmt.Errorf("%w: it begins at %s", ErrFrom, floor.V.Time().Format(time.RFC3339Nano))
	}
	return nil
}

// windows walks what is left of the windows of earlier runs, then, unless that
// led past the newest event anyway, a new window above them. It returns the
// newest window with its parts.
func (p *pull) windows(ctx context.Context) (family, error) {
	windows, err := p.Store.Windows(ctx)
	if err != nil {
		return nil, err
	}
	deficit, err := p.Store.Deficit(ctx)
	if err != nil {
		return nil, err
	}
	found := families(windows)
	fromTop := false
	switch {
	case len(found) == 0:
		return p.openAndWalk(ctx, model.Checkpoint{Lower: p.From, Floor: p.From}, nil)
	case p.Restart && !walkedAgain(found[0], p.From):
		wanted := again(found[0][0], p.From)
		f, err := p.openAndWalk(ctx, wanted, found)
		if err != nil || wanted.ToTheEnd() {
			return f, err
		}
		found, fromTop = append([]family{f}, found...), true
	case !p.Restart && deficit.Missing > 0 && !deficit.Walked && found[0].isDone():
		floor := found[0][0].Floor
		p.Notice("events were missing at the end of the last pull: this one walks to the end")
		return p.openAndWalk(ctx, model.Checkpoint{Lower: floor, Floor: floor}, found)
	case !p.Restart && p.From.Valid && p.From != found[0][0].Floor:
		p.Notice("--from limits a first pull or one with --restart: it changes nothing now")
	}
	for i, f := range found {
		toTheEnd := f.toTheEnd()
		if k, open := f.unfinished(); open {
			if k.Last.Valid && !p.tally.ResumedFrom.Valid {
				p.tally.ResumedFrom = k.Last
			}
			before := f[0].State
			if f, err = p.walkFamily(ctx, f, found[i+1:]); err != nil {
				return nil, err
			}
			found[i] = f
			fromTop = fromTop || i == 0 && (before == model.NotBegun || p.tally.restarted)
		}
		if toTheEnd {
			// Nothing is left for older ones.
			break
		}
	}
	newest := found[0][0]
	if fromTop {
		return found[0], nil
	}
	// What comes out of order once may do so again.
	above := model.Checkpoint{Floor: newest.Floor, Unordered: newest.Unordered}
	above.Lower = lowerBorder(newest, p.Lookback, p.Now())
	return p.openAndWalk(ctx, above, found)
}

// again returns the borders of a window that walks again, from the top down to from or
// to the end. What the file wants further down stays wanted.
func again(newest model.Checkpoint, from sql.Null[model.Instant]) model.Checkpoint {
	k := model.Checkpoint{Lower: from, Floor: newest.Floor}
	if !from.Valid || newest.Floor.Valid && from.V < newest.Floor.V {
		k.Floor = from
	}
	return k
}

// walkedAgain reports whether the newest window is one of an earlier run that walked
// again in the same way, and was not finished: this run goes on with it.
func walkedAgain(newest family, from sql.Null[model.Instant]) bool {
	wanted := again(newest[0], from)
	_, open := newest.unfinished()
	return newest[0].Window > 1 && open && newest.lower() == wanted.Lower && newest[0].Floor == wanted.Floor
}

// family is a window and the parts of it that are walked beside it, from newer to older.
type family []model.Checkpoint

// families puts the windows and parts of a file together, the newest first. It leaves out
// windows that were opened and of which no page was committed: the next one takes their
// place, with the borders that are wanted then.
func families(windows []model.Checkpoint) (found []family) {
	for _, k := range windows {
		if n := len(found); n > 0 && found[n-1][0].Whole == k.Whole {
			found[n-1] = append(found[n-1], k)
		} else if !k.NeverBegun() {
			found = append(found, family{k})
		}
	}
	return found
}

// lower returns the border down to which it is walked.
func (f family) lower() sql.Null[model.Instant] { return f[len(f)-1].Lower }

// toTheEnd reports whether it goes down to the end of all that is wanted.
func (f family) toTheEnd() bool { return f[len(f)-1].ToTheEnd() }

// unfinished returns the newest of what is not done, if there is any.
func (f family) unfinished() (model.Checkpoint, bool) {
	i := slices.IndexFunc(f, func(k model.Checkpoint) bool { return k.State != model.Done })
	if i < 0 {
		return model.Checkpoint{}, false
	}
	return f[i], true
}

// isDone reports whether nothing is left to walk.
func (f family) isDone() bool {
	_, open := f.unfinished()
	return !open
}

// openAndWalk walks a new window with the borders of wanted, above older ones.
func (p *pull) openAndWalk(ctx context.Context, wanted model.Checkpoint, older []family) (family, error) {
	k, err := p.Store.OpenWindow(ctx, wanted.Lower, wanted.Floor)
	if err != nil {
		return nil, err
	}
	k.Unordered = wanted.Unordered
	return p.walkFamily(ctx, family{k}, older)
}

// lowerBorder returns how far down a window above newest must go: to the newest
// event that is stored, less the lookback, and no further than to the floor; to that
// also where nothing is stored. An event with an instant in the future counts as one of
// now: below it the next ones arrive.
func lowerBorder(newest model.Checkpoint, lookback time.Duration, now time.Time) sql.Null[model.Instant] {
	if !newest.Upper.Valid {
		return newest.Floor
	}
	lower := min(newest.Upper.V, model.InstantOf(now)) - model.Instant(lookback.Microseconds())
	if newest.Floor.Valid {
		lower = max(lower, newest.Floor.V)
	}
	return sql.Null[model.Instant]{V: lower, Valid: true}
}

// allDone sees that the file itself says of every window and part that it was walked to its
// end, down to one that went to the end of all that is wanted.
func (p *pull) allDone(ctx context.Context) error {
	windows, err := p.Store.Windows(ctx)
	if err != nil {
		return err
	}
	for _, f := range families(windows) {
		if k, open := f.unfinished(); open {
			return fmt.Errorf("window %d was not walked to its end: this should not be", k.Window)
		}
		if f.toTheEnd() {
			break
		}
	}
	return nil
}
