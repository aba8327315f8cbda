package store

import (
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/google/uuid"
)

// newEvents returns the events of the pages that are not stored yet, with the page that
// each came on, and counts the others. What it must compare is little: events only where
// the table holds rows of the batch's own range of time, which DuckDB's zone maps
// make cheap to ask. A copy with another instant escapes it; the closing check
// finds those.
func (c *commit) newEvents(pages []Page) (events []*Event, page []int, err error) {
	events, page = c.distinct(pages)
	if len(events) == 0 {
		return nil, nil, nil
	}
	low, high, overlap, err := c.stored(span(pages))
	if err != nil || !overlap {
		return events, page, err
	}
	known := make([]bool, len(events))
	if err := c.compare(events, low, high, func(n int64, conflict bool) {
		known[n] = true
		c.counts[page[n]].Duplicate++
		if conflict {
			c.counts[page[n]].Conflict++
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
func span(pages []Page) (low, high Instant) {
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
func (c *commit) distinct(pages []Page) (events []*Event, page []int) {
	descending := true
	total := 0
	for i := range pages {
		p := &pages[i]
		total += len(p.Events)
		descending = descending && p.Descending
		if i > 0 && len(p.Events) > 0 && len(pages[i-1].Events) > 0 {
			before := pages[i-1].Events[len(pages[i-1].Events)-1].Position()
			descending = descending && p.Events[0].Position().Compare(before) < 0
		}
		// Without events there is nothing to compare the next page with.
		descending = descending && (len(p.Events) > 0 || i == len(pages)-1)
	}
	var first map[uuid.UUID]*Event
	if !descending {
		first = make(map[uuid.UUID]*Event, total)
	}
	events, page = slices.Grow(c.w.events[:0], total), slices.Grow(c.w.pages[:0], total)
	for i := range pages {
		for j := range pages[i].Events {
			e := &pages[i].Events[j]
			if first != nil {
				if earlier, ok := first[e.ID]; ok {
					c.counts[i].Duplicate++
					if *earlier != *e {
						c.counts[i].Conflict++
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

// stored narrows a range of time to that of the rows which the table has in it.
func (c *commit) stored(low, high Instant) (Instant, Instant, bool, error) {
	var bounds []int64
	err := c.w.pairs(fmt.Sprintf(`SELECT unnest([min(epoch_us("timestamp")), max(epoch_us("timestamp"))]), true
		FROM events WHERE "timestamp" BETWEEN make_timestamptz(%d) AND make_timestamptz(%d) HAVING count(*) > 0`, low, high),
		func(n int64, _ bool) { bounds = append(bounds, n) })
	if err != nil || len(bounds) == 0 {
		return 0, 0, false, err
	}
	return Instant(bounds[0]), Instant(bounds[1]), true, nil
}

// compare finds the events between low and high that are stored under the same
// id in that range, and whether their payload differs.
func (c *commit) compare(events []*Event, low, high Instant, found func(n int64, conflict bool)) error {
	defer runtime.KeepAlive(events)
	var suspects []int
	for n, e := range events {
		if e.Timestamp >= low && e.Timestamp <= high {
			suspects = append(suspects, n)
		}
	}
	err := c.w.append("incoming", len(suspects), func(columns []column, row, n int) {
		columns[0].int64(row, int64(suspects[n]))
		fillEvent(columns[1:], row, events[suspects[n]])
	})
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
