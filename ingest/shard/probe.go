package shard

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/ingest/walk"
	"datasync/internal/model"
)

const (
	// ProbeLimit is how many events show where a page begins.
	ProbeLimit = 10
	// maxProbes is how many requests may search for the oldest event. closeEnough is the share of the
	// whole span within which it has to be known.
	maxProbes   = 12
	closeEnough = 0.02
	// maxSearches is how many searches for a way may fail. searchPause is the least number of pages between
	// two searches; it doubles.
	maxSearches, searchPause = 5, 5
	// firstSpan is how far back the first probe for the oldest event goes without an estimate: a
	// month.
	firstSpan = model.Instant(30 * 24 * time.Hour / time.Microsecond)
)

// Sample describes the last page with events in order.
type Sample struct {
	// Span is the time between its newest and its oldest event.
	Span model.Instant
	// Elements counts its elements, Bytes is how much text the last page had, in order or not.
	Elements, Bytes int
	Newest          model.Instant
	// Known is an event of the page that is the first of its millisecond.
	Known sql.Null[model.Position]

	cursor string
}

// SampleOf returns the sample of a page.
func SampleOf(p *decode.Page) (s Sample) {
	s.take(p, 0)
	return s
}

// take records the sample of a page of that many bytes.
func (s *Sample) take(p *decode.Page, bytes int) {
	s.Bytes = bytes
	if !p.Descending || len(p.Events) < 2 {
		return
	}
	s.Span, s.Elements, s.Newest = p.Newest.Timestamp-p.Oldest.Timestamp, p.Elements, p.Newest.Timestamp
	s.cursor = p.NextCursor
	for i := len(p.Events) - 1; i > 0; i-- {
		if p.Events[i].Timestamp.Millisecond() != p.Events[i-1].Timestamp.Millisecond() {
			s.Known = sql.Null[model.Position]{V: p.Events[i].Position(), Valid: true}
			return
		}
	}
}

// Proof returns the proof for a page that a way requests at the known event.
func (s *Sample) Proof() walk.Proof { return walk.ProofByTime(s.Known.V) }

// mustSearch reports whether to search for a way to split now, because there are fewer walks than are
// wanted. There is one search, unless it fails.
func (c *Coordinator) mustSearch() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.splitter.searched || c.splitter.pages < c.splitter.nextSearch || c.unordered || c.offsets || !c.sample.Known.Valid ||
		c.walks >= c.wanted() || c.pagesLeft() < LeastPages {
		return false
	}
	c.splitter.searched = true
	return true
}

// searchLater allows another search some pages later, a few times.
func (c *Coordinator) searchLater() {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.splitter
	if s.searches++; s.searches < maxSearches {
		s.searched, s.nextSearch = false, s.pages+searchPause<<s.searches
	}
}

// search looks for a way to request the newest page below an instant: by time or, if allowed, by a
// constructed cursor. The coordinator takes the first way that is proven. Then search looks where the events
// end, if the window goes down to there. If there is none, that is not an error: the walk continues
// alone.
func (c *Coordinator) search(ctx context.Context) {
	defer c.changed()
	c.mu.Lock()
	sample, last := c.sample, c.shards[len(c.shards)-1]
	bottom, over, toTheEnd := last.checkpoint.Lower, last.state == finished || last.ending, last.checkpoint.ToTheEnd()
	c.mu.Unlock()
	failed := false
	for _, way := range c.ways(sample.cursor) {
		p, err := c.probe(ctx, way(sample.Known.V.Timestamp), ProbeLimit)
		if err != nil {
			failed = failed || !errors.Is(err, dispatch.ErrBoundRefused)
			continue
		}
		// When the known event came, the API had more events below it.
		if sample.Proof().Check(&p) != walk.Proven || sample.cursor != "" && !p.HasMore {
			continue
		}
		oldest := bottom
		if toTheEnd && !over {
			oldest = c.searchOldest(ctx, way, sample, bottom)
		}
		c.mu.Lock()
		c.splitter.way, c.splitter.oldest = way, oldest
		c.mu.Unlock()
		return
	}
	if failed {
		c.searchLater()
	}
}

// ways returns the ways to request the newest page below an instant.
func (c *Coordinator) ways(cursor string) []func(model.Instant) api.Request {
	ways := []func(model.Instant) api.Request{walk.ByTime}
	if _, ok := api.CursorBelow(cursor, 0, time.Now()); ok && c.options.RenewCursors {
		ways = append(ways, func(at model.Instant) api.Request {
			made, _ := api.CursorBelow(cursor, at.Millisecond()+1, time.Now())
			return api.Request{Cursor: made}
		})
	}
	return ways
}

// searchOldest returns about where the events end, as far as that is found.
func (c *Coordinator) searchOldest(ctx context.Context, way func(model.Instant) api.Request, sample Sample, bottom sql.Null[model.Instant]) sql.Null[model.Instant] {
	// The remaining events may well be as dense.
	span := model.Instant(c.pages.Load()) * sample.Span
	oldest := SearchOldest(sample.Newest, span, maxProbes, func(at model.Instant) (decode.Page, error) { return c.probe(ctx, way(at), 1) })
	if !oldest.Valid && !bottom.Valid && span > 0 {
		oldest = sql.Null[model.Instant]{V: sample.Newest - span, Valid: true}
	}
	return oldest
}

// probe requests the first few events of a page.
func (c *Coordinator) probe(ctx context.Context, req api.Request, limit int) (decode.Page, error) {
	req.Limit = limit
	memory := &api.Buffer{}
	defer memory.ReleaseLargeSlot()
	if _, _, err := c.dispatcher.Page(ctx, &dispatch.Requester{}, req, memory); err != nil {
		return decode.Page{}, err
	}
	return memory.Decode(decode.New())
}

// SearchOldest finds about where the events end: between an instant below which there are some, and one
// below which there are none. Its first probe is as far below the newest event as span says, if that is
// known. It makes no more probes than most. Each requests the newest event below an instant.
func SearchOldest(newest, span model.Instant, most int, probe func(model.Instant) (decode.Page, error)) (oldest sql.Null[model.Instant]) {
	some, none := newest, model.Instant(math.MinInt64)
	if span <= 0 {
		span = firstSpan
	}
	guess, stride := newest-span, span/16
	for range most {
		p, err := probe(max(guess, 0))
		switch {
		case err != nil && !errors.Is(err, dispatch.ErrBoundRefused):
			return oldest
		case len(p.Events) > 0:
			some = p.Events[0].Timestamp
			oldest = sql.Null[model.Instant]{V: some, Valid: true}
		case p.HasMore:
			return oldest // a reject came: nothing shows where
		default:
			none = guess
		}
		if len(p.Events) > 0 && !p.HasMore || guess <= 0 || float64(some)-float64(none) < closeEnough*float64(newest-some) {
			return oldest
		}
		switch {
		case none == math.MinInt64:
			guess = some - stride
			stride *= 2
		case !oldest.Valid && none+stride < some:
			guess = none + stride
			stride *= 2
		default:
			guess = none + (some-none)/2
		}
	}
	return oldest
}
