package app

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"datasync/internal/term"
)

const (
	// statsDays, statsHours and statsValues are the numbers of days, of hours, and of pages, devices,
	// browsers or types that the text shows.
	statsDays   = 92
	statsHours  = 48
	statsValues = 20
	// leastBar is the least width of a bar, leastLabel that of a name that is cut, and statsWidth that of
	// the text where there is no terminal.
	leastBar   = 10
	leastLabel = 8
	statsWidth = 80
)

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
	l := v.layout(width, t.UTF8())
	v.writeBars(&b, l, t.Style(t.Stdout))
	for _, note := range v.notes(l) {
		b.WriteString(term.Wrap(note, width, 0) + "\n")
	}
	return b.String()
}

// cut leaves out rows that a terminal has no room for: the oldest, or those with the fewest events.
func (v *statsView) cut() {
	all := len(v.rows)
	switch most := map[string]int{"day": statsDays, "hour": statsHours}[v.opts.by]; {
	case most > 0:
		v.rows = v.rows[max(0, all-most):]
	default:
		v.rows = v.rows[:min(all, statsValues)]
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
		// No line ends between a number and its unit.
		length := strings.ReplaceAll(term.Duration(f.Sessions.Median), " ", "\u00a0")
		if f.Sessions.Count == 1 {
			length = ", " + length + " long"
		} else {
			length = ", median length " + length
		}
		more := fmt.Sprintf("%s%s; %.1f\u00a0%% of events are errors", term.Counted(f.Sessions.Count, "session"), length, 100*v.errorRate())
		b.WriteString(strings.ReplaceAll(term.Wrap(more, width, 0), "\u00a0", " ") + "\n")
	}
}

// statsLayout is the widths of the columns of a table of bars, and what they have room for.
type statsLayout struct {
	title              string
	label, number, bar int
	// marks is the width of the marks with the space before them, 0 without any. errors and times say that
	// there is a column of error rates, and that marks have the time.
	marks         int
	errors, times bool
	// tight says that dates are in their short form.
	tight, utf8 bool
}

// layout divides a width. It leaves out the zone in the head, the time in marks and at last the column of
// error rates before bars become too short.
func (v statsView) layout(width int, utf8 bool) statsLayout {
	l := statsLayout{title: v.title() + v.zone(), number: len("Events"), errors: v.opts.by != "type", times: true, utf8: utf8}
	longest, tightest := 0, 0
	for _, r := range v.rows {
		longest = max(longest, term.Width(r.shown()))
		tightest = max(tightest, len(r.tight))
		l.number = max(l.number, len(term.Thousands(r.events)))
	}
	least, most := leastLabel, max(12, min(33, width/3))
	// Dates are written in a short form, and not cut: the hours of a day differ in the middle.
	tighten := func() {
		if tightest > 0 {
			l.tight, longest, least = true, tightest, tightest
		}
	}
	if longest > most {
		tighten()
	}
	longest = min(longest, most)
	fit := func() bool {
		l.marks = 0
		for _, r := range v.rows {
			if mark := l.mark(r); mark != "" {
				l.marks = max(l.marks, 1+len(mark))
			}
		}
		l.label = max(longest, term.Width(l.title))
		l.bar = width - l.label - 2 - l.number - 2
		if l.errors {
			l.bar -= 2 + len("Errors") + l.marks
		}
		return l.bar >= leastBar
	}
	for _, less := range []func(){
		func() {},
		func() { l.title = v.title() },
		func() { l.times = false },
		tighten,
		func() { longest = max(least, longest-(leastBar-l.bar)) },
		func() { l.errors = false },
	} {
		if less(); fit() {
			return l
		}
	}
	l.bar = leastBar
	return l
}

// mark is the mark of a row: "!", "! 14:00" or "*".
func (l statsLayout) mark(r statsRow) string {
	if !l.errors || !l.times && strings.HasPrefix(r.mark, "!") {
		return r.mark[:min(len(r.mark), 1)]
	}
	return r.mark
}

// title is the head of the first column.
func (v statsView) title() string { return strings.ToUpper(v.opts.by[:1]) + v.opts.by[1:] }

// zone names the time zone after the title of days and hours.
func (v statsView) zone() string {
	if v.opts.by == "day" || v.opts.by == "hour" {
		return " (" + v.opts.timezone + ")"
	}
	return ""
}

// writeBars writes a table of bars, which take the columns that are left.
func (v statsView) writeBars(b *strings.Builder, l statsLayout, style term.Style) {
	most := int64(1)
	for _, r := range v.rows {
		most = max(most, r.events)
	}
	_, _ = fmt.Fprintf(b, "%s  %*s", padded(l.title, l.label), l.number, "Events")
	if l.errors {
		_, _ = fmt.Fprintf(b, "  %s  Errors", strings.Repeat(" ", l.bar))
	}
	b.WriteString("\n")
	for _, r := range v.rows {
		blocks := term.Blocks(float64(r.events)/float64(most), l.bar, l.utf8)
		name := r.shown()
		if l.tight {
			name = r.tight
		}
		label := term.ShortenMiddle(name, l.label, l.utf8)
		line := fmt.Sprintf("%s  %*s  %s", padded(label, l.label), l.number, term.Thousands(r.events), blocks)
		if l.errors {
			errors := ""
			if r.events > 0 {
				errors = fmt.Sprintf("%.1f %%", 100*r.rate())
			}
			line = padded(line, l.label+2+l.number+2+l.bar) + fmt.Sprintf("  %6s", errors)
			switch mark := l.mark(r); {
			case strings.HasPrefix(mark, "!"):
				line += " " + style.Bad(mark)
			case mark != "":
				line += " " + mark
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// notes say what the marks mean, and which rows are left out.
func (v statsView) notes(l statsLayout) (notes []string) {
	has := func(prefix string) bool {
		return l.errors && slices.ContainsFunc(v.rows, func(r statsRow) bool { return strings.HasPrefix(r.mark, prefix) })
	}
	if zone := v.zone(); zone != "" && !strings.HasSuffix(l.title, zone) {
		notes = append(notes, v.title()+"s of "+v.opts.timezone)
	}
	if has("*") {
		notes = append(notes, "* not whole")
	}
	byTime := v.opts.by == "day" || v.opts.by == "hour"
	if w := v.figures.Worst; byTime && w != nil && has("!") {
		notes = append(notes, fmt.Sprintf("! %s %02d:00: %s, usually %.0f%s", w.Date.Format("Mon 2 Jan"), w.Of, term.Counted(w.Errors, "error"), w.Usual, worstFactors(w)))
	} else if has("!") {
		notes = append(notes, "! many more errors than usual")
	}
	all := term.Counted(int64(len(v.rows)+v.left)+v.others.Distinct, v.opts.by)
	switch {
	case v.left > 0 && byTime:
		notes = append(notes, fmt.Sprintf("the last %d of %s; --since and --until show others, --json all", len(v.rows), all))
	case v.left > 0 || v.others.Distinct > 0:
		notes = append(notes, fmt.Sprintf("the first %d of %s; --json has more", len(v.rows), all))
	}
	return notes
}

// padded adds spaces to a text up to so many columns.
func padded(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-term.Width(text)))
}
