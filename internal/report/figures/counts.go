package figures

import (
	"database/sql"
	"strconv"
	"strings"
	"time"
)

// maxPages is the number of pages that are counted one by one, and maxTypes that of types by hour. The
// rest is counted together.
const (
	maxPages = 1000
	maxTypes = 64
)

// Counts are the additive figures: two sets of events count as the sum of their Counts.
type Counts struct {
	// Types are types of events by number: errors, Steps and those with the most events, in falling order. If
	// there are more, the last one has all others together.
	Types []Type
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

// Type counts the events of a type, or those of several types together.
type Type struct {
	// Name is the type; "" if Others is not 0.
	Name   string
	Events int64
	// Others is the number of types that are counted together.
	Others int64
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
		if each.Name == name && each.Others == 0 {
			return h.Events[i]
		}
	}
	return 0
}

// counts reads the additive figures.
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

// known are the types of events that figures are named for, as a list of SQL.
func known() string {
	return "'" + strings.Join(append([]string{ErrorType}, Steps...), "', '") + "'"
}

// hours reads the counts by hour and type.
func (r *reader) hours(c *Counts) error {
	_, err := r.conn.ExecContext(r.ctx, `CREATE OR REPLACE TEMP TABLE datasync_types AS
		SELECT type, n, least(row_number() OVER (ORDER BY type IN (`+known()+`) DESC, n DESC, type) - 1, `+strconv.Itoa(maxTypes)+`) AS place
		FROM (SELECT type, count(*) AS n FROM events `+r.where()+` GROUP BY type)`)
	if err != nil {
		return err
	}
	defer func() { _, _ = r.conn.ExecContext(r.ctx, "DROP TABLE temp.datasync_types") }()
	places := map[int]int{} // from places in the table to those in Types
	err = r.each(`SELECT place, any_value(type), CAST(sum(n) AS BIGINT) AS n, count(*) FROM temp.datasync_types
		GROUP BY place ORDER BY place = `+strconv.Itoa(maxTypes)+`, n DESC, any_value(type)`, func(rows *sql.Rows) error {
		var place int
		var t Type
		var of int64
		err := rows.Scan(&place, &t.Name, &t.Events, &of)
		if place == maxTypes {
			t.Name, t.Others = "", of
		}
		places[place] = len(c.Types)
		c.Types = append(c.Types, t)
		return err
	})
	if err != nil {
		return err
	}
	return r.each(`SELECT epoch_us(hour), epoch_us(CAST(CAST(hour AS DATE) AS TIMESTAMP)), date_part('hour', hour), place, n
		FROM (SELECT hour, place, CAST(sum(n) AS BIGINT) AS n
			FROM (SELECT `+bucketOf+` AS bucket, type, count(*) AS n FROM events `+r.where()+` GROUP BY bucket, type)
			JOIN temp.datasync_buckets USING (bucket) JOIN (SELECT type, place FROM temp.datasync_types) USING (type)
			GROUP BY hour, place) ORDER BY hour`, func(rows *sql.Rows) error {
		var start, date, of, n int64
		var place int
		if err := rows.Scan(&start, &date, &of, &place, &n); err != nil {
			return err
		}
		if last := len(c.Hours) - 1; last < 0 || !c.Hours[last].Start.Equal(micros(start)) {
			c.Hours = append(c.Hours, Hour{Start: micros(start), Date: micros(date), Of: int(of), Events: make([]int64, len(c.Types))})
		}
		c.Hours[len(c.Hours)-1].Events[places[place]] = n
		return nil
	})
}
