package figures

import (
	"database/sql"
	"fmt"
	"time"
)

// micros converts microseconds since 1970 to a time in UTC.
func micros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// period reads the bounds and the days of the period.
func (r *reader) period(f *Figures) error {
	var first, last, oldest, newest sql.NullInt64
	err := r.one(`SELECT min(epoch_us("timestamp")), max(epoch_us("timestamp")),
		(SELECT min(epoch_us("timestamp")) FROM events), (SELECT max(epoch_us("timestamp")) FROM events) FROM events `+r.where(),
		&first, &last, &oldest, &newest)
	if err != nil {
		return err
	}
	if err := r.buckets(); err != nil {
		return err
	}
	windows, err := ReadWindows(r.ctx, r.db)
	if err != nil {
		return err
	}
	p := &f.Period
	p.Open = NotYetPulled(windows)
	p.From, p.To = r.opts.Since, r.opts.Until
	if first.Valid {
		p.First, p.Last = micros(first.Int64), micros(last.Int64)
	}
	p.stretch(first.Valid)
	if p.From.IsZero() || p.To.IsZero() || p.To.Before(p.From) {
		return nil
	}
	var covered struct{ from, to time.Time }
	if oldest.Valid {
		covered.from, covered.to = later(p.From, micros(oldest.Int64)), earlier(p.To, micros(newest.Int64))
	}
	return r.each(fmt.Sprintf(`SELECT epoch_us(day::TIMESTAMP), epoch_us(CAST(day AS TIMESTAMPTZ)), epoch_us(CAST(day + 1 AS TIMESTAMPTZ))
		FROM (SELECT CAST(unnest(range(CAST(CAST(make_timestamptz(%d) AS DATE) AS TIMESTAMP), CAST(CAST(make_timestamptz(%d) AS DATE) + 1 AS TIMESTAMP), INTERVAL 1 DAY)) AS DATE) AS day)
		ORDER BY day`, p.From.UnixMicro(), p.lastInstant().UnixMicro()), func(rows *sql.Rows) error {
		var date, start, end int64
		if err := rows.Scan(&date, &start, &end); err != nil {
			return err
		}
		d := Day{Date: micros(date), Start: micros(start), End: micros(end)}
		d.Whole = oldest.Valid && !d.Start.Before(covered.from) && !d.End.After(covered.to) && !p.Pulling(d.Start, d.End)
		p.Days = append(p.Days, d)
		return nil
	})
}

// stretch sets the bounds that were not asked for: to the events, and to the time that is being pulled.
func (p *Period) stretch(any bool) {
	from, to := p.First, p.Last
	for _, s := range p.Open {
		if any && !s.From.IsZero() {
			from = earlier(from, s.From)
		}
		if any && !s.To.IsZero() {
			to = later(to, s.To)
		}
	}
	if p.From.IsZero() {
		p.From = from
	}
	if p.To.IsZero() {
		p.To = to
	}
}

// Pulling reports whether a part of a stretch of time is not yet pulled.
func (p *Period) Pulling(from, to time.Time) bool {
	for _, s := range p.Open {
		if s.From.Before(to) && (s.To.IsZero() || s.To.After(from)) {
			return true
		}
	}
	return false
}

// Pulled reports whether any part of a stretch of time is pulled.
func (p *Period) Pulled(from, to time.Time) bool {
	for _, s := range p.Open {
		if !s.From.After(from) && (s.To.IsZero() || !s.To.Before(to)) {
			return false
		}
	}
	return true
}

// buckets makes the temporary table datasync_buckets: for each quarter of an hour with events, the hour
// of the clock and the day that it is in. Casts of each event to the time zone would take longer than
// all other work. All time zones differ from UTC by a multiple of a quarter of an hour.
func (r *reader) buckets() error {
	_, err := r.conn.ExecContext(r.ctx, `CREATE OR REPLACE TEMP TABLE datasync_buckets AS
		SELECT bucket, began - (CAST(began AS TIMESTAMP) - date_trunc('hour', CAST(began AS TIMESTAMP))) AS hour, CAST(began AS DATE) AS day
		FROM (SELECT bucket, make_timestamptz(bucket * 900000000) AS began FROM (SELECT DISTINCT `+bucketOf+` AS bucket FROM events `+r.where()+`))`)
	return err
}

// bucketOf is the SQL for the quarter of an hour of an event since 1970. Division of integers rounds
// towards zero, so it is not //.
const bucketOf = `CAST(floor(epoch_us("timestamp") / 900000000) AS BIGINT)`

// lastInstant is the last microsecond of the period: To is not in it, unless it is the last event's
// instant.
func (p *Period) lastInstant() time.Time {
	if p.To.Equal(p.Last) || !p.To.After(p.From) {
		return p.To
	}
	return p.To.Add(-time.Microsecond)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
