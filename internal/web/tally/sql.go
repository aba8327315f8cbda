package tally

import (
	"cmp"
	"database/sql"
	"maps"
	"slices"
	"time"

	"datasync/internal/model"
	"datasync/internal/report/figures"
)

// take takes the counts of SQL.
func (c *counts) take(f *figures.Counts, first, last time.Time) {
	c.events = f.Events()
	c.first, c.last = model.InstantOf(first), model.InstantOf(last)
	for _, t := range f.Types {
		if t.Others > 0 {
			c.lose() // SQL has not named them
			return
		}
		c.typeOf(t.Name)
	}
	for i := range f.Hours {
		h := c.hourAt(f.Hours[i].Start.UnixMicro())
		if c.full {
			return
		}
		for kind, n := range f.Hours[i].Events {
			h.add(kind, n)
		}
	}
	for _, d := range f.Devices {
		if to := c.deviceOf(d.Device, d.Browser); to != nil {
			to.add(d.Events, d.Errors)
		}
	}
	if f.OtherPages.Distinct > 0 {
		c.losePages() // SQL has not named them
	}
	for _, p := range f.Pages {
		switch {
		case !p.Name.Valid:
			c.noPage.add(p.Events, p.Errors)
		case !c.pagesLost:
			if to := c.pageNamed(p.Name.String); to != nil {
				to.add(p.Events, p.Errors)
			}
		}
	}
}

// figures returns the counts in the order of SQL's.
func (c *counts) figures() figures.Counts {
	var f figures.Counts
	totals := make([]int64, len(c.types))
	for _, h := range c.hours {
		for i, n := range h.events {
			totals[i] += n
		}
	}
	order := make([]int, len(c.types))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(c.types[a], c.types[b]))
	})
	for _, i := range order {
		f.Types = append(f.Types, figures.Type{Name: c.types[i], Events: totals[i]})
	}
	for _, h := range slices.SortedFunc(maps.Values(c.hours), func(a, b *hour) int { return cmp.Compare(a.start, b.start) }) {
		at := time.UnixMicro(h.start)
		local := at.In(c.zone)
		y, m, d := local.Date()
		row := figures.Hour{Start: at.UTC(), Date: time.Date(y, m, d, 0, 0, 0, 0, time.UTC), Of: local.Hour(), Events: make([]int64, len(order))}
		for to, from := range order {
			if from < len(h.events) {
				row.Events[to] = h.events[from]
			}
		}
		f.Hours = append(f.Hours, row)
	}
	for _, d := range c.devices {
		f.Devices = append(f.Devices, figures.Device{Device: d.device, Browser: d.browser, Events: d.events, Errors: d.errors})
	}
	slices.SortFunc(f.Devices, func(a, b figures.Device) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), nullsLast(a.Device, b.Device), nullsLast(a.Browser, b.Browser))
	})
	for name, p := range c.pages {
		f.Pages = append(f.Pages, figures.Page{Name: sql.NullString{String: name, Valid: true}, Events: p.events, Errors: p.errors})
	}
	if c.noPage.events > 0 && !c.pagesLost {
		f.Pages = append(f.Pages, figures.Page{Events: c.noPage.events, Errors: c.noPage.errors})
	}
	slices.SortFunc(f.Pages, func(a, b figures.Page) int { return cmp.Or(cmp.Compare(b.Events, a.Events), nullsLast(a.Name, b.Name)) })
	f.FoldPages()
	return f
}

func nullsLast(a, b sql.NullString) int {
	switch {
	case a.Valid && b.Valid:
		return cmp.Compare(a.String, b.String)
	case a.Valid:
		return -1
	case b.Valid:
		return 1
	}
	return 0
}
