package dryrun

import (
	"database/sql"
	"math"
	"time"

	"datasync/ingest"
	"datasync/ingest/decode"
	"datasync/ingest/shard"
	"datasync/internal/model"
)

// Forecast says how long a pull takes if the API stays as the dry run has found it.
type Forecast struct {
	// Elements is how many events and rejects the pull reads, New how many of them the file does not have yet.
	Elements, New int64
	// Again says that the pull cannot resume the walk of an earlier one: it reads everything again from the
	// newest event.
	Again bool
	// Pages is how many pages the elements fill, Requests how many requests that takes, those for tokens
	// included.
	Pages, Requests int64
	// Known says that the rate limits of all endpoints are known. Assumes says that the times assume the
	// limits of the API's description for the others. Otherwise they count as unlimited.
	Known, Assumes bool
	// Otherwise is the expected time if Assumes is wrong. It is valid if the findings do not show which is
	// right, and if that makes a difference.
	Otherwise sql.Null[time.Duration]
	// Expected is the time of the pull with its options: Concurrent if it reads pages in parallel, otherwise
	// Sequential.
	Expected time.Duration
	// Sequential is how long the pull takes with one request at a time.
	Sequential time.Duration
	// Concurrent is the time with as many parallel requests as the limits allow, each slowed down as in the
	// dry run. It is invalid with one walk.
	Concurrent sql.Null[time.Duration]
	// Walks is how many walks there are at a time at most.
	Walks int
}

// forecast returns how long a pull with the options takes from now on; nil if the API does not state a total.
func (f *Findings) forecast(opts ingest.Options, windows []model.Checkpoint, newest decode.Page, now time.Time) *Forecast {
	if !f.Total.Valid {
		return nil
	}
	found := shard.Windows(windows)
	floor := opts.From
	if len(found) > 0 && !opts.Restart {
		floor = found[0][0].StartBound
	}
	wanted, ok := f.above(floor, newest)
	if !ok {
		return nil
	}
	p := &Forecast{Elements: max(0, wanted-f.Held), New: max(0, wanted-f.Held), Walks: 1}
	if len(found) > 0 && !opts.Restart {
		p.Again = f.startsOver(found[0], opts, now)
	}
	if opts.Restart || p.Again {
		p.Elements = wanted
	}
	p.simulate(f, opts, now)
	return p
}

// above estimates how many elements the API has from the start bound on.
func (f *Findings) above(floor sql.Null[model.Instant], newest decode.Page) (int64, bool) {
	total := f.Total.V
	if !floor.Valid || total == 0 {
		return total, true
	}
	switch all := float64(f.Newest.V - f.Oldest.V); {
	case f.Newest.Valid && f.Newest.V < floor.V:
		return 0, true
	case f.Newest.Valid && f.Oldest.Valid && all > 0:
		return min(total, roughly(float64(total)*float64(f.Newest.V-floor.V)/all)), true
	case len(newest.Events) > 1 && newest.Newest.Timestamp > newest.Oldest.Timestamp:
		dense := float64(newest.Elements) / float64(newest.Newest.Timestamp-newest.Oldest.Timestamp)
		return min(total, roughly(dense*float64(f.Newest.V-floor.V))), true
	}
	return 0, false
}

// roughly rounds an estimate to three digits.
func roughly(n float64) int64 {
	unit := int64(1)
	for n/float64(unit) >= 1000 {
		unit *= 10
	}
	return int64(math.Round(n/float64(unit))) * unit
}

// startsOver reports whether the only way on for an unfinished walk of an earlier pull is from the newest
// event.
func (f *Findings) startsOver(newest shard.Window, opts ingest.Options, now time.Time) bool {
	k, open := newest.Unfinished()
	expired := k.Cursor == "" || !k.CursorExpiresAt.IsZero() && k.CursorExpiresAt.Before(now)
	return open && expired && !f.Until.V && !opts.RenewCursors
}
