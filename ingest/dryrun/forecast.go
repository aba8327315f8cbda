package dryrun

import (
	"database/sql"
	"math"
	"time"

	"datasync/ingest"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/ingest/pacer"
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
	// Known says that the rate limits of all endpoints are known. An unknown limit counts as none.
	Known bool
	// Sequential is how long the pull takes with one request at a time.
	Sequential time.Duration
	// Concurrent is how long it takes at best with several requests at a time: as the limits allow, with every
	// response as fast as that of a single request. It is not valid with one walk, or without a known bound.
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

// maxSimulated is how many pages the forecast simulates. The time for more is extrapolated.
const maxSimulated = 20_000

// simulate plays the pull's requests against the findings.
func (p *Forecast) simulate(f *Findings, opts ingest.Options, now time.Time) {
	var ends []*source
	p.Known = true
	for _, e := range []*EndpointFindings{&f.Events, &f.Feed} {
		if !e.Usable {
			continue
		}
		p.Known = p.Known && e.Limit > 0
		took := e.Took
		if e.Cached {
			took = max(took, f.Events.Took, f.Feed.Took)
		}
		size := e.Page
		if e.Last || size == 0 {
			size = max(opts.PageSize, 1)
		}
		ends = append(ends, &source{EndpointFindings: *e, took: took, size: int64(size), feed: e == &f.Feed})
	}
	one := pull(ends, p.Elements, 1, now)
	p.Pages, p.Sequential = one.pages, one.took
	p.Requests = one.pages
	if one.feed > 0 {
		p.Requests++
		if f.TokenLife > 0 {
			p.Requests += int64(one.took / f.TokenLife)
		}
	}
	splits := (f.Until.V || opts.RenewCursors) && one.pages >= shard.LeastPages
	switch {
	case !splits || opts.Workers == 0 || opts.Workers == 1:
		return
	case opts.Workers == shard.Auto:
		p.Walks = dispatch.MaxWorkers
	default:
		p.Walks = opts.Workers
	}
	if opts.Workers != shard.Auto || p.Known {
		p.Concurrent = sql.Null[time.Duration]{V: pull(ends, p.Elements, p.Walks, now).took, Valid: true}
	}
}

// source is an endpoint that serves pages in a forecast.
type source struct {
	EndpointFindings
	took time.Duration // a page
	size int64
	feed bool
}

// outcome is the result of a simulated pull.
type outcome struct {
	pages, feed int64 // feed counts the pages of the feed
	took        time.Duration
}

// pull simulates a pull with that many walks. Each requests its next page as a real one does: from the events
// endpoint if that may be asked, else from the feed, else from the first one that may be asked.
func pull(ends []*source, elements int64, walks int, now time.Time) outcome {
	budgets := make([]pacer.Budget, len(ends))
	for i, e := range ends {
		budgets[i] = e.budget
	}
	free := make([]time.Time, max(1, walks))
	for i := range free {
		free[i] = now
	}
	var out outcome
	end, left := now, elements
	for {
		w := 0
		for i := range free {
			if free[i].Before(free[w]) {
				w = i
			}
		}
		first, at := 0, time.Time{}
		for i, e := range ends {
			opens := budgets[i].Next(dispatch.Later(free[w], e.opens), false)
			if i == 0 || at.After(free[w]) && opens.Before(at) {
				first, at = i, opens
			}
		}
		budgets[first].Sent(at)
		free[w] = at.Add(ends[first].took)
		end = dispatch.Later(end, free[w])
		left -= ends[first].size
		out.pages++
		if ends[first].feed {
			out.feed++
		}
		if left <= 0 {
			out.took = end.Sub(now)
			return out
		}
		if out.pages >= maxSimulated {
			more := float64(elements) / float64(elements-left)
			return outcome{int64(float64(out.pages) * more), int64(float64(out.feed) * more), time.Duration(float64(end.Sub(now)) * more)}
		}
	}
}
