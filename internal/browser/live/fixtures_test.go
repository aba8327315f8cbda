package live

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"

	"datasync/internal/chart"
)

// pulling is a state in the middle of a pull.
func pulling() object {
	return object{
		"kind": "state", "state": "pulling", "exit": nil, "badge": object{"tone": "warn", "text": "Incomplete: not yet pulled Sun 28 Dec 18:33 – Fri 9 Jan 06:00 UTC"},
		"file": "events.duckdb", "batch": 184, "clock": "2026-01-27T19:24:58Z", "events": 197252, "total": 311005, "percent": 63.4, "rate": 864, "left_s": 132,
		"done_at": "2026-01-27T19:27:09Z",
		"endpoints": []object{
			{"name": "events endpoint", "state": "waiting", "reason": "rate limit, asked for 21 s, opens 19:25:10", "events": 82846, "left_s": 12},
			{"name": "feed", "state": "open", "reason": "3 requests in flight, token lives 3 min 40 s", "events": 114406, "left_s": nil},
		},
		"shards": []object{
			{"number": 1, "events": 96102, "at": "2026-01-09T06:00:12Z", "done": false}, {"number": 2, "events": 70020, "at": "2026-01-13T11:20:00Z", "done": true}, {"number": 3, "events": 0, "done": false},
		},
	}
}

// with is a copy of a state with some members changed, in pairs of name and value.
func (o object) with(pairs ...any) object {
	copied := object{}
	for name, value := range o {
		copied[name] = value
	}
	for i := 0; i < len(pairs); i += 2 {
		copied[pairs[i].(string)] = pairs[i+1]
	}
	return copied
}

// part is a section as internal/report writes it.
func part(id, kicker, headline, note string, c chart.Chart) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<section class="part" id="%s" aria-labelledby="%s-h">`+"\n", id, id)
	fmt.Fprintf(&b, `<div class="rail"><p class="kicker">%s</p><h2 id="%s-h">%s</h2><p class="note">%s</p></div>`,
		html.EscapeString(kicker), id, html.EscapeString(headline), html.EscapeString(note))
	b.WriteString("\n" + `<div class="body"><figure>` + c.Draw().HTML())
	table := c.Table()
	fmt.Fprintf(&b, `<details><summary>Table: %s (%d rows)</summary><div class="scroll small" tabindex="0" role="region" aria-label="%s"><table><thead><tr>`,
		html.EscapeString(table.Name), len(table.Rows), html.EscapeString(table.Name))
	for _, column := range table.Columns {
		fmt.Fprintf(&b, `<th scope="col">%s</th>`, html.EscapeString(column.Name))
	}
	b.WriteString("</tr></thead><tbody>")
	for _, row := range table.Rows {
		b.WriteString("<tr>")
		for _, cell := range row {
			fmt.Fprintf(&b, "<td>%s</td>", html.EscapeString(chart.Visible(cell)))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table></div></details></figure></div>\n</section>\n")
	return b.String()
}

// ratePart is the speed of the last five minutes.
func ratePart(turn int) string {
	rate := chart.Rate{
		Head:   chart.Head{Title: "Rate of the pull", Unit: "events a second, last 5 minutes"},
		Series: []chart.Series{{Name: "events endpoint", Color: chart.Blue}, {Name: "feed", Color: chart.Teal}},
		Bucket: 4 * time.Second, Buckets: 75, Values: [][]float64{nil, nil}, AtLeast: 1200,
	}
	for i := range 75 {
		at := i + turn
		events, feed := 0.0, 700+float64(at*37%160)
		if at%12 < 4 {
			events, feed = 1000+float64(at*53%150), 0
		}
		rate.Values[0], rate.Values[1] = append(rate.Values[0], events), append(rate.Values[1], feed)
	}
	return part("rate", "Rate", fmt.Sprintf("%d events a second over the last minute", 864+turn), "Stacked: the feed fills in while the events endpoint waits.", rate)
}

// daysPart is events a day by type; busiest is the count of one day, more a type's name beyond the known ones.
func daysPart(busiest int64, more string) string {
	stack := chart.Stack{Head: chart.Head{Title: "Events a day by type", Unit: "events"}}
	shares := []int64{47, 24, 8, 6, 4, 4, 1, 4}
	for _, t := range chart.Types() {
		stack.Series = append(stack.Series, chart.Series(t))
	}
	if more != "" {
		stack.Series = append(stack.Series, chart.Series{Name: more, Color: chart.TypeColor(more)})
		shares = append(shares, 2)
	}
	first := time.Date(2025, 12, 28, 0, 0, 0, 0, time.UTC)
	for i := range 31 {
		day := chart.Counted{From: first.AddDate(0, 0, i), To: first.AddDate(0, 0, i+1), Values: make([]int64, len(shares))}
		total := int64(11000 + i*397%1900)
		if wd := day.From.Weekday(); wd == time.Saturday || wd == time.Sunday {
			total = total * 2 / 3
		}
		switch {
		case i < 12:
			day.State, total = chart.Unpulled, 0
		case i == 12 || i == 30:
			day.State = chart.Unfinished
		case i == 22:
			total = busiest
		}
		for s, share := range shares {
			day.Values[s] = total * share / 100
		}
		stack.Days = append(stack.Days, day)
	}
	return part("days", "Events a day, by type", "Weekdays bring 11,930 events, weekends 7,698; the busiest day was Mon 19 Jan: "+chart.Count(busiest),
		"Newest first: the left edge moves as older pages come.", stack)
}

// pagesPart is rows with a label each.
func pagesPart(labels ...string) string {
	rows := chart.Rows{Head: chart.Head{Title: "Pages by events", Unit: "events"}, Item: "page"}
	for i, label := range labels {
		rows.Rows = append(rows.Rows, chart.Row{Name: label, Value: float64(50000 / (i + 1)), Share: math.NaN()})
	}
	return part("pages", "Top pages", "The page "+labels[0]+" leads", "By events.", rows)
}

// older is what a section by SQL has of its own.
var older = []any{"batch", 171, "at", "2026-01-27T19:24:10Z", "live", false}

// charts sends three sections, the last one first.
func (f *fake) charts() {
	f.section("pages", pagesPart("/home", "/products", "/search", "/checkout", "/product/espresso-grinder", "/cart"), "as of batch 171 · 48 s ago", append(older, "order", 9)...)
	f.section("rate", ratePart(0), "batch 184 · live", "order", 0)
	f.section("days", daysPart(12804, ""), "batch 184 · live", "order", 1)
}

// rows is the answer to a query.
func rows() object {
	return object{
		"columns": []object{{"name": "page", "type": "VARCHAR"}, {"name": "events", "type": "BIGINT", "number": true}, {"name": "errors", "type": "BIGINT", "number": true}},
		"rows":    [][]any{{"/home", "49252", "2086"}, {"/products", "25272", "1117"}, {"/search", "17371", "718"}, {nil, "16285", "688"}},
		"more":    false, "took_s": 0.041, "batch": 184, "error": nil,
	}
}
