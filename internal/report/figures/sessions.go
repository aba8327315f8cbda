package figures

import (
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// LengthBounds are the upper bounds of the bins of session lengths. The bins widen; the last one has
// no upper bound.
var LengthBounds = []time.Duration{
	5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
}

// maxSize is the number of events from which on sessions count together.
const maxSize = 16

// Sessions are figures of sessions. A session is all events of the period with one session id.
type Sessions struct {
	Count int64
	// Median is the median time from the first to the last event of a session.
	Median time.Duration
	// MedianEvents is the median number of events of a session.
	MedianEvents float64
	// Lengths are the numbers of sessions by length: bin i is below LengthBounds[i], the last bin has
	// the rest.
	Lengths []int64
	// Sizes are the numbers of sessions with 1, 2 ... events; the last one has those with 16 or more.
	Sizes []int64
	// ByDay are the sessions that began on each day of the period.
	ByDay []DaySessions
	// Compared are the sessions that began in the two spans of Period.Comparison.
	Compared [2]DaySessions
}

// DaySessions are the sessions that began on a day, or in a span of days.
type DaySessions struct {
	Count  int64
	Median time.Duration
}

// sessions reads the figures of sessions. It keeps one row a session in memory meanwhile.
func (r *reader) sessions(f *Figures) error {
	_, err := r.conn.ExecContext(r.ctx, `CREATE OR REPLACE TEMP TABLE datasync_sessions AS
		SELECT epoch_us(min("timestamp")) AS began, epoch_us(max("timestamp")) - epoch_us(min("timestamp")) AS length, count(*) AS size
		FROM events `+r.where()+` GROUP BY session_id`)
	if err != nil {
		return err
	}
	defer func() { _, _ = r.conn.ExecContext(r.ctx, "DROP TABLE temp.datasync_sessions") }()
	s := &f.Sessions
	s.Lengths, s.Sizes = make([]int64, len(LengthBounds)+1), make([]int64, maxSize)
	s.ByDay = make([]DaySessions, len(f.Period.Days))
	var median int64
	if err := r.one(`SELECT count(*), coalesce(CAST(median(length) AS BIGINT), 0), coalesce(median(size), 0) FROM temp.datasync_sessions`,
		&s.Count, &median, &s.MedianEvents); err != nil {
		return err
	}
	s.Median = time.Duration(median) * time.Microsecond
	var bin strings.Builder
	for i, bound := range LengthBounds {
		_, _ = fmt.Fprintf(&bin, " WHEN length < %d THEN %d", bound.Microseconds(), i)
	}
	if err := r.tally(fmt.Sprintf("SELECT CASE%s ELSE %d END AS bin, count(*) FROM temp.datasync_sessions GROUP BY bin", bin.String(), len(LengthBounds)), s.Lengths); err != nil {
		return err
	}
	if err := r.tally(fmt.Sprintf("SELECT least(size, %d) - 1 AS bin, count(*) FROM temp.datasync_sessions GROUP BY bin", maxSize), s.Sizes); err != nil {
		return err
	}
	if err := r.spans(f.Period.spans(), s.ByDay); err != nil {
		return err
	}
	before, now := f.Period.Comparison()
	return r.spans([]span{spanOf(before), spanOf(now)}, s.Compared[:])
}

// tally adds the counts of a query by index.
func (r *reader) tally(query string, into []int64) error {
	return r.each(query, func(rows *sql.Rows) error {
		var at, n int64
		err := rows.Scan(&at, &n)
		if err == nil {
			into[at] += n
		}
		return err
	})
}

// span is a stretch of time.
type span struct{ from, to time.Time }

// spans are the days of the period.
func (p *Period) spans() []span {
	spans := make([]span, len(p.Days))
	for i, d := range p.Days {
		spans[i] = span{d.Start, d.End}
	}
	return spans
}

// spanOf is the time from the first to the last of some days; empty if there are none.
func spanOf(days []Day) span {
	if len(days) == 0 {
		return span{}
	}
	return span{days[0].Start, days[len(days)-1].End}
}

// list is the spans as rows of SQL: their number, from and to in microseconds.
func list(spans []span) string {
	values := make([]string, len(spans))
	for i, s := range spans {
		values[i] = fmt.Sprintf("(%d, %d, %d)", i, s.from.UnixMicro(), s.to.UnixMicro())
	}
	return "(VALUES " + strings.Join(values, ", ") + ") AS spans(place, low, high)"
}

// spans reads the sessions that began in each span.
func (r *reader) spans(spans []span, into []DaySessions) error {
	if len(spans) == 0 {
		return nil
	}
	return r.each(`SELECT place, count(*), CAST(median(length) AS BIGINT) FROM temp.datasync_sessions
		JOIN `+list(spans)+` ON began >= low AND began < high GROUP BY place`, func(rows *sql.Rows) error {
		var at, n, median int64
		err := rows.Scan(&at, &n, &median)
		if err == nil {
			into[at] = DaySessions{n, time.Duration(median) * time.Microsecond}
		}
		return err
	})
}
