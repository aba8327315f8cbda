package ingest

import (
	"context"
	"database/sql"
	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
	"errors"
	"math"
	"time"
)

const (
	// seekLimit is how many events are enough to see where a page begins.
	seekLimit = 10
	// mostProbes is how many requests may go into finding the oldest event, and closeEnough
	// the share of the whole span that it need not be known better.
	mostProbes  = 12
	closeEnough = 0.02
	// mostSeeks is how often a way is looked for as long as that fails, seekPause how many
	// pages lie between at least; they double.
	mostSeeks, seekPause = 5, 5
	// firstSpan is where it is looked for first if nothing tells: a month back.
	firstSpan = model.Instant(30 * 24 * time.Hour / time.Microsecond)
)

// mustSeek reports whether a way to split is to be looked for now, as there are fewer walks
// than are wanted. That is done once, unless it fails.
func (c *crew) mustSeek() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sought || c.read < c.seekAfter || c.unordered || c.offsets || !c.sample.known.Valid || c.walks >= c.wanted() || c.pagesLeft() < leastPages {
		return false
	}
	c.sought = true
	return true
}

// seekAgain lets a way be looked for once more some pages later, after one could not be tried,
// a few times.
func (c *crew) seekAgain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seeks++; c.seeks < mostSeeks {
		c.sought, c.seekAfter = false, c.read+seekPause<<c.seeks
	}
}

// seek looks for a way to ask for the newest page below an instant, by time or, where that is
// allowed, by a cursor that is made for it; a way that is proven becomes the crew's. Then it
// looks where the events end, if the window goes down to there. That it finds none is no
// error: the walk goes on alone.
func (c *crew) seek(ctx context.Context) {
	defer c.changed()
	c.mu.Lock()
	s, last := c.sample, c.parts[len(c.parts)-1]
	bottom, over, toTheEnd := last.k.Lower, last.state == finished || last.ending, last.k.ToTheEnd()
	c.mu.Unlock()
	ways := []func(model.Instant) api.Request{byTime}
	if _, ok := cursorAt(s.cursor, 0, time.Now()); ok && c.p.RenewCursors {
		ways = append(ways, func(at model.Instant) api.Request {
			cursor, _ := cursorAt(s.cursor, milliseconds(at)+1, time.Now())
			return api.Request{Cursor: cursor}
		})
	}
	failed := false
	for _, way := range ways {
		p, err := c.probe(ctx, way(s.known.V.Timestamp), seekLimit)
		if err != nil {
			failed = failed || !errors.Is(err, dispatch.ErrBoundRefused)
			continue
		}
		// There was more when the known event came.
		if s.proof().look(&p) != proven || s.cursor != "" && !p.HasMore {
			continue
		}
		oldest := bottom
		if toTheEnd && !over {
			// What is left may well be as dense.
			span := model.Instant(c.pages.Load()) * s.span
			oldest = seekOldest(s.newest, span, mostProbes, func(at model.Instant) (decode.Page, error) { return c.probe(ctx, way(at), 1) })
			if !oldest.Valid && !bottom.Valid && span > 0 {
				oldest = sql.Null[model.Instant]{V: s.newest - span, Valid: true}
			}
		}
		c.mu.Lock()
		c.starter, c.oldest = way, oldest
		c.mu.Unlock()
		return
	}
	if failed {
		c.seekAgain()
	}
}

// proof is that of the page which a way leads to that is asked for the known event.
func (s *sample) proof() *proof {
	return &proof{anchor: s.known.V, bound: model.Instant((milliseconds(s.known.V.Timestamp)+1)*1000 + 999)}
}

// probe asks for the first few events of a page.
func (c *crew) probe(ctx context.Context, a api.Request, limit int) (decode.Page, error) {
	a.Limit = limit
	memory := &api.Buffer{}
	defer memory.LeaveLargeSlot()
	if _, _, err := c.p.dispatcher.Page(ctx, &dispatch.Requester{}, a, memory); err != nil {
		return decode.Page{}, err
	}
	return memory.Decode(decode.New())
}

// seekOldest finds about where the events end: it lies between an instant below which there
// are some, and one below which there are none. It is looked for first as far below the
// newest as span says, where that is known, and by at most so many probes, which ask for the
// newest event below an instant.
func seekOldest(newest, span model.Instant, most int, probe func(model.Instant) (decode.Page, error)) (oldest sql.Null[model.Instant]) {
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
			// What came is a reject: nothing shows where.
			return oldest
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
