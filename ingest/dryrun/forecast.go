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

// Forecast is what a pull takes, as far as the API stays as a survey found it.
type Forecast struct {
	// Elements is how many events and rejects are to be read, New how many of them the file
	// does not hold yet.
	Elements, New int64
	// Again says that the walk of an earlier pull cannot be gone on with: all is read again,
	// from the newest event.
	Again bool
	// Pages is how many pages they fill, and Requests how many requests that takes, those for
	// access included.
	Pages, Requests int64
	// Known says that the limits of all endpoints are known. Those that are not count as none.
	Known bool
	// OneByOne is how long one request after the other takes.
	OneByOne time.Duration
	// SideBySide is how long several at a time take at best: as long as the limits have it,
	// and as many requests at a time as are wanted, each of them answered as quickly as one
	// alone. It is not valid where there is one walk, or nothing bounds that.
	SideBySide sql.Null[time.Duration]
	// Walks is how many there are at a time at most.
	Walks int
}

// forecast says what a pull with the options takes from now on; nil where the API does not
// say how much there is.
func (f *Findings) forecast(opts ingest.Options, windows []model.Checkpoint, newest decode.Page, now time.Time) *Forecast {
	if !f.Total.Valid {
		return nil
	}
	found := shard.Windows(windows)
	floor := opts.From
	if len(found) > 0 && !opts.Restart {
		floor = found[0][0].Floor
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
	p.play(f, opts, now)
	return p
}

// above is about how many elements the API has from floor on.
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

// startsOver reports whether a walk that an earlier pull left unfinished has no way on but
// from the newest event.
func (f *Findings) startsOver(newest shard.Window, opts ingest.Options, now time.Time) bool {
	k, open := newest.Unfinished()
	dead := k.Cursor == "" || !k.CursorExpiresAt.IsZero() && k.CursorExpiresAt.Before(now)
	return open && dead && !f.Until.V && !opts.RenewCursors
}

// surveyedPages is how many pages are gone through one by one; from then on time goes by at
// the rate of those.
const surveyedPages = 20_000

// play goes through the pull's requests.
func (p *Forecast) play(f *Findings, opts ingest.Options, now time.Time) {
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
	one := playOut(ends, p.Elements, 1, now)
	p.Pages, p.OneByOne = one.pages, one.took
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
		p.SideBySide = sql.Null[time.Duration]{V: playOut(ends, p.Elements, p.Walks, now).took, Valid: true}
	}
}

// source is an endpoint that gives pages in a forecast.
type source struct {
	EndpointFindings
	took time.Duration // a page
	size int64
	feed bool
}

// played is how a pull came out.
type played struct {
	pages, feed int64 // feed counts those from there
	took        time.Duration
}

// playOut goes through a pull by so many walks. Each asks for its next page as the real one
// does: the events endpoint first, else the feed, else the first that may be asked.
func playOut(ends []*source, elements int64, walks int, now time.Time) played {
	budgets := make([]pacer.Budget, len(ends))
	for i, e := range ends {
		budgets[i] = e.budget
	}
	free := make([]time.Time, max(1, walks))
	for i := range free {
		free[i] = now
	}
	var out played
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
		if out.pages >= surveyedPages {
			more := float64(elements) / float64(elements-left)
			return played{int64(float64(out.pages) * more), int64(float64(out.feed) * more), time.Duration(float64(end.Sub(now)) * more)}
		}
	}
}
