package app

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/report/figures"
	"datasync/internal/term"
)

// statsView is what stats shows.
type statsView struct {
	figures *figures.Figures
	status  inspect.Status
	opts    statsOptions
	rows    []statsRow
	// left is the number of rows that the text leaves out.
	left int
}

// statsRow is a bar.
type statsRow struct {
	// name is the JSON name: a text, a date or an instant; nil where events have no value.
	name   *string
	label  string
	events int64
	errors int64
	// mark is *, where the row is not whole, or ! and what is unusual.
	mark string
}

// statsJSON is the output of stats --json.
type statsJSON struct {
	Complete bool       `json:"complete"`
	AsOf     *time.Time `json:"as_of"`
	Since    *time.Time `json:"since"`
	Until    *time.Time `json:"until"`
	Timezone string     `json:"timezone"`
	Events   int64      `json:"events"`
	Users    int64      `json:"users"`
	Sessions int64      `json:"sessions"`
	// Median is the median length of a session in seconds.
	Median    float64        `json:"median_session_s"`
	ErrorRate float64        `json:"error_rate"`
	By        string         `json:"by"`
	Rows      []statsRowJSON `json:"rows"`
}

type statsRowJSON struct {
	Name      *string `json:"name"`
	Events    int64   `json:"events"`
	Errors    int64   `json:"errors"`
	ErrorRate float64 `json:"error_rate"`
}

const (
	// statsHours is the number of hours, and statsValues that of pages, devices or browsers, that the text shows.
	statsHours  = 48
	statsValues = 20
	// leastBar is the least width of a bar, and statsWidth that of the text where there is no terminal.
	leastBar   = 10
	statsWidth = 80
	// failingRatio is the ratio to the median error share from which on a page is marked.
	failingRatio = 1.35
)

func newStatsView(f *figures.Figures, status inspect.Status, opts statsOptions) statsView {
	v := statsView{figures: f, status: status, opts: opts}
	c := &f.Counts
	switch opts.by {
	case "day":
		v.rows = v.days()
	case "hour":
		v.rows = v.hours()
	case "type":
		for i, name := range c.Types {
			row := statsRow{name: &name, label: name}
			for h := range c.Hours {
				row.events += c.Hours[h].Events[i]
			}
			if name == figures.ErrorType {
				row.errors = row.events
			}
			v.rows = append(v.rows, row)
		}
		v.sort()
	case "page":
		for _, p := range c.Pages {
			row := statsRow{events: p.Events, errors: p.Errors}
			if p.Name.Valid {
				row.name, row.label = &p.Name.String, p.Name.String
			}
			v.rows = append(v.rows, row)
		}
		v.markFailing()
	default:
		v.rows = v.devices()
		v.sort()
		v.markFailing()
	}
	return v
}

// devices adds up the events by device or by browser.
func (v statsView) devices() (rows []statsRow) {
	for _, d := range v.figures.Counts.Devices {
		name := d.Device
		if v.opts.by == "browser" {
			name = d.Browser
		}
		at := slices.IndexFunc(rows, func(r statsRow) bool {
			return (r.name == nil) == !name.Valid && r.label == name.String
		})
		if at < 0 {
			at = len(rows)
			row := statsRow{label: name.String}
			if name.Valid {
				row.name = &name.String
			}
			rows = append(rows, row)
		}
		rows[at].events += d.Events
		rows[at].errors += d.Errors
	}
	return rows
}

// sort puts the rows with most events first.
func (v statsView) sort() {
	slices.SortStableFunc(v.rows, func(a, b statsRow) int { return int(b.events - a.events) })
}

// days are the days of the period, also those without events.
func (v statsView) days() []statsRow {
	rows := make([]statsRow, len(v.figures.Period.Days))
	errors := v.figures.ErrorDays()
	for i, d := range v.figures.Period.Days {
		name := d.Date.Format(time.DateOnly)
		rows[i] = statsRow{name: &name, label: d.Date.Format("Mon _2 Jan"), events: errors[i].Events, errors: errors[i].Errors}
		switch w := v.figures.Worst; {
		case w != nil && w.Date.Equal(d.Date):
			rows[i].mark = fmt.Sprintf("! %02d:00", w.Of)
		case !d.Whole:
			rows[i].mark = "*"
		}
	}
	return rows
}

