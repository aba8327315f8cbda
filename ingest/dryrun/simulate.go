package dryrun

import (
	"database/sql"
	"math"
	"slices"
	"time"

	"datasync/ingest"
	"datasync/ingest/dispatch"
	"datasync/ingest/pacer"
	"datasync/ingest/shard"
)

const (
	// maxSimulated is the number of pages that the forecast simulates. It extrapolates the time for
	// more.
	maxSimulated = 20_000
	// splitProbes is the approximate number of requests to the feed that a pull needs to split a
	// window.
	splitProbes = 6
	// storingFactor is how much longer an event takes to be decoded, stored and checked than to be decoded.
	storingFactor = 3
	// fileTime is the approximate time to make, check and close a file.
	fileTime = 150 * time.Millisecond
	// largePages is a page size, in events, that only an API that follows its own description serves.
	largePages = 50_000
	// sameTime is the ratio up to which two estimates are one. sameScale is the difference up to which
	// two lifetimes are divided by the same number.
	sameTime, sameScale = 1.25, 0.1
)

// Limits that the forecast assumes if the API has shown none: those of the API's description. In practice
// the feed allows as many a minute.
const (
	eventsRequests, feedRequests = 10, 20
	usualWindow                  = 30 * time.Second
	usualCursor, usualToken      = 119 * time.Second, 300 * time.Second
)

// simulate runs the pull's requests against the findings, under the likelier assumption about limits, and
// under the other one if the findings do not decide.
func (p *Forecast) simulate(f *Findings, opts ingest.Options, now time.Time) {
	p.Known = (!f.Events.Usable || f.Events.Limit > 0) && (!f.Feed.Usable || f.Feed.Limit > 0)
	p.Assumes = !p.Known && (f.limits() || f.servesAsAsked(opts.PageSize))
	other := *p
	other.Assumes = !p.Assumes
	p.estimate(f, opts, now)
	if p.Known || f.limits() {
		return
	}
	other.estimate(f, opts, now)
	if a, b := min(p.Expected, other.Expected), max(p.Expected, other.Expected); float64(b) > sameTime*float64(a) {
		p.Otherwise = sql.Null[time.Duration]{V: other.Expected, Valid: true}
	}
}

// estimate runs the pull's requests under the forecast's assumption.
func (p *Forecast) estimate(f *Findings, opts ingest.Options, now time.Time) {
	var ends []*source
	for _, e := range []*EndpointFindings{&f.Events, &f.Feed} {
		if !e.Usable {
			continue
		}
		took := e.Took
		if e.Cached {
			took = max(took, f.Events.Took, f.Feed.Took)
		}
		size := e.Page
		if e.Last || size == 0 {
			size = max(opts.PageSize, 1)
		}
		s := &source{EndpointFindings: *e, took: took, size: int64(size), feed: e == &f.Feed}
		if p.Assumes && e.Limit == 0 {
			s.assumeLimit(f.usualRequests(e), f.usualWindow(), now)
		}
		ends = append(ends, s)
	}
	one := pull{ends: ends, elements: p.Elements, walks: 1}.run(now)
	p.Pages, p.Sequential = one.pages, f.withLocal(one.took, p.Elements)
	p.Requests = one.pages
	if one.feed > 0 {
		p.Requests++
		if f.TokenLife > 0 {
			p.Requests += int64(one.took / f.TokenLife)
		}
	}
	p.Expected = p.Sequential
	splits := (f.Until.V || opts.RenewCursors) && one.pages >= shard.LeastPages
	switch {
	case !splits || opts.Workers == 0 || opts.Workers == 1:
		return
	case opts.Workers == shard.Auto:
		p.Walks = dispatch.MaxWorkers
	default:
		p.Walks = opts.Workers
	}
	several := pull{ends: ends, elements: p.Elements, walks: p.Walks, auto: opts.Workers == shard.Auto, slower: f.Slower, gap: f.gap, split: splitProbes * f.probe}.run(now)
	// A pull that splits nothing is as fast as one walk.
	p.Concurrent = sql.Null[time.Duration]{V: min(p.Sequential, f.withLocal(several.took, p.Elements)), Valid: true}
	p.Expected = p.Concurrent.V
}

