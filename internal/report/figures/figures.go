package figures

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrorType is the type of the events that are errors.
const ErrorType = "error"

// Steps are the event types of the funnel, in order.
var Steps = []string{"page_view", "click", "form_submit", "purchase"}

// Options say which events the figures are of.
type Options struct {
	// Since and Until bound the events: at Since or later, and before Until. A zero time is no
	// bound.
	Since, Until time.Time
	// Batch, if not 0, is the last batch whose events count.
	Batch int64
}

// Figures are what the events of a period add up to.
type Figures struct {
	Period    Period
	Counts    Counts
	Users     Users
	Sessions  Sessions
	Funnel    Funnel
	Retention Retention
	// Worst is nil if no hour is an outlier.
	Worst *WorstHour
}

// Period is the time that the figures are of.
type Period struct {
	// From and To bound the period: the bounds that were asked for, or the first and the last
	// event, or the time that is being pulled. They are zero if there is none.
	From, To time.Time
	// First and Last are the instants of the first and the last event of the period; zero if
	// there is none.
	First, Last time.Time
	// Open are the spans that are not yet pulled, from old to new.
	Open []Span
	// Days are all days that the period touches, in order, also those without an event.
	Days []Day
}

// Day is a calendar day in the session's time zone.
type Day struct {
	// Date is midnight of the date in UTC, whatever the time zone: a name, not an instant.
	Date time.Time
	// Start and End are the instants at which the day begins and ends. A day of a change of clocks
	// has 23 or 25 hours.
	Start, End time.Time
	// Whole says that the day is over and pulled: neither the period's bounds nor the first or last
	// event of the file cut it, and no part of it is not yet pulled.
	Whole bool
}

// Read reads the figures of a file that is open for reading, over connections of its own. An empty
// file or period is no error: its figures are zero.
func Read(ctx context.Context, db *sql.DB, opts Options) (_ *Figures, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	r := reader{ctx: ctx, db: db, conn: conn, opts: opts}
	f := &Figures{}
	for _, read := range []func(*Figures) error{r.period, r.counts, r.sessions, r.users, r.funnel, r.retention, r.worst} {
		if err := read(f); err != nil {
			return nil, fmt.Errorf("figures: %w", err)
		}
	}
	return f, nil
}

// reader reads figures over one connection.
type reader struct {
	ctx  context.Context
	db   *sql.DB
	conn *sql.Conn
	opts Options
}

// where is the condition that an event is in the period, as literals: DuckDB prunes row groups by
// them.
func (r *reader) where() string {
	bounds := ""
	if !r.opts.Since.IsZero() {
		bounds += fmt.Sprintf(` AND "timestamp" >= make_timestamptz(%d)`, r.opts.Since.UnixMicro())
	}
	if !r.opts.Until.IsZero() {
		bounds += fmt.Sprintf(` AND "timestamp" < make_timestamptz(%d)`, r.opts.Until.UnixMicro())
	}
	if r.opts.Batch != 0 {
		bounds += fmt.Sprintf(" AND batch <= %d", r.opts.Batch)
	}
	return "WHERE true" + bounds
}

// each calls scan for every row of a query.
func (r *reader) each(query string, scan func(*sql.Rows) error) (err error) {
	rows, err := r.conn.QueryContext(r.ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one scans the only row of a query.
func (r *reader) one(query string, into ...any) error {
	return r.conn.QueryRowContext(r.ctx, query).Scan(into...)
}
