package shard

import (
	"database/sql"
	"math"

	"datasync/ingest/api"
	"datasync/internal/model"
)

const (
	// LeastPages is how many pages must be left of a shard for it to be split: a border costs half a page
	// on average, which both sides read. If there are requests to spare, time counts more: then it is
	// leastSpare.
	LeastPages, leastSpare = 4, 2
	// usualSlack is the slack of a border whose owner has none.
	usualSlack = 0.15
)

// splitter has the coordinator's state for splitting shards.
type splitter struct {
	// way returns the request for the newest page below an instant; nil until such a way is proven. searched
	// says that there was a search.
	way      func(model.Instant) api.Request
	searched bool
	// pages counts pages that were read. After nextSearch of them the next search for a way begins.
	// searches counts those that failed.
	pages, nextSearch, searches int
	losses                      int // of shards
	// oldest is about where the API's events end.
	oldest sql.Null[model.Instant]
}

// stop lets no more shards be split off.
func (s *splitter) stop() { s.way, s.searched = nil, true }

// split is a shard to split, and the border. slack is that of its owner from then on.
type split struct {
	owner  *Shard
	window int64 // the owner's
	border model.Instant
	slack  float64
}

// whereToSplit returns the shard with most left and a border for one of several more walks. The owner is
// nil if no split is worth it. All walks get equal parts, and an idle one gets the older half. The border
// is below the owner's last request.
//
// The owner keeps a whole number of pages less a little, so that little of its last page belongs to the
// other shard, too. If the owner's end was chosen in that way, both sides get half of its slack. The lock is
// held.
func (c *Coordinator) whereToSplit(more int) split {
	if c.splitter.way == nil || c.unordered || c.offsets {
		return split{}
	}
	var owner *Shard
	all, most := 0.0, 0.0
	for _, s := range c.shards {
		left := s.left()
		all += left
		if left > most && s.state == walking {
			owner, most = s, left
		}
	}
	least := float64(LeastPages)
	if c.dispatcher.CanSendSoon(int(all)) {
		least = leastSpare
	}
	if most < least {
		return split{}
	}
	span, top := owner.span, owner.at
	if span <= 0 {
		span = c.sample.Span
	}
	if !top.Valid {
		top = owner.checkpoint.Begins
	}
	slack := owner.slack / 2
	if slack == 0 {
		slack = usualSlack
	}
	share := min(most/2, max(least/2, all/float64(c.walks+more)))
	pages := 1 + max(1, math.Round(most-share)) - slack
	border := model.Instant((top.V - model.Instant(pages*float64(span))).Millisecond() * 1000)
	if border >= top.V || owner.checkpoint.Lower.Valid && border <= owner.checkpoint.Lower.V {
		return split{}
	}
	return split{owner, owner.checkpoint.Window, border, slack}
}

// insert adds the new shard of a split. Until it has begun the owner does not end. The lock is held.
func (c *Coordinator) insert(at split) *Shard {
	owner := at.owner
	s := newShard(c, model.Checkpoint{Lower: owner.checkpoint.Lower, Begins: sql.Null[model.Instant]{V: at.border, Valid: true}})
	owner.checkpoint.Lower = s.checkpoint.Begins
	if owner.slack > 0 {
		s.slack = owner.slack - at.slack
	}
	owner.slack = at.slack
	c.insertBelow(owner, s)
	return s
}
