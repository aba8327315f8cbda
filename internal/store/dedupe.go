package store

import (
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"datasync/internal/duck"
	"datasync/internal/model"
)

// overlap is the range of time in which both a batch and the table have events. If there is none,
// found is false.
type overlap struct {
	low, high model.Instant
	found     bool
}

// findStored returns the range of the rows that the table has within the pages' range of time. There
// are hardly ever any, and DuckDB's zone maps make the query cheap.
func (c *commit) findStored(pages []model.Page) (o overlap, err error) {
	low, high := span(pages)
	if low > high {
		return overlap{}, nil
	}
	var bounds []model.Instant
	err = c.w.pairs(fmt.Sprintf(`SELECT unnest([min(epoch_us("timestamp")), max(epoch_us("timestamp"))]), true
		FROM events WHERE "timestamp" BETWEEN make_timestamptz(%d) AND make_timestamptz(%d) HAVING count(*) > 0`, low, high),
		func(n int64, _ bool) { bounds = append(bounds, model.Instant(n)) })
	if err != nil || len(bounds) == 0 {
		return overlap{}, err
	}
	return overlap{bounds[0], bounds[1], true}, nil
}

// newEvents returns the events of the pages that are not stored yet, each with its page, and counts
// the others. It compares only events in a range of time of which the table has rows. The closing
// check finds copies with another instant.
func (c *commit) newEvents(pages []model.Page, o overlap) (events []*model.Event, page []int, err error) {
	events, page = c.distinct(pages)
	if len(events) == 0 || !o.found {
		return events, page, nil
	}
	known := make([]bool, len(events))
	if err := c.compare(events, o.low, o.high, func(n int64, conflict bool) {
		known[n] = true
		c.pages[page[n]].counts.Duplicate++
		if conflict {
			c.pages[page[n]].counts.Conflict++
		}
	}); err != nil {
		return nil, nil, err
	}
	fresh := 0
	for n, e := range events {
		if !known[n] {
			events[fresh], page[fresh] = e, page[n]
			fresh++
		}
	}
	return events[:fresh], page[:fresh], nil
}

// span returns the range of time of the events of the pages.
func span(pages []model.Page) (low, high model.Instant) {
	low, high = math.MaxInt64, math.MinInt64
	for i := range pages {
		events := pages[i].Events
		if n := len(events); pages[i].Descending && n > 2 {
			low, high = min(low, events[n-1].Timestamp), max(high, events[0].Timestamp)
			continue
		}
		for j := range events {
			low, high = min(low, events[j].Timestamp), max(high, events[j].Timestamp)
		}
	}
	return low, high
}

// distinct returns the first event of each id, with its page. If all positions descend strictly, no id
// can occur twice with one instant, and it does not need a set of ids.
func (c *commit) distinct(pages []model.Page) (events []*model.Event, page []int) {
	total := 0
	for i := range pages {
		total += len(pages[i].Events)
	}
	var first map[uuid.UUID]*model.Event
	if !descending(pages) {
		first = make(map[uuid.UUID]*model.Event, total)
	}
	events, page = slices.Grow(c.w.events[:0], total), slices.Grow(c.w.pages[:0], total)
	for i := range pages {
		for j := range pages[i].Events {
			e := &pages[i].Events[j]
			if first != nil {
				if earlier, ok := first[e.ID]; ok {
					c.pages[i].counts.Duplicate++
					if *earlier != *e {
						c.pages[i].counts.Conflict++
					}
					continue
				}
				first[e.ID] = e
			}
			events, page = append(events, e), append(page, i)
		}
	}
	c.w.events, c.w.pages = events, page
	return events, page
}

// descending reports whether the positions of all events of the pages descend strictly.
func descending(pages []model.Page) bool {
	for i := range pages {
		p := &pages[i]
		if !p.Descending {
			return false
		}
		if i > 0 && len(p.Events) > 0 && len(pages[i-1].Events) > 0 {
			before := pages[i-1].Events[len(pages[i-1].Events)-1].Position()
			if p.Events[0].Position().Compare(before) >= 0 {
				return false
			}
		}
		if len(p.Events) == 0 && i < len(pages)-1 {
			// The next page has nothing to be compared with.
			return false
		}
	}
	return true
}

// compare calls found for each event between low and high whose id the table has in that range, with
// whether the two differ.
func (c *commit) compare(events []*model.Event, low, high model.Instant, found func(n int64, conflict bool)) error {
	var candidates []int
	for n, e := range events {
		if e.Timestamp >= low && e.Timestamp <= high {
			candidates = append(candidates, n)
		}
	}
	err := c.w.insert("incoming", len(candidates), func(columns []duck.Column, row, n int) {
		columns[incomingN].Int64(row, int64(candidates[n]))
		fillEvent(columns[incomingEvent:], row, events[candidates[n]])
	}, nil)
	if err != nil {
		return err
	}
	err = c.w.pairs(fmt.Sprintf(`SELECT i.n, (i.session_id, i.user_id, i.type, i.name, i."timestamp", i.properties, i.device_type, i.browser, i.extra)
		IS DISTINCT FROM (e.session_id, e.user_id, e.type, e.name, e."timestamp", e.properties, e.device_type, e.browser, e.extra)
		FROM incoming i JOIN events e ON e.id = i.id
		WHERE e."timestamp" BETWEEN make_timestamptz(%d) AND make_timestamptz(%d)`, low, high), found)
	if err != nil {
		return err
	}
	_, err = c.w.exec("DELETE FROM incoming")
	return err
}
