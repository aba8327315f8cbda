package figures

import (
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Comparison has the figures of the last full days of the period beside those of as many full days right
// before them, which may be before the period. They are seven days each, or fewer where the file has
// fewer. All is empty if there are not two full days in a row.
type Comparison struct {
	// Before and Now are the days, in order. They have one length.
	Before, Now []Day
	// ByDay are the figures of each day of Before, and then of Now.
	ByDay []Measures
	// Was are the figures of all of Before, and Is those of all of Now.
	Was, Is Measures
}

// Measures are the key figures of a span.
type Measures struct {
	Events, Errors, Purchases, Users int64
	// Sessions are those that began in the span, and Median is the median time from the first to the
	// last event of one. Events before the days that are compared do not count.
	Sessions int64
	Median   time.Duration
}

// ErrorRate is the share of errors among the events, 0 without events.
func (m Measures) ErrorRate() float64 { return DayErrors{m.Events, m.Errors}.Rate() }

// maxCompared is the largest number of days that are compared with those before them.
const maxCompared = 7

// compared chooses the days of a Comparison.
func (p *Period) compared() (before, now []Day) {
	days := append(p.earlier[:len(p.earlier):len(p.earlier)], p.Days...)
	end := len(days)
	for end > len(p.earlier) && !days[end-1].Whole {
		end--
	}
	first := end // of the full days in a row that the period has
	for first > len(p.earlier) && days[first-1].Whole {
		first--
	}
	oldest := first // of those that the file has
	for oldest > 0 && days[oldest-1].inFile {
		oldest--
	}
	n := min(maxCompared, end-first, (end-oldest)/2)
	return days[end-2*n : end-n], days[end-n : end]
}

// comparison reads the figures of the days that are compared.
func (r *reader) comparison(f *Figures) error {
	c := &f.Comparison
	c.Before, c.Now = f.Period.compared()
	n := len(c.Now)
	if n == 0 {
		return nil
	}
	c.ByDay = make([]Measures, 2*n)
	spans := []Span{{c.Before[0].Start, c.Before[n-1].End}, {c.Now[0].Start, c.Now[n-1].End}}
	into := []*Measures{&c.Was, &c.Is}
	for i := range c.ByDay {
		d := c.Now[max(i-n, 0)]
		if i < n {
			d = c.Before[i]
		}
		spans, into = append(spans, Span{d.Start, d.End}), append(into, &c.ByDay[i])
	}
	events, sessions := make([]string, len(spans)), make([]string, len(spans))
	for i, s := range spans {
		events[i] = fmt.Sprintf(`SELECT %d, count(*), count(*) FILTER (type = '%s'), count(*) FILTER (type = '%s'), count(DISTINCT user_id) FROM events WHERE true%s`,
			i, ErrorType, PurchaseType, r.between(s.From, s.To))
		sessions[i] = fmt.Sprintf(`SELECT %d, count(*), coalesce(CAST(median(length) AS BIGINT), 0) FROM temp.datasync_compared WHERE began >= %d AND began < %d`,
			i, s.From.UnixMicro(), s.To.UnixMicro())
	}
	err := r.each(strings.Join(events, " UNION ALL "), func(rows *sql.Rows) error {
		var at int
		var m Measures
		err := rows.Scan(&at, &m.Events, &m.Errors, &m.Purchases, &m.Users)
		*into[at] = m
		return err
	})
	if err != nil {
		return err
	}
	drop, err := r.sessionTable("datasync_compared", r.between(spans[0].From, spans[1].To))
	if err != nil {
		return err
	}
	defer drop()
	return r.each(strings.Join(sessions, " UNION ALL "), func(rows *sql.Rows) error {
		var at int
		var count, median int64
		err := rows.Scan(&at, &count, &median)
		into[at].Sessions, into[at].Median = count, time.Duration(median)*time.Microsecond
		return err
	})
}
