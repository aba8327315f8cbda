package figures

import (
	"database/sql"
	"time"
)

// maxPages is the number of pages that are counted one by one; maxDevices and maxBrowsers are those
// of devices and browsers. The rest is counted together.
const (
	maxPages    = 1000
	maxDevices  = 12
	maxBrowsers = 12
)

// Counts are the additive figures: two sets of events count as the sum of their Counts.
type Counts struct {
	// Types are all types of events by name.
	Types []string
	// Hours are the hours with events, in order.
	Hours []Hour
	// Pages are the pages with the most events, in falling order. Events without a page count in
	// a Page whose Name is not valid.
	Pages []Page
	// OtherPages are the pages that Pages leaves out, together; Distinct is how many.
	OtherPages struct{ Distinct, Events, Errors int64 }
	// Devices are the events by device and browser.
	Devices []Device
}

// Hour counts the events of an hour of the clock.
type Hour struct {
	Start time.Time
	// Date is the day of the hour, as of Day, and Of is the hour of that day by the clock, 0 to 23.
	Date time.Time
	Of   int
	// Events are the numbers of events by type, in the order of Counts.Types.
	Events []int64
}

// Page counts the events of a page.
type Page struct {
	Name           sql.NullString
	Events, Errors int64
}

// Device counts the events of a device and a browser; one that is not valid is missing in the events.
type Device struct {
	Device, Browser sql.NullString
	Events, Errors  int64
}

// Total is the number of events of the hour.
func (h *Hour) Total() (n int64) {
	for _, each := range h.Events {
		n += each
	}
	return n
}

// Events is the number of events.
func (c *Counts) Events() (n int64) {
	for i := range c.Hours {
		n += c.Hours[i].Total()
	}
	return n
}

// Of is the number of events of a type in an hour.
func (c *Counts) Of(h *Hour, name string) int64 {
	for i, each := range c.Types {
		if each == name && i < len(h.Events) {
			return h.Events[i]
		}
	}
	return 0
}

func (r *reader) counts(f *Figures) error {
	c := &f.Counts
	if err := r.hours(c); err != nil {
		return err
	}
	err := r.each(`SELECT properties ->> '$.page' AS page, count(*) AS n, count(*) FILTER (type = 'error') FROM events `+r.where()+`
		GROUP BY page ORDER BY n DESC, page NULLS LAST`, func(rows *sql.Rows) error {
		var p Page
		if err := rows.Scan(&p.Name, &p.Events, &p.Errors); err != nil {
			return err
		}
		if len(c.Pages) < maxPages {
			c.Pages = append(c.Pages, p)
			return nil
		}
		c.OtherPages.Distinct++
		c.OtherPages.Events += p.Events
		c.OtherPages.Errors += p.Errors
		return nil
	})
	if err != nil {
		return err
	}
	return r.each(`SELECT device_type, browser, count(*) AS n, count(*) FILTER (type = 'error') FROM events `+r.where()+`
		GROUP BY device_type, browser ORDER BY n DESC, device_type NULLS LAST, browser NULLS LAST`, func(rows *sql.Rows) error {
		var d Device
		err := rows.Scan(&d.Device, &d.Browser, &d.Events, &d.Errors)
		c.Devices = append(c.Devices, d)
		return err
	})
}

// hours reads the counts by hour and type.
func (r *reader) hours(c *Counts) error {
	index := map[string]int{}
	err := r.each(`SELECT DISTINCT type FROM events `+r.where()+` ORDER BY type`, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		index[name] = len(c.Types)
		c.Types = append(c.Types, name)
		return err
	})
	if err != nil {
		return err
	}
	return r.each(`SELECT epoch_us(hour), epoch_us(CAST(CAST(hour AS DATE) AS TIMESTAMP)), date_part('hour', hour), type, n
		FROM (SELECT hour, type, CAST(sum(n) AS BIGINT) AS n
			FROM (SELECT `+bucketOf+` AS bucket, type, count(*) AS n FROM events `+r.where()+` GROUP BY bucket, type)
			JOIN temp.datasync_buckets USING (bucket) GROUP BY hour, type) ORDER BY hour`, func(rows *sql.Rows) error {
		var start, date, of, n int64
		var name string
		if err := rows.Scan(&start, &date, &of, &name, &n); err != nil {
			return err
		}
		if last := len(c.Hours) - 1; last < 0 || !c.Hours[last].Start.Equal(micros(start)) {
			c.Hours = append(c.Hours, Hour{Start: micros(start), Date: micros(date), Of: int(of), Events: make([]int64, len(c.Types))})
		}
		c.Hours[len(c.Hours)-1].Events[index[name]] = n
		return nil
	})
}
