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
}

// sessionTable makes a temporary table with a row for each session of some events: when it began and how
// long it was, in microseconds, and how many events it has. condition begins with AND. drop removes it.
func (r *reader) sessionTable(name, condition string) (drop func(), err error) {
	_, err = r.conn.ExecContext(r.ctx, `CREATE OR REPLACE TEMP TABLE `+name+` AS
		SELECT epoch_us(min("timestamp")) AS began, epoch_us(max("timestamp")) - epoch_us(min("timestamp")) AS length, count(*) AS size
		FROM events WHERE true`+condition+` GROUP BY session_id`)
	return func() { _, _ = r.conn.ExecContext(r.ctx, "DROP TABLE IF EXISTS temp."+name) }, err
}

// sessions reads the figures of sessions.
func (r *reader) sessions(f *Figures) error {
	drop, err := r.sessionTable("datasync_sessions", r.between(r.opts.Since, r.opts.Until))
	if err != nil {
		return err
	}
	defer drop()
	s := &f.Sessions
	s.Lengths, s.Sizes = make([]int64, len(LengthBounds)+1), make([]int64, maxSize)
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
	return r.tally(fmt.Sprintf("SELECT least(size, %d) - 1 AS bin, count(*) FROM temp.datasync_sessions GROUP BY bin", maxSize), s.Sizes)
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
