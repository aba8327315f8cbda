package tally

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"datasync/internal/model"
	"datasync/internal/report/figures"
)

const (
	// maxTypes, maxHours, maxDevices and maxPages bound how many of each are counted, and maxText the bytes of their
	// names. Beyond one of them counts are no longer known.
	maxTypes   = 64
	maxHours   = 200_000
	maxDevices = 2000
	maxPages   = 50_000
	maxText    = 8 << 20
	// errorType and quarter are the type of errors and the span in which the offset of a time zone is the same.
	errorType = figures.ErrorType
	quarter   = 15 * 60 * 1_000_000
)

// Counters has the counts of all committed batches. Any goroutine may use it.
type Counters struct {
	zone *time.Location

	mu    sync.Mutex
	all   counts
	batch int64
	// seeded says that the counts include the events that were stored before.
	seeded bool
	// failure is the first panic; "" if there was none.
	failure string
}

// New returns counters whose hours and days are those of a time zone. Events that are stored already are missing
// until Seed is called.
func New(zone *time.Location) *Counters { return &Counters{zone: zone, all: counts{zone: zone}} }

// Batch returns a tally of a batch, which counts once it is committed.
func (c *Counters) Batch() model.Tally { return &batch{counters: c, counts: counts{zone: c.zone}} }

// Failure returns the first panic of the counters; "" if there was none. Counts are not known after one.
func (c *Counters) Failure() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// batch adds up one batch.
type batch struct {
	counts
	counters *Counters
	failure  string
}

// Add is model.Tally's. A panic ends the counting, and not the pull that stores the event.
func (b *batch) Add(e *model.Event) {
	defer func() { b.survive(recover(), &b.failure) }()
	b.add(e)
}

// Committed is model.Tally's.
func (b *batch) Committed(number int64) {
	c := b.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batch, c.failure = number, cmp.Or(c.failure, b.failure)
	defer func() { c.all.survive(recover(), &c.failure) }()
	c.all.merge(&b.counts)
}

// Seed adds the counts of the events that were stored before the first batch. It is called at most once.
func (c *Counters) Seed(stored *figures.Counts, first, last time.Time, upTo int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batch, c.seeded = max(c.batch, upTo), true
	defer func() { c.all.survive(recover(), &c.failure) }()
	before := counts{zone: c.zone}
	before.take(stored, first, last)
	c.all.merge(&before)
}

// survive gives up counting after a panic, and records it.
func (c *counts) survive(panicked any, failure *string) {
	if panicked == nil {
		return
	}
	c.lose()
	*failure = cmp.Or(*failure, fmt.Sprint(panicked))
}

// Now are the counts at one moment.
type Now struct {
	figures.Counts
	// Batch is the last one that they include; First and Last are the instants of the first and the last event,
	// zero without events.
	Batch       int64
	First, Last time.Time
	// Known says that the counts are those of all events. Pages alone may be unknown.
	Known, PagesKnown bool
}

// Now returns the counts.
func (c *Counters) Now() Now {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &c.all
	n := Now{Counts: a.figures(), Batch: c.batch, Known: c.seeded && !a.full, PagesKnown: c.seeded && !a.full && !a.pagesLost}
	if a.events > 0 {
		n.First, n.Last = a.first.Time(), a.last.Time()
	}
	return n
}

// Batches returns the number of the last batch and the number of events, and whether those that were stored before
// are among them.
func (c *Counters) Batches() (batch, events int64, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.batch, c.all.events, c.seeded
}

// counts are counts of some events. Their zero value with a zone counts nothing.
type counts struct {
	zone        *time.Location
	events      int64
	first, last model.Instant
	types       []string
	hours       map[int64]*hour // by their start in microseconds since 1970
	pages       map[string]*page
	noPage      tried
	devices     []device
	text        int
	// full says that a bound was passed; pagesLost, that a page was, or that one cannot be told.
	full, pagesLost bool
	// hour is that of the last event, and from its quarter of an hour.
	hour   *hour
	from   int64
	recent recent
}

// page has the counts of a page.
type page struct{ tried }

// tried counts events and those of them that are errors.
type tried struct{ events, errors int64 }

type hour struct {
	start  int64
	events []int64 // by type
}

type device struct {
	device, browser sql.NullString
	tried
}

// add counts an event.
func (c *counts) add(e *model.Event) {
	c.events++ // first of all: their number stays known after a panic
	if c.events == 1 || e.Timestamp < c.first {
		c.first = e.Timestamp
	}
	if c.events == 1 || e.Timestamp > c.last {
		c.last = e.Timestamp
	}
	if c.full {
		return
	}
	failed := int64(0)
	if e.Type == errorType {
		failed = 1
	}
	h, t := c.hourOf(int64(e.Timestamp)), c.typeOf(e.Type)
	d := c.deviceOf(e.DeviceType, e.Browser)
	if c.full {
		return
	}
	h.add(t, 1)
	d.add(1, failed)
	if c.pagesLost {
		return
	}
	c.addPage(e.Properties, failed)
}