// hours are the hours with events.
func (v statsView) hours() []statsRow {
	c := &v.figures.Counts
	rows := make([]statsRow, len(c.Hours))
	for i := range c.Hours {
		h := &c.Hours[i]
		name := h.Start.In(v.opts.zone).Format(time.RFC3339)
		rows[i] = statsRow{name: &name, label: fmt.Sprintf("%s %02d:00", h.Date.Format("Mon _2 Jan"), h.Of), events: h.Total(), errors: c.Of(h, figures.ErrorType)}
		if w := v.figures.Worst; w != nil && w.Start.Equal(h.Start) {
			rows[i].mark = "!"
		}
	}
	return rows
}

// markFailing marks the rows whose error share is far above the median.
func (v statsView) markFailing() {
	var rates []float64
	for _, r := range v.rows {
		rates = append(rates, r.rate())
	}
	if len(rates) < 3 {
		return
	}
	slices.Sort(rates)
	median := rates[len(rates)/2]
	for i := range v.rows {
		if median > 0 && v.rows[i].rate() >= failingRatio*median && v.rows[i].events >= 100 {
			v.rows[i].mark = "!"
		}
	}
}

func (r statsRow) rate() float64 { return float64(r.errors) / float64(max(r.events, 1)) }

func (v statsView) json() statsJSON {
	f := v.figures
	j := statsJSON{
		Complete: v.status.Complete, AsOf: v.status.CompletedAt, Timezone: v.opts.timezone, Events: f.Counts.Events(), Users: f.Users.Count,
		Sessions: f.Sessions.Count, Median: f.Sessions.Median.Seconds(), By: v.opts.by, Rows: []statsRowJSON{},
	}
	if p := f.Period; !p.From.IsZero() {
		j.Since, j.Until = &p.From, &p.To
	}
	j.ErrorRate = v.errorRate()
	for _, r := range v.rows {
		j.Rows = append(j.Rows, statsRowJSON{r.name, r.events, r.errors, r.rate()})
	}
	return j
}

// errorRate is the share of errors in all events.
func (v statsView) errorRate() float64 {
	var all figures.DayErrors
	for _, d := range v.figures.ErrorDays() {
		all.Events += d.Events
		all.Errors += d.Errors
	}
	return all.Rate()
}

// text draws the figures for a person.
func (v statsView) text(t term.IO) string {
	width := t.Width()
	if width == 0 {
		width = statsWidth
	}
	var b strings.Builder
	v.writeHead(&b, t.Style(t.Stdout), width)
	if len(v.rows) == 0 {
		return b.String()
	}
	v.cut()
	v.writeBars(&b, t, width)
	return b.String()
}

// cut leaves out rows that a terminal has no room for.
func (v *statsView) cut() {
	all := len(v.rows)
	switch {
	case v.opts.by == "hour" && all > statsHours:
		v.rows = v.rows[all-statsHours:]
	case v.opts.by != "day" && v.opts.by != "hour" && all > statsValues:
		v.rows = v.rows[:statsValues]
	}
	v.left = all - len(v.rows)
}

// writeHead writes whether the file is complete, and the key figures.
func (v statsView) writeHead(b *strings.Builder, style term.Style, width int) {
	f := v.figures
	complete, plain := style.Caution("Not complete")+": run datasync status", "Not complete: run datasync status"
	if v.status.Complete {
		complete, plain = style.Good("Complete"), "Complete"
		if at := v.status.CompletedAt; at != nil {
			asOf := " as of " + at.UTC().Format(time.RFC3339)
			complete, plain = complete+asOf, plain+asOf
		}
	}
	counts := term.Counted(f.Counts.Events(), "event") + "   " + term.Counted(f.Users.Count, "user")
	if space := width - len(plain) - len(counts); space >= 3 {
		_, _ = fmt.Fprintf(b, "%s%s%s\n", complete, strings.Repeat(" ", space), counts)
	} else {
		_, _ = fmt.Fprintf(b, "%s\n%s\n", term.Wrap(complete, width, 2), term.Wrap(counts, width, 2))
	}
	if f.Counts.Events() > 0 {
		more := fmt.Sprintf("%s, half of them up to %s long; %.1f %% of the events are errors",
			term.Counted(f.Sessions.Count, "session"), term.Duration(f.Sessions.Median), 100*v.errorRate())
		b.WriteString(term.Wrap(more, width, 0) + "\n")
	}
}

