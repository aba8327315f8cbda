package shard

import (
	"database/sql"
	"fmt"
	"slices"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/walk"
	"datasync/internal/model"
)

// Shard is a window, or a part split off from one. The coordinator's lock guards it. It is the
// walk.Bounds of the walk that reads it.
type Shard struct {
	coordinator *Coordinator
	// checkpoint is the one at which the walk began, then the last committed one. Its borders are always
	// current.
	checkpoint model.Checkpoint
	state      state
	// ending says that the walk has read its last page.
	ending bool
	first  sql.Null[model.Position] // that it has read
	last   sql.Null[model.Position] // the oldest that it has read
	at     sql.Null[model.Instant]  // down to where it has read
	span   model.Instant            // of its last page
	// tooEarly is where a page said that nothing follows, although something was known to.
	tooEarly sql.Null[model.Position]
	// slack is the share of a page by which its last page will go beyond its end, if pages stay as they
	// are; 0 where that is not known.
	slack float64
}

// state is how far a shard has got.
type state int

const (
	waiting     state = iota // for a walk
	walking                  // by one
	finished                 // walked to its end
	lost                     // not walked to its end, and nothing more is known
	unreachable              // cannot be, and no shard above can take it over
)

func newShard(c *Coordinator, k model.Checkpoint) *Shard {
	s := &Shard{coordinator: c, checkpoint: k, first: k.First, last: k.Last}
	if k.State == model.Done {
		s.state = finished
	}
	if k.Last.Valid {
		s.at = sql.Null[model.Instant]{V: k.Last.V.Timestamp, Valid: true}
	}
	return s
}

// Checkpoint returns where a walk of the shard begins.
func (s *Shard) Checkpoint() model.Checkpoint {
	s.coordinator.mu.Lock()
	defer s.coordinator.mu.Unlock()
	return s.checkpoint
}

// Committed keeps the checkpoint as it was committed last.
func (s *Shard) Committed(k model.Checkpoint) {
	s.coordinator.mu.Lock()
	defer s.coordinator.mu.Unlock()
	k.Lower = s.checkpoint.Lower
	s.checkpoint = k
}

// Known returns the instant of the newest event of older windows, if this one does not go down to the end.
func (s *Shard) Known() sql.Null[model.Instant] { return s.coordinator.known }

// Walks returns how many walks share the window now.
func (s *Shard) Walks() int {
	s.coordinator.mu.Lock()
	defer s.coordinator.mu.Unlock()
	return s.coordinator.walks
}

// below returns the shard below; nil if there is none.
func (s *Shard) below() *Shard {
	shards := s.coordinator.shards
	if i := slices.Index(shards, s); i >= 0 && i+1 < len(shards) {
		return shards[i+1]
	}
	return nil
}

// Border is walk.Bounds's.
func (s *Shard) Border() sql.Null[model.Instant] {
	s.coordinator.mu.Lock()
	defer s.coordinator.mu.Unlock()
	border := s.checkpoint.Lower
	if b := s.below(); b != nil && b.first.Valid {
		border.V = max(border.V, b.first.V.Timestamp)
	}
	return border
}

// FirstRequest is walk.Bounds's.
func (s *Shard) FirstRequest() (first api.Request, bound model.Instant) {
	s.coordinator.mu.Lock()
	defer s.coordinator.mu.Unlock()
	way := s.coordinator.splitter.way
	if way == nil {
		way = walk.ByTime
	}
	begins := s.checkpoint.Begins.V
	return way(begins), walk.BoundAbove(begins)
}

// SetFirst is walk.Bounds's. It refuses a page below where the shard above has ended.
func (s *Shard) SetFirst(first, newest model.Position) error {
	s.coordinator.mu.Lock()
	defer s.coordinator.mu.Unlock()
	if i := slices.Index(s.coordinator.shards, s); i > 0 {
		above := s.coordinator.shards[i-1]
		if (above.ending || above.state == finished) && above.last.Valid && newest.Compare(above.last.V) < 0 {
			return fmt.Errorf("%w after %s", walk.ErrNotProven, above.last.V.Timestamp.Time().Format(time.RFC3339Nano))
		}
	}
	if !s.first.Valid {
		s.first = sql.Null[model.Position]{V: first, Valid: true}
	}
	return nil
}

// AddPage is walk.Bounds's.
func (s *Shard) AddPage(p *walk.Page, unordered bool) (last bool, err error) {
	c := s.coordinator
	defer c.changed()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unordered = c.unordered || unordered
	c.offsets = c.offsets || p.MayCount()
	s.note(&p.Page)
	c.splitter.pages++
	c.sample.take(&p.Page, p.Bytes)
	c.pages.Store(int64(c.pagesLeft()))
	if s.ending = s.endsWith(&p.Page); s.ending && s.below() != nil {
		p.Reached = s.below().first
	}
	if s.ending || p.HasMore {
		return s.ending, nil
	}
	// A shard below that has not begun may be empty. One that has begun has an event: if this shard has not
	// reached that, the page ends too early. If the API ends in the same place again after another way on,
	// all events below are gone.
	if b := s.below(); b != nil && b.first.Valid && (!s.last.Valid || s.last.V.Compare(b.first.V) > 0) {
		if s.tooEarly.Valid && s.tooEarly.V == s.last.V {
			s.ending = true
			return true, nil
		}
		s.tooEarly = s.last
		return false, walk.ErrEndsTooEarly
	}
	s.ending, p.RanOut = true, s.below() == nil
	return true, nil
}

// note records how far down a page goes.
func (s *Shard) note(p *decode.Page) {
	if len(p.Events) == 0 {
		return
	}
	if !s.last.Valid || p.Oldest.Compare(s.last.V) < 0 {
		s.last = sql.Null[model.Position]{V: p.Oldest, Valid: true}
	}
	s.at = sql.Null[model.Instant]{V: p.Oldest.Timestamp, Valid: true}
	if p.Descending {
		s.span = p.Newest.Timestamp - p.Oldest.Timestamp
	}
}

// endsWith reports whether the shard ends with the page because its events reach the shard below.
func (s *Shard) endsWith(p *decode.Page) bool {
	if len(p.Events) == 0 {
		return false
	}
	if b := s.below(); b != nil {
		return b.first.Valid && p.Reaches(b.first.V, s.coordinator.unordered)
	}
	border := s.checkpoint.Lower
	if s.coordinator.unordered || s.checkpoint.StartBound.Valid && s.checkpoint.ToTheEnd() {
		// A newer event may still follow below the border, but hardly after a whole page, and no total
		// would show it.
		return border.Valid && p.Newest.Timestamp < border.V
	}
	return border.Valid && p.Oldest.Timestamp < border.V
}

// left estimates how many pages are left of the shard, without the one that is requested; 0 where that is
// not known.
func (s *Shard) left() float64 {
	c := s.coordinator
	top, bottom, span := s.at, s.checkpoint.Lower, s.span
	if !top.Valid {
		top = s.checkpoint.Begins
	}
	if oldest := c.splitter.oldest; oldest.Valid && (!bottom.Valid || bottom.V < oldest.V) {
		bottom = oldest
	}
	if span <= 0 {
		span = c.sample.Span
	}
	if s.state == finished || s.ending || !top.Valid || !bottom.Valid || span <= 0 {
		return 0
	}
	return max(0, float64(top.V-bottom.V)/float64(span)-1)
}
