package figures

import (
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Period is the time that the figures are of.
type Period struct {
	// From and To bound the period: the bounds that were asked for, or the first and the last
	// event, or the time that is being pulled. They are zero if there is none.
	From, To time.Time
	// First and Last are the instants of the first and the last event of the period; zero if
	// there is none.
	First, Last time.Time
	// Unpulled are the spans that no pull has read, from old to new: those that a window still has to
	// walk, those below the start bound, and those after the newest pull.
	Unpulled []Span
	// Days are all days that the period touches, in order, also those without an event.
	Days []Day
	// earlier are the days before the first of Days, for Comparison.
	earlier []Day
}

// Day is a calendar day in the session's time zone.
type Day struct {
	// Date is midnight of the date in UTC, whatever the time zone: a name, not an instant.
	Date time.Time
	// Start and End are the instants at which the day begins and ends. A day of a change of clocks
	// has 23 or 25 hours.
	Start, End time.Time
	// Whole says that the day is over and pulled, and that the period has all of it. The first or last
	// event of the file cuts a day if it is more than a quarter of an hour off the day's border.
	Whole bool
	// inFile is Whole whatever the period.
	inFile bool
}

// slack is how far the file's first and last events may be from the borders of a day that counts as whole.
const slack = 15 * time.Minute

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
	p.From, p.To = r.opts.Since, r.opts.Until
	if first.Valid {
		p.First, p.Last = micros(first.Int64), micros(last.Int64)
		p.stretch(NotYetPulled(windows))
	}
	if oldest.Valid {
		r.oldest, r.newest = micros(oldest.Int64), micros(newest.Int64)
	}
	p.Unpulled = unpulled(windows, r.newest)
	if p.From.IsZero() || p.To.IsZero() || p.To.Before(p.From) {
		return nil
	}
	days, err := r.days(p, p.From, p.lastInstant())
	if err != nil {
		return err
	}
	for i := range days {
		d := &days[i]
		from, to := p.From, p.To
		if r.opts.Since.IsZero() {
			from = d.Start
		}
		if r.opts.Until.IsZero() {
			to = d.End
		}
		d.Whole = d.inFile && !d.Start.Before(from) && !d.End.After(to)
	}
	at := slices.IndexFunc(days, func(d Day) bool { return d.End.After(p.From) })
	p.earlier, p.Days = days[:at], days[at:]
	return nil
}

// days reads the calendar days from one instant to another, and those before them that Comparison may
// need. It sets all but Whole.
func (r *reader) days(p *Period, from, to time.Time) (days []Day, err error) {
	err = r.each(fmt.Sprintf(`SELECT epoch_us(day::TIMESTAMP), epoch_us(CAST(day AS TIMESTAMPTZ)), epoch_us(CAST(day + 1 AS TIMESTAMPTZ))
		FROM (SELECT CAST(unnest(range(CAST(CAST(make_timestamptz(%d) AS DATE) - %d AS TIMESTAMP), CAST(CAST(make_timestamptz(%d) AS DATE) + 1 AS TIMESTAMP), INTERVAL 1 DAY)) AS DATE) AS day)
		ORDER BY day`, from.UnixMicro(), maxCompared, to.UnixMicro()), func(rows *sql.Rows) error {
		var date, start, end int64
		if err := rows.Scan(&date, &start, &end); err != nil {
			return err
		}
		d := Day{Date: micros(date), Start: micros(start), End: micros(end)}
		d.inFile = p.has(d, r.oldest, r.newest)
		days = append(days, d)
		return nil
	})
	return days, err
}

// has reports whether a day is over and pulled in a file with these oldest and newest events.
func (p *Period) has(d Day, oldest, newest time.Time) bool {
	begun := !oldest.IsZero() && !d.Start.Before(oldest.Add(-slack))
	return begun && !d.End.After(newest.Add(slack)) && !p.Pulling(d.Start, d.End)
}

// unpulled are the spans that no pull has read. newest is the instant of the last event.
func unpulled(windows []Window, newest time.Time) []Span {
	known, bound := newest, time.Time{}
	for _, w := range windows {
		known = later(known, w.PulledAt)
		bound = later(bound, w.StartBound)
	}
	spans := append(NotYetPulled(windows), Span{From: known})
	if !bound.IsZero() {
		spans = append(spans, Span{To: bound})
	}
	return joined(spans)
}

// stretch sets the bounds that were not asked for: to the events, and to the time that is being pulled.
func (p *Period) stretch(open []Span) {
	from, to := p.First, p.Last
	for _, s := range open {
		if !s.From.IsZero() {
			from = earlier(from, s.From)
		}
		if !s.To.IsZero() {
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

// Pulling reports whether a part of a stretch of time is not pulled.
func (p *Period) Pulling(from, to time.Time) bool {
	return slices.ContainsFunc(p.Unpulled, func(s Span) bool {
		return s.From.Before(to) && (s.To.IsZero() || s.To.After(from))
	})
}

// Pulled reports whether any part of a stretch of time is pulled.
func (p *Period) Pulled(from, to time.Time) bool {
	return !slices.ContainsFunc(p.Unpulled, func(s Span) bool {
		return !s.From.After(from) && (s.To.IsZero() || !s.To.Before(to))
	})
}

// buckets makes the temporary table datasync_buckets: for each quarter of an hour with events, the hour
// of the clock and the day that it is in. Casts of each event to the time zone would take longer than
// all other work. All time zones differ from UTC by a multiple of a quarter of an hour.
func (r *reader) buckets() error {
	_, err := r.conn.ExecContext(r.ctx, `CREATE OR REPLACE TEMP TABLE datasync_buckets AS
		SELECT bucket, began - (CAST(began AS TIMESTAMP) - date_trunc('hour', CAST(began AS TIMESTAMP))) AS hour, CAST(began AS DATE) AS day
		FROM (SELECT bucket, make_timestamptz(bucket * 900000000) AS began FROM (SELECT DISTINCT `+bucketOf+` AS bucket FROM events))`)
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

// micros converts microseconds since 1970 to a time in UTC.
func micros(us int64) time.Time { return time.UnixMicro(us).UTC() }

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
