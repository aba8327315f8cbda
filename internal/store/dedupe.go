package store

import (
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"datasync/internal/duck"
	"datasync/internal/model"
)

// overlap is the range of time in which a batch and the table both have events, if there
// is one.
type overlap struct {
	low, high model.Instant
	found     bool
}

// findStored finds the range of the rows that the table has in the pages' own range of
// time. There are hardly ever any, and DuckDB's zone maps make it cheap to ask.
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

// newEvents returns the events of the pages that are not stored yet, with the page that
// each came on, and counts the others. It compares events only where the table holds rows
// of the batch's own range of time. A copy with another instant escapes it; the closing
// check finds those.
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

// span returns the range of time in which the events of the pages lie.
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

// distinct returns the pages' events, each id once, the first copy, and which
// page each came on. Where all positions descend strictly no id can stand twice
// with one instant, so the set of ids is not needed.
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
			// There is nothing to compare the next page with.
			return false
		}
	}
	return true
}

// compare finds the events between low and high that are stored under the same
// id in that range, and whether their payload differs.
func (c *commit) compare(events []*model.Event, low, high model.Instant, found func(n int64, conflict bool)) error {
	var suspects []int
	for n, e := range events {
		if e.Timestamp >= low && e.Timestamp <= high {
			suspects = append(suspects, n)
		}
	}
	err := c.w.insert("incoming", len(suspects), func(columns []duck.Column, row, n int) {
		columns[incomingN].Int64(row, int64(suspects[n]))
		fillEvent(columns[incomingEvent:], row, events[suspects[n]])
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
