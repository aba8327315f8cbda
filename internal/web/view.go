package web

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report"
	"datasync/internal/report/figures"
)

// view is what clients see. Its methods may be called from any goroutine, except for those that say otherwise.
type view struct {
	mu       sync.Mutex
	standing Standing
	// trouble is why the last look at the file or the pull failed.
	trouble string
	rate    rates
	// windows are those of a pull of this process.
	windows []figures.Window
	// base is the newest report by SQL, nil before the first one.
	base    *report.Report
	reading reading
	// complete says whether the file is complete.
	complete badge
	sections map[string]*drawn
	versions int64
	// closing says that the last figures are read, settled that they were, and over that the page has ended.
	closing, settled, over bool
	exit                   *int
	// drawAgain says that a section of counts could not be drawn.
	drawAgain bool
	// counted is what the sections of counts were drawn of.
	counted counted
	// news is closed when there are new sections.
	news chan struct{}
}

// reading says when figures were read by SQL, and of what.
type reading struct {
	at      time.Time
	took    time.Duration
	batch   int64
	edition string
	failed  bool
}

// counted says what sections of counts are drawn of.
type counted struct {
	batch   int64
	base    *report.Report
	windows int
	open    []figures.Span
}

// draws reports whether sections of counts are to be drawn again, and records that they are.
func (v *view) draws(of counted) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	was := v.counted
	if !v.drawAgain && v.sections["days"] != nil && was.batch == of.batch && was.base == of.base && was.windows == of.windows && slices.Equal(was.open, of.open) {
		return false
	}
	v.counted, v.drawAgain = of, false
	return true
}

// drawn is a section as clients get it.
type drawn struct {
	order   int
	html    string
	batch   int64
	read    time.Time // zero for a live section
	live    bool
	version int64
	// note is added to the chip.
	note string
	// stale says that the section could not be drawn again.
	stale bool
}

func (d *drawn) at() string {
	if d.read.IsZero() {
		return ""
	}
	return clock(d.read)
}

// places is the order of sections on the page.
var places = []string{"rate", "days", "hours", "week", "errors", "windows", "users", "sessions", "funnel", "retention", "pages", "devices", "pull", "rejects", "fingerprint", "definitions"}

// order returns the ids of all sections in their order. The lock is held.
func (v *view) order() []string {
	return slices.SortedFunc(maps.Keys(v.sections), func(a, b string) int {
		return cmp.Or(cmp.Compare(v.sections[a].order, v.sections[b].order), cmp.Compare(a, b))
	})
}

// chip says as of when a section is. The lock is held.
func (v *view) chip(d *drawn, now time.Time) string {
	idle := v.standing.State == "" || v.over
	text := fmt.Sprintf("batch %d", d.batch)
	switch {
	case d.stale && d.batch == 0:
		return "stale"
	case d.stale:
		return text + " · stale"
	case d.live && v.over && d.batch == 0: // the rate is of no batch
		text = ""
	case d.live && v.over, v.settled, !d.live && idle && v.standing.Batch >= 0 && d.batch >= v.standing.Batch:
	case d.live && d.batch == 0:
		text = "live"
	case d.live:
		text += " · live"
	default:
		text = fmt.Sprintf("as of %s · %s ago", text, chart.Span(max(0, now.Sub(d.read)).Truncate(time.Second)))
	}
	return text + d.note
}

// state returns the line about the state. The lock is held.
func (v *view) state(now time.Time) stateLine {
	l := v.standing.line(now)
	l.Badge, l.Trouble = v.complete, v.trouble
	if v.over {
		l.State, l.Exit = Ended, v.exit
	}
	if perSecond, ok := v.rate.mean(); ok && l.State != Idle {
		l.Rate = &perSecond
	}
	return l
}

// fresh returns a channel that is closed when there are new sections.
func (v *view) fresh() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.news == nil {
		v.news = make(chan struct{})
	}
	return v.news
}

// tell tells clients of new sections. The lock is held.
func (v *view) tell() {
	if v.news != nil {
		close(v.news)
		v.news = nil
	}
}

// put takes sections by id as HTML, unless they are as before.
func (v *view) put(all []piece, of drawn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	changed := false
	for _, each := range all {
		d := of
		d.order, d.html = slices.Index(places, each.id), each.html
		if d.order < 0 {
			d.order = len(places)
		}
		was := v.sections[each.id]
		if was != nil && was.html == d.html && was.live == d.live {
			d.version = was.version
		} else {
			v.versions++
			d.version, changed = v.versions, true
		}
		v.sections[each.id] = &d
	}
	if changed && !of.live {
		v.tell() // live ones come each second
	}
}

// piece is a section as HTML.
type piece struct{ id, html string }

// leave has sections keep their last drawings, marked as stale.
func (v *view) leave(ids ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.drawAgain = true
	for _, id := range ids {
		if d := v.sections[id]; d != nil {
			d.stale = true
		}
	}
}

// known returns what sections of counts are drawn of besides the counts, and whether the last figures were read.
func (v *view) known() (base *report.Report, windows []figures.Window, settled bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.base, v.windows, v.settled
}

// hasRate reports whether a pull runs whose rate is known.
func (v *view) hasRate() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.rate.mean()
	return ok && v.standing.State != ""
}

// rateSection draws the rate.
func (v *view) rateSection() report.Section {
	v.mu.Lock()
	defer v.mu.Unlock()
	section, _ := v.rate.section()
	return section
}

// closes reports whether the last figures can likely be read within a budget, and records that they will be.
func (v *view) closes(budget time.Duration) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	last, events := v.reading, v.standing.Events
	estimate := estimated(events)
	if last.took > 0 && !last.failed && v.base != nil && v.base.Trust.Events > 0 {
		estimate = time.Duration(float64(last.took) * float64(events) / float64(v.base.Trust.Events))
	}
	v.closing = estimate <= budget
	return v.closing
}

// settle records that the last figures were read.
func (v *view) settle(complete badge) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.settled, v.complete = true, complete
}

// finish ends the page.
func (v *view) finish(exit *int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.over, v.exit = true, exit
	if exit != nil && *exit == 0 && v.complete.Tone != report.Good {
		v.complete = badge{report.Good, "Complete"} // the figures could not be read again
	}
}