// addPage counts the page of an event.
func (c *counts) addPage(properties string, failed int64) {
	p, place := c.recent.recentPage(properties)
	if p != nil {
		p.add(1, failed)
		return
	}
	name, valid, known := "", false, true
	if properties != "" {
		name, valid, known = pageOf(properties)
	}
	switch {
	case !known:
		c.losePages()
	case !valid:
		c.noPage.add(1, failed)
	default:
		if p = c.pageNamed(name); p == nil {
			return
		}
		p.add(1, failed)
		if place != nil {
			place.keep(properties, name, p)
		}
	}
}

func (t *tried) add(events, errors int64) {
	t.events += events
	t.errors += errors
}

func (h *hour) add(kind int, n int64) {
	for len(h.events) <= kind {
		h.events = append(h.events, 0)
	}
	h.events[kind] += n
}

// losePages gives up counting by page.
func (c *counts) losePages() { c.pagesLost, c.pages, c.recent = true, nil, recent{} }

// lose gives up counting.
func (c *counts) lose() {
	c.losePages()
	c.full, c.types, c.hours, c.devices, c.hour = true, nil, nil, nil, nil
}

// hourOf returns the hour of an instant; nil if there are too many.
func (c *counts) hourOf(at int64) *hour {
	if c.hour != nil && uint64(at-c.from) < quarter {
		return c.hour
	}
	c.from = at - at%quarter
	if c.from > at {
		c.from -= quarter
	}
	began := time.UnixMicro(c.from).In(c.zone)
	c.hour = c.hourAt(c.from - int64(began.Minute()*60+began.Second())*1_000_000)
	return c.hour
}

func (c *counts) hourAt(start int64) *hour {
	h := c.hours[start]
	if h == nil {
		if len(c.hours) >= maxHours {
			c.lose()
			return nil
		}
		if c.hours == nil {
			c.hours = map[int64]*hour{}
		}
		h = &hour{start: start}
		c.hours[start] = h
	}
	return h
}

// typeOf returns the index of a type.
func (c *counts) typeOf(name string) int {
	for i, t := range c.types {
		if t == name {
			return i
		}
	}
	if len(c.types) >= maxTypes || !c.holds(name) {
		c.lose()
		return 0
	}
	c.types = append(c.types, strings.Clone(name))
	return len(c.types) - 1
}

// holds reports whether there is room for the text of a name.
func (c *counts) holds(name string) bool {
	c.text += len(name)
	return c.text <= maxText
}

// deviceOf returns a device and browser; nil if there are too many.
func (c *counts) deviceOf(name, browser sql.NullString) *device {
	packedName, ok := packed(name)
	packedBrowser, okBrowser := packed(browser)
	recent := &c.recent.devices[(packedName*spread^packedBrowser*spreadMore)>>56]
	if ok && okBrowser && recent.device == packedName && recent.browser == packedBrowser && recent.index > 0 {
		return &c.devices[recent.index-1]
	}
	i := slices.IndexFunc(c.devices, func(d device) bool { return d.browser == browser && d.device == name })
	if i < 0 {
		if c.full || len(c.devices) >= maxDevices || !c.holds(name.String) || !c.holds(browser.String) {
			c.lose()
			return nil
		}
		i = len(c.devices)
		c.devices = append(c.devices, device{device: cloned(name), browser: cloned(browser)})
	}
	if ok && okBrowser {
		*recent = recentDevice{packedName, packedBrowser, i + 1}
	}
	return &c.devices[i]
}

func cloned(s sql.NullString) sql.NullString {
	return sql.NullString{String: strings.Clone(s.String), Valid: s.Valid}
}

// pageNamed returns a page; nil if there are too many.
func (c *counts) pageNamed(name string) *page {
	p := c.pages[name]
	if p == nil {
		if len(c.pages) >= maxPages || !c.holds(name) {
			c.losePages()
			return nil
		}
		if c.pages == nil {
			c.pages = map[string]*page{}
		}
		p = &page{}
		c.pages[strings.Clone(name)] = p
	}
	return p
}

// merge adds the counts of o.
func (c *counts) merge(o *counts) {
	if o.events == 0 {
		return
	}
	if c.events == 0 || o.first < c.first {
		c.first = o.first
	}
	if c.events == 0 || o.last > c.last {
		c.last = o.last
	}
	c.events += o.events
	if o.full {
		c.lose()
	}
	if c.full {
		return
	}
	index := make([]int, len(o.types))
	for i, name := range o.types {
		index[i] = c.typeOf(name)
	}
	for _, h := range o.hours {
		to := c.hourAt(h.start)
		if c.full {
			return
		}
		for kind, n := range h.events {
			if n > 0 {
				to.add(index[kind], n)
			}
		}
	}
	for i := range o.devices {
		d := c.deviceOf(o.devices[i].device, o.devices[i].browser)
		if c.full {
			return
		}
		d.add(o.devices[i].events, o.devices[i].errors)
	}
	if o.pagesLost {
		c.losePages()
	}
	c.noPage.add(o.noPage.events, o.noPage.errors)
	for name, p := range o.pages {
		if c.pagesLost {
			return
		}
		if to := c.pageNamed(name); to != nil {
			to.add(p.events, p.errors)
		}
	}
}