// withLocal adds this machine's own time to that of the requests. The machine decodes and stores pages
// while others arrive, but not before the first one.
func (f *Findings) withLocal(requests time.Duration, elements int64) time.Duration {
	if f.decoding == 0 {
		return requests
	}
	each := storingFactor * f.decoding
	page := max(f.Events.Page, f.Feed.Page)
	return fileTime + max(requests, time.Duration(elements)*each) + time.Duration(min(elements, int64(page)))*each
}

// limits reports whether the dry run shows that the API limits requests. Then an endpoint states a limit or
// answers 429, or the API serves the large pages of its description.
func (f *Findings) limits() bool {
	for _, e := range []*EndpointFindings{&f.Events, &f.Feed} {
		if e.Limit > 0 || e.Limited > 0 || e.Page >= largePages {
			return true
		}
	}
	return false
}

// servesAsAsked reports whether pages are as large as asked for, as the API's description says. Such an API
// limits requests, unless it is unlike its description in that only.
func (f *Findings) servesAsAsked(pageSize int) bool {
	for _, e := range []*EndpointFindings{&f.Events, &f.Feed} {
		if e.Usable && !e.Last && e.Page < pageSize {
			return false
		}
	}
	return true
}

// usualWindow returns the window of limits that the API has not stated. If the API divides both of its
// lifetimes by a number, it divides windows by that number, too.
func (f *Findings) usualWindow() time.Duration {
	cursor, token := f.CursorLife.Seconds()/usualCursor.Seconds(), f.TokenLife.Seconds()/usualToken.Seconds()
	if cursor > 0 && math.Abs(token/cursor-1) < sameScale {
		return time.Duration(token * float64(usualWindow))
	}
	return usualWindow
}

// UsualRate returns how many requests a minute the endpoints without a known limit usually allow, together.
func (f *Findings) UsualRate() (requests int64) {
	for _, e := range []*EndpointFindings{&f.Events, &f.Feed} {
		if e.Usable && e.Limit == 0 {
			requests += int64(math.Round(float64(f.usualRequests(e)) * time.Minute.Seconds() / f.usualWindow().Seconds()))
		}
	}
	return requests
}

// usualRequests returns how many requests the endpoint usually allows in a window.
func (f *Findings) usualRequests(e *EndpointFindings) int {
	if e == &f.Feed {
		return feedRequests
	}
	return eventsRequests
}

// source is an endpoint that serves pages in a forecast.
type source struct {
	EndpointFindings
	took time.Duration // a page, if no other request is in flight
	size int64
	feed bool
}

// assumeLimit gives the source a limit that the API has not stated, and counts the requests so far against
// it.
func (s *source) assumeLimit(requests int, window time.Duration, now time.Time) {
	s.budget = pacer.Budget{}
	s.budget.Sent(now)
	s.budget.Stated(now, requests, max(0, requests-s.sent), window)
	s.budget.Granted(now)
}

// pull is a pull that a forecast simulates.
type pull struct {
	ends     []*source
	elements int64
	walks    int
	// auto says that walks is a maximum, and that the pull measures how many help.
	auto bool
	// slower is the slowdown of a page for each other request in flight.
	slower time.Duration
	// gap is the time between two requests to an endpoint while the first is in flight. split is how long
	// one walk is alone after its first page.
	gap, split time.Duration
}

// outcome is the result of a simulated pull.
type outcome struct {
	pages, feed int64 // feed counts the pages of the feed
	took        time.Duration
}

// flight is a request in flight.
type flight struct {
	end  time.Time
	took time.Duration
	// among is the number of requests in flight, this one included.
	among int
}

// simulation is the state of a simulated pull.
type simulation struct {
	pull
	now     time.Time
	budgets []pacer.Budget
	sent    []time.Time // to each end, last
	flying  []flight
	workers *pacer.Workers
	last    time.Duration // of a page
	alone   time.Time     // until then there is one walk
	peak    int           // requests in flight at most so far
	left    int64         // elements that are not requested yet
	out     outcome
}