// titles are the heads of the first column.
func (v statsView) title() string {
	switch v.opts.by {
	case "day", "hour":
		return strings.ToUpper(v.opts.by[:1]) + v.opts.by[1:] + " (" + v.opts.timezone + ")"
	}
	return strings.ToUpper(v.opts.by[:1]) + v.opts.by[1:]
}

// writeBars writes a table of bars, which take the columns that are left.
func (v statsView) writeBars(b *strings.Builder, t term.IO, width int) {
	style := t.Style(t.Stdout)
	withErrors := v.opts.by != "type"
	name, number, most, marks := term.Width(v.title()), len("Events"), int64(1), 0
	labels := make([]string, len(v.rows))
	longest := max(12, min(33, width/3))
	for i, r := range v.rows {
		labels[i] = statsLabel(r, longest)
		name, number, most = max(name, term.Width(labels[i])), max(number, len(term.Thousands(r.events))), max(most, r.events)
		if r.mark != "" {
			marks = max(marks, 1+len(r.mark))
		}
	}
	bar := width - name - 2 - number - 2
	if withErrors {
		bar -= 2 + len("Errors") + marks
	}
	bar = max(bar, leastBar)
	_, _ = fmt.Fprintf(b, "%s  %*s", padded(v.title(), name), number, "Events")
	if withErrors {
		_, _ = fmt.Fprintf(b, "  %s  Errors", strings.Repeat(" ", bar))
	}
	b.WriteString("\n")
	utf8 := t.UTF8()
	for i, r := range v.rows {
		blocks := term.Blocks(float64(r.events)/float64(most), bar, utf8)
		line := fmt.Sprintf("%s  %*s  %s", padded(labels[i], name), number, term.Thousands(r.events), blocks)
		if withErrors {
			errors := ""
			if r.events > 0 {
				errors = fmt.Sprintf("%.1f %%", 100*r.rate())
			}
			line += strings.Repeat(" ", bar-term.Width(blocks)) + fmt.Sprintf("  %6s", errors)
			switch {
			case strings.HasPrefix(r.mark, "!"):
				line += " " + style.Bad(r.mark)
			case r.mark != "":
				line += " " + r.mark
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	for _, note := range v.notes() {
		b.WriteString(term.Wrap(note, width, 0) + "\n")
	}
}

// notes say what the marks mean, and what is left out.
func (v statsView) notes() (notes []string) {
	has := func(prefix string) bool {
		return slices.ContainsFunc(v.rows, func(r statsRow) bool { return strings.HasPrefix(r.mark, prefix) })
	}
	if has("*") {
		notes = append(notes, "* not whole")
	}
	if w := v.figures.Worst; has("!") && w != nil && (v.opts.by == "day" || v.opts.by == "hour") {
		notes = append(notes, fmt.Sprintf("! %s %02d:00: %s, usually %.0f", w.Date.Format("Mon 2 Jan"), w.Of, term.Counted(w.Errors, "error"), w.Usual))
	} else if has("!") {
		notes = append(notes, "! many more errors than usual")
	}
	if v.left > 0 {
		if v.opts.by == "hour" {
			notes = append(notes, fmt.Sprintf("the last %d of %s hours with events; --since and --until show others", statsHours, term.Thousands(int64(len(v.rows)+v.left))))
		} else {
			notes = append(notes, fmt.Sprintf("the first %d of %s; --json has more", statsValues, term.Counted(int64(len(v.rows)+v.left), v.opts.by)))
		}
	}
	return notes
}

// statsLabel is a row's name for a terminal, cut in the middle to so many columns.
func statsLabel(r statsRow, columns int) string {
	if r.name == nil {
		return "(none)"
	}
	text := term.Visible(r.label)
	if text == "" {
		return "(empty text)"
	}
	if term.Width(text) <= columns {
		return text
	}
	runes := []rune(text)
	head, tail := "", ""
	for i, j := 0, len(runes)-1; i <= j; i, j = i+1, j-1 {
		if term.Width(head+string(runes[i])+"…"+tail) > columns {
			break
		}
		head += string(runes[i])
		if i < j && term.Width(head+"…"+string(runes[j])+tail) <= columns {
			tail = string(runes[j]) + tail
		}
	}
	return head + "…" + tail
}

// padded adds spaces to a text up to so many columns.
func padded(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-term.Width(text)))
}
