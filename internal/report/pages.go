package report

import (
	"database/sql"
	"fmt"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// pagesSection shows the pages with the most events, and how often they fail.
func (r *Report) pagesSection() Section {
	c := r.Figures.Counts
	rows := pageRows(&c)
	rows.Nothing = r.nothing()
	return Section{
		ID: "pages", Short: "Pages", Kicker: "Top pages", Headline: r.pagesHeadline(),
		Note: "An error share well above the median is red and bold.", Figures: []Figure{figure("", rows)},
	}
}

// topPages is the number of pages that are drawn.
const topPages = 12

// pageRows are the pages with the most events, as a chart has them.
func pageRows(c *figures.Counts) chart.Rows {
	rows := chart.Rows{Head: chart.Head{Title: "Pages by events", Unit: "events"}, Item: "page", Share: "errors", Limit: topPages}
	for _, p := range c.Pages {
		rows.Rows = append(rows.Rows, chart.Row{Name: named(p.Name), Value: float64(p.Events), Share: rate(p)})
	}
	if o := c.OtherPages; o.Distinct > 0 {
		rows.Rows = append(rows.Rows, chart.Row{Name: chart.Plural(o.Distinct, "more page"), Value: float64(o.Events), Share: float64(o.Errors) / float64(max(o.Events, 1))})
	}
	return rows
}

func rate(p figures.Page) float64 { return float64(p.Errors) / float64(max(p.Events, 1)) }

// pagesHeadline states the leading page and the page that fails most.
func (r *Report) pagesHeadline() string {
	c := r.Figures.Counts
	total := c.Events()
	first := -1
	for i, p := range c.Pages {
		if p.Name.Valid {
			first = i
			break
		}
	}
	if first < 0 {
		return "No event names a page"
	}
	text := fmt.Sprintf("%s leads with %s of all events", chart.Label(c.Pages[first].Name.String), chart.Percent(float64(c.Pages[first].Events)/float64(total)))
	worst := -1
	for i, stands := range pageRows(&c).Standing() {
		if i < len(c.Pages) && stands && c.Pages[i].Name.Valid && (worst < 0 || rate(c.Pages[i]) > rate(c.Pages[worst])) {
			worst = i
		}
	}
	switch {
	case r.whole().Errors == 0:
		return text
	case worst < 0:
		return text + "; over the whole period no page fails much more often than the others"
	}
	p := c.Pages[worst]
	return text + fmt.Sprintf("; %s fails most: %s of its events are errors", chart.Label(p.Name.String), chart.Percent(rate(p)))
}

// maxGrid is the number of devices, and of browsers, that are drawn one by one.
const maxGrid = 6

// devicesSection shows the events by device and browser.
func (r *Report) devicesSection() Section {
	g := chart.Grid{Head: chart.Head{Title: "Events by device and browser", Nothing: r.nothing()}, Item: "events", Down: "device", Across: "browser"}
	at := func(names *[]string, name string) int {
		for i, each := range *names {
			if each == name {
				return i
			}
		}
		if len(*names) > maxGrid {
			return maxGrid
		}
		if len(*names) == maxGrid {
			name = "other"
		}
		*names = append(*names, name)
		return len(*names) - 1
	}
	type cell struct{ row, column int }
	counts := map[cell]int64{}
	for _, d := range r.Figures.Counts.Devices {
		counts[cell{at(&g.Rows, named(d.Device)), at(&g.Columns, named(d.Browser))}] += d.Events
	}
	g.Counts = make([][]int64, len(g.Rows))
	for i := range g.Counts {
		g.Counts[i] = make([]int64, len(g.Columns))
		for j := range g.Counts[i] {
			g.Counts[i][j] = counts[cell{i, j}]
		}
	}
	return Section{
		ID: "devices", Short: "Devices", Kicker: "Device and browser", Headline: r.devicesHeadline(),
		Note: "Share of all events. All bars have one scale.", Figures: []Figure{figure("", g)},
	}
}

// devicesHeadline states the browser and device with the most events.
func (r *Report) devicesHeadline() string {
	c := r.Figures.Counts
	total := c.Events()
	for _, d := range c.Devices {
		share := chart.Percent(float64(d.Events) / float64(max(total, 1)))
		switch {
		case d.Browser.Valid && d.Device.Valid:
			return fmt.Sprintf("%s on %s brings most: %s of all events", chart.Label(d.Browser.String), chart.Label(d.Device.String), share)
		case d.Browser.Valid:
			return fmt.Sprintf("%s brings most: %s of all events", chart.Label(d.Browser.String), share)
		case d.Device.Valid:
			return fmt.Sprintf("%s brings most: %s of all events", chart.Label(d.Device.String), share)
		}
	}
	return "No event names a device or a browser"
}

// maxName is the number of characters of a name that a page has at most.
const maxName = 300

// named is a value of events as a chart shows it.
func named(s sql.NullString) string {
	if !s.Valid {
		return "(none)"
	}
	return short(s.String)
}

// short is text from events whose length is bounded.
func short(text string) string {
	if shown := []rune(chart.Visible(text)); len(shown) > maxName {
		return string(shown[:maxName]) + "…"
	}
	return text
}
