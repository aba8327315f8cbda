package figures

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// FoldPages counts the pages beyond those that Read counts one by one together.
func (c *Counts) FoldPages() {
	for _, p := range c.Pages[min(len(c.Pages), maxPages):] {
		c.OtherPages.Distinct++
		c.OtherPages.Events += p.Events
		c.OtherPages.Errors += p.Errors
	}
	c.Pages = c.Pages[:min(len(c.Pages), maxPages)]
}

// ReadCounts reads the counts of the events of batches up to one, and the instants of the first and the last of them;
// both are zero if there is none.
func ReadCounts(ctx context.Context, db *sql.DB, upTo int64) (c *Counts, first, last time.Time, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, first, last, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	r := reader{ctx: ctx, db: db, conn: conn, opts: Options{Batch: upTo}}
	var f Figures
	var low, high sql.NullInt64
	err = r.one(`SELECT min(epoch_us("timestamp")), max(epoch_us("timestamp")) FROM events `+r.where(), &low, &high)
	for _, read := range []func() error{r.buckets, func() error { return r.counts(&f) }} {
		if err == nil {
			err = read()
		}
	}
	if err != nil {
		return nil, first, last, fmt.Errorf("figures: %w", err)
	}
	if low.Valid {
		first, last = micros(low.Int64), micros(high.Int64)
	}
	return &f.Counts, first, last, nil
}

// Live returns figures of counts that were kept while a pull runs: of a period with these first and last events, of
// which the windows say which time is not yet pulled. Days are those of the time zone. The worst hour is by the same
// counts, and not compared. Its other figures are zero.
func Live(counts Counts, first, last time.Time, windows []Window, zone *time.Location) *Figures {
	f := &Figures{Counts: counts}
	p := &f.Period
	p.Unpulled, p.First, p.Last = unpulled(windows, last), first, last
	if !first.IsZero() {
		p.stretch(NotYetPulled(windows))
	}
	if p.From.IsZero() || p.To.IsZero() || p.To.Before(p.From) {
		return f
	}
	y, m, d := p.From.In(zone).Date()
	for day := 0; ; day++ {
		start := time.Date(y, m, d+day, 0, 0, 0, 0, zone)
		if start.After(p.lastInstant()) {
			f.Worst = f.countedOutlier()
			return f
		}
		end := time.Date(y, m, d+day+1, 0, 0, 0, 0, zone)
		date := time.Date(y, m, d+day, 0, 0, 0, 0, time.UTC)
		d := Day{Date: date, Start: start.UTC(), End: end.UTC()}
		d.Whole = p.has(d, first, last)
		p.Days = append(p.Days, d)
	}
}