// run simulates the pull. Each walk requests its next page as a real one does. It prefers the events endpoint,
// then the feed, and otherwise waits for the first endpoint that becomes available.
func (p pull) run(now time.Time) outcome {
	s := &simulation{pull: p, now: now, left: p.elements, workers: pacer.NewWorkers(dispatch.MaxWorkers), sent: make([]time.Time, len(p.ends))}
	for _, e := range p.ends {
		b := e.budget
		for range splitProbes {
			if p.walks > 1 && e.feed {
				b.Sent(now)
			}
		}
		s.budgets = append(s.budgets, b)
	}
	began := now
	for s.left > 0 || s.out.pages == 0 {
		if len(s.flying) >= s.wanted() {
			s.land()
			continue
		}
		to, at := s.next()
		if len(s.flying) > 0 && s.flying[0].end.Before(at) {
			s.land()
			continue
		}
		s.send(to, dispatch.Later(s.now, at))
		if s.out.pages >= maxSimulated {
			more := float64(p.elements) / float64(p.elements-s.left)
			return outcome{int64(float64(s.out.pages) * more), int64(float64(s.out.feed) * more), time.Duration(float64(s.now.Sub(began)) * more)}
		}
	}
	for len(s.flying) > 0 {
		s.land()
	}
	s.out.took = s.now.Sub(began)
	return s.out
}

// next returns the end that gets the next request, and when.
func (s *simulation) next() (to int, at time.Time) {
	for i, e := range s.ends {
		opens := s.budgets[i].Next(dispatch.Later(s.now, e.opens), false)
		if len(s.flying) > 0 && !s.sent[i].IsZero() {
			opens = dispatch.Later(opens, s.sent[i].Add(s.gap))
		}
		if i == 0 || at.After(s.now) && opens.Before(at) {
			to, at = i, opens
		}
	}
	return to, at
}

// send sends a request.
func (s *simulation) send(to int, at time.Time) {
	e := s.ends[to]
	s.now, s.sent[to] = at, at
	s.budgets[to].Sent(at)
	among := len(s.flying) + 1
	took := e.took + time.Duration(among-1)*s.slower
	f := flight{at.Add(took), took, among}
	i, _ := slices.BinarySearchFunc(s.flying, f, func(a, b flight) int { return a.end.Compare(b.end) })
	s.flying = slices.Insert(s.flying, i, f)
	s.peak = max(s.peak, len(s.flying))
	s.left -= e.size
	s.out.pages++
	if e.feed {
		s.out.feed++
	}
}

// land ends the request that ends first.
func (s *simulation) land() {
	f := s.flying[0]
	s.flying = s.flying[1:]
	s.now, s.last = f.end, f.took
	if s.alone.IsZero() {
		s.alone = s.now.Add(s.split)
	}
	s.workers.Answered(f.among, f.took, s.spent())
}

// spent reports whether no end may be asked now.
func (s *simulation) spent() bool {
	for i, e := range s.ends {
		if !s.budgets[i].Next(dispatch.Later(s.now, e.opens), false).After(s.now) {
			return false
		}
	}
	return true
}

// wanted returns the number of parallel requests that a pull would choose.
func (s *simulation) wanted() int {
	if s.alone.IsZero() || s.now.Before(s.alone) {
		return 1
	}
	// A new shard has at least two pages, and overlaps its neighbour by part of one.
	left := s.pagesLeft() + float64(len(s.flying))
	wanted := min(s.walks, max(s.peak, int(left/2.5)))
	if !s.auto {
		return max(1, wanted)
	}
	wanted = min(wanted, s.workers.Goal())
	if time.Duration(left*float64(s.last)) < shard.WorthSplitting {
		wanted = min(wanted, s.peak)
	}
	rate := 0.0
	for i := range s.budgets {
		each := s.budgets[i].Rate()
		if each == 0 {
			return max(1, wanted)
		}
		rate += each
	}
	return max(1, min(wanted, 1+int(math.Ceil(dispatch.Headroom*rate*s.last.Seconds()))))
}

// pagesLeft returns the number of pages that are not requested yet.
func (s *simulation) pagesLeft() float64 { return float64(s.left) / float64(max(1, s.ends[0].size)) }
